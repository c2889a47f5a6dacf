package esl

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tapdeck/controller/esl/internal/frametest"
	"tapdeck/controller/switchsim"
)

// simulate places a call at srv, whose dialplan hangs up with USER_BUSY after the socket action.
func simulate(t *testing.T, srv *server, arguments string, variables map[string]string) *switchsim.Call {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	sw := switchsim.New(switchsim.Config{})
	call, err := sw.Dial(ctx, switchsim.CallSpec{
		Address: srv.addr, Arguments: arguments, Variables: variables, Then: []switchsim.Action{{Application: "hangup", Data: "USER_BUSY"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); sw.Wait() })
	return call
}

// wentOn checks that the dialplan went on with a call, as if there had been no socket action.
func wentOn(t *testing.T, call *switchsim.Call, resume string) {
	t.Helper()
	r := call.Wait()
	if r.Stranded || !r.NextAction || r.HangupCause != "USER_BUSY" {
		t.Errorf("stranded %v, next action %v, cause %s after %q", r.Stranded, r.NextAction, r.HangupCause, r.Commands)
	}
	if got := call.Variable("socket_resume"); got != resume {
		t.Errorf("socket_resume is %q, want %q", got, resume)
	}
}

// A switch parks a call for ever whose socket closes too early (F8, F94): whoever is not
// admitted, its call goes on.
func TestNobodyIsStranded(t *testing.T) {
	for _, reason := range []string{refuseAddress, refuseConnections, refusePending, "turned away at once"} {
		for _, arguments := range []string{"async full", "async", "full"} {
			if reason == "turned away at once" && arguments == "full" {
				continue // which can't be known then
			}
			t.Run(reason+", "+arguments, func(t *testing.T) {
				cfg := testConfig()
				switch reason {
				case refuseConnections:
					cfg.MaxConnections = 0
				case refusePending:
					cfg.MaxPending = 0
				default:
					cfg.Allow = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
				}
				srv := serve(t, cfg, func(context.Context, *Conn) { t.Error("handled") })
				if reason == "turned away at once" {
					srv.turnedAway.Store(maxTurnedAway)
				}
				wentOn(t, simulate(t, srv, arguments, nil), "")
			})
		}
	}
}

// Whatever a handler does, the call goes on when it returns.
func TestHandlerStrandsNobody(t *testing.T) {
	for name, handle := range map[string]func(ctx context.Context, c *Conn){
		"returns":           func(context.Context, *Conn) {},
		"closes":            func(_ context.Context, c *Conn) { c.Close() },
		"gives commands":    func(ctx context.Context, c *Conn) { c.Command(ctx, "linger 5"); c.Command(ctx, "myevents json") },
		"is refused one":    func(ctx context.Context, c *Conn) { c.Command(ctx, "nonsense") },
		"gives up waiting":  func(ctx context.Context, c *Conn) { c.link.End(errors.New("enough")) },
		"executes and goes": func(ctx context.Context, c *Conn) { c.Execute(ctx, "set", "a=b") },
	} {
		for _, arguments := range []string{"async full", "async", "full"} {
			t.Run(name+", "+arguments, func(t *testing.T) {
				srv := serve(t, testConfig(), handle)
				wentOn(t, simulate(t, srv, arguments, nil), "")
			})
		}
	}
}

// A dialplan's own socket_resume is left as it is.
func TestDialplansOwnResume(t *testing.T) {
	own := map[string]string{"socket_resume": "true"}
	srv := serve(t, testConfig(), func(context.Context, *Conn) {})
	wentOn(t, simulate(t, srv, "async full", own), "true")
	cfg := testConfig()
	cfg.MaxConnections = 0
	srv.Update(cfg)
	wentOn(t, simulate(t, srv, "async full", own), "true")
}

// A drain ends connections, not calls.
func TestDrainStrandsNobody(t *testing.T) {
	stop := make(chan struct{})
	srv := serve(t, testConfig(), func(ctx context.Context, c *Conn) { <-stop })
	call := simulate(t, srv, "async full", nil)
	waitFor(t, func() bool { return srv.connections.Load() == 1 && srv.pending.Load() == 0 })
	srv.ln.Close()
	close(stop)
	wentOn(t, call, "")
}

// A switch that is too slow to answer connect still finds resume behind it.
func TestSlowSwitchIsNotStranded(t *testing.T) {
	cfg := testConfig()
	cfg.ConnectTimeout = 50 * time.Millisecond
	srv := serve(t, cfg, func(context.Context, *Conn) { t.Error("handled") })
	p := dialPeer(t, srv.addr)
	p.expect("connect", "resume", "sendmsg")
	p.eof()
}

// A call that something else has is left alone until it ends: the end of the socket would
// unpark it (F95).
func TestTransferredCallIsNotUnparked(t *testing.T) {
	seen := make(chan string, 10)
	srv := serve(t, testConfig(), func(ctx context.Context, c *Conn) {
		if _, err := c.Command(ctx, "myevents json"); err != nil {
			t.Error(err)
		}
		seen <- fmt.Sprint(c.Channel().Get("Unique-ID"))
		for ev := range c.Events() {
			if ev.Name() == "CHANNEL_EXECUTE_COMPLETE" {
				break
			}
		}
		seen <- "over"
	})
	call := simulate(t, srv, "async full", nil)
	first := <-seen
	call.TransferBack()
	if second := <-seen; second == "over" {
		second = <-seen
		if second != first {
			t.Errorf("%s came, want %s again", second, first)
		}
	} else if <-seen != "over" {
		t.Error("the first connection is not over")
	}
	waitFor(t, func() bool { return srv.connections.Load() == 1 && srv.held.Load() == 1 })
	call.Hangup()
	if r := call.Wait(); r.Stranded || r.NextAction || r.HangupCause != "NORMAL_CLEARING" {
		t.Errorf("stranded %v, next action %v, cause %s", r.Stranded, r.NextAction, r.HangupCause)
	}
	waitFor(t, func() bool { return srv.held.Load() == 0 })
}

// halves is a connection of which the end of one side is seen.
type halves struct {
	net.Conn
	ended bool
}

func (h *halves) CloseWrite() error {
	h.ended = true
	return nil
}

// Our side ends when the switch has answered the last commands, and not before: it may
// take them up late, and what it was sending comes first, a reply to an earlier command too.
func TestLeaveAwaitsReplies(t *testing.T) {
	for _, awaiting := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			ours, theirs := net.Pipe()
			conn, left := &halves{Conn: ours}, make(chan struct{})
			go func() {
				defer close(left)
				leave(conn, leaveClean, awaiting)
			}()
			got := make([]byte, len(leaveClean))
			if _, err := io.ReadFull(theirs, got); err != nil || string(got) != string(leaveClean) {
				t.Fatalf("%q, %v", got, err)
			}
			said := []string{
				"le: end of an event\n\n", strings.Repeat("x", 10_000) + "\n",
				frametest.JSON(`{"a":"Content-Type: command/reply\nReply-Text: +OK\n\n"}`), // right before a reply
				frametest.OKReply, strings.TrimSuffix(frametest.OKReply, "\n"),
			}
			if awaiting {
				said = append([]string{frametest.OKReply}, said...)
			}
			for _, text := range said {
				io.WriteString(theirs, text)
				synctest.Wait()
				if conn.ended {
					t.Fatalf("our side has ended after %.30q", text)
				}
			}
			io.WriteString(theirs, "\n")
			synctest.Wait()
			if !conn.ended {
				t.Error("our side has not ended")
			}
			theirs.Close()
			<-left
		})
	}
}

// A command whose reply was given up is still answered before the last commands.
func TestLeaveAwaitsTheReplyThatWasGivenUp(t *testing.T) {
	for name, c := range map[string]struct {
		connectTimeout time.Duration
		answersConnect bool
	}{
		"connect":         {20 * time.Millisecond, false},
		"another command": {patience, true},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := testConfig()
			cfg.ConnectTimeout = c.connectTimeout
			srv := serve(t, cfg, func(ctx context.Context, c *Conn) {
				limited, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
				defer cancel()
				if _, err := c.Command(limited, "linger 5"); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("the command ended by %v", err)
				}
			})
			p := dialPeer(t, srv.addr)
			p.expect("connect")
			if c.answersConnect {
				p.say(connectReply)
				p.expect("linger")
			}
			p.expect("resume", "sendmsg")
			p.say(frametest.OKReply, frametest.OKReply)
			p.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
			if said, err := p.command(); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("after two of three replies: %q, %v", said, err)
			}
			p.SetReadDeadline(time.Now().Add(releaseTimeout / 2))
			p.say(frametest.OKReply)
			if said, err := p.command(); !errors.Is(err, io.EOF) {
				t.Errorf("after all replies: %q, %v", said, err)
			}
		})
	}
}

// A reply is seen wherever it begins: behind an event without a line end, or where the reader's
// buffer ends within it.
func TestSkipReplies(t *testing.T) {
	event := frametest.JSON(`{"a":"Content-Type: command/reply\nReply-Text: +OK\n\n"}`)
	size := bufio.NewReader(nil).Size()
	for n := size - len(event) - len(frametest.OKReply); n <= size; n++ {
		said := strings.Repeat("x", n) + event
		r := bufio.NewReader(strings.NewReader(said + frametest.OKReply + "Reply-Text: +OK\nContent-Type: command/reply\n\nrest"))
		if !skipReplies(r, 2) {
			t.Fatalf("no two replies behind %d bytes", len(said))
		}
		if rest, _ := io.ReadAll(r); string(rest) != "rest" {
			t.Fatalf("behind %d bytes: %q was left", len(said), rest)
		}
	}
	for _, one := range []string{event + "C" + frametest.OKReply, frametest.OKReply + replyLine} {
		if skipReplies(bufio.NewReader(strings.NewReader(one)), 2) {
			t.Errorf("two replies in %q", one)
		}
	}
}

// A switch that answers nothing holds up nobody for long.
func TestLeaveIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		defer theirs.Close()
		go io.Copy(io.Discard, theirs)
		began := time.Now()
		leave(&halves{Conn: ours}, leaveClean, false)
		if took := time.Since(began); took != releaseTimeout {
			t.Errorf("it took %v", took)
		}
	})
}
