package esl

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"tapdeck/controller/esl/internal/fio"
	"tapdeck/controller/esl/internal/frame"
	"tapdeck/controller/esl/internal/frametest"
)

// call runs a conversation: the peer plays a switch, and handle is what the
// call does; its error is returned. A peer that never becomes a call gives
// what the log says of it.
func call(t *testing.T, cfg Config, play func(p *peer), handle func(ctx context.Context, c *Conn) error) (*server, error) {
	t.Helper()
	result := make(chan error, 1)
	srv := serve(t, cfg, func(ctx context.Context, c *Conn) { result <- handle(ctx, c) })
	p := dialPeer(t, srv.addr)
	play(p)
	limit := time.After(patience)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case err := <-result:
			return srv, err
		case <-tick.C:
			if err := srv.noCall(); err != nil && len(result) == 0 {
				return srv, err
			}
		case <-limit:
			t.Fatal("no result")
		}
	}
}

// noCall returns what the log says of a connection that ended without a call.
func (s *server) noCall() error {
	if s.connections.Load() > 0 {
		return nil
	}
	for _, msg := range []string{"event socket closed", "event socket peers did not answer connect"} {
		if lines := s.logs.FilterMessage(msg).All(); len(lines) > 0 {
			return fmt.Errorf("%s %v", msg, lines[0].ContextMap())
		}
	}
	return nil
}

// lingerThenWait is a call that sends one command and then waits for its end.
func lingerThenWait(t *testing.T) func(ctx context.Context, c *Conn) error {
	return func(ctx context.Context, c *Conn) error {
		if _, err := c.Command(ctx, "linger 5"); err != nil {
			if c.Err() == nil {
				t.Errorf("connection lives after %v", err)
			}
			ended(t, c)
			return err
		}
		return ended(t, c)
	}
}

func TestWrongPeers(t *testing.T) {
	refusal := func(reason string) func(error) bool {
		return func(err error) bool {
			var bad *FrameError
			return errors.As(err, &bad) && bad.Reason == reason || err != nil && strings.Contains(err.Error(), "cause:"+reason)
		}
	}
	is := func(target error) func(error) bool { return func(err error) bool { return errors.Is(err, target) } }
	unanswered := func(err error) bool { return err != nil && strings.Contains(err.Error(), "did not answer connect") }
	answer := func(p *peer) { p.expect("connect"); p.say(connectReply) }
	silent, slow, mute := testConfig(), testConfig(), testConfig()
	silent.ConnectTimeout = 50 * time.Millisecond
	slow.FrameTimeout = 100 * time.Millisecond
	mute.ReplyTimeout = 300 * time.Millisecond
	for _, tt := range []struct {
		name string
		cfg  Config
		play func(p *peer)
		want func(error) bool
	}{
		{"silence", silent, func(p *peer) { p.eof() }, unanswered},
		{"half a header", slow, func(p *peer) { p.expect("connect"); p.say("Event-Name: CHAN"); p.eof() }, refusal(frame.ReasonSlow)},
		{"half a body", slow, func(p *peer) { answer(p); p.say("Content-Length: 9\nContent-Type: text/event-json\n\n{"); p.eof() }, refusal(frame.ReasonSlow)},
		{"HTTP", testConfig(), func(p *peer) { p.say("GET / HTTP/1.1\r\nHost: a\r\n\r\n"); p.eof() }, refusal(frame.ReasonNotAFrame)},
		{"TLS", testConfig(), func(p *peer) { p.say("\x16\x03\x01\x02\x00\x01"); p.eof() }, refusal(frame.ReasonNotAFrame)},
		{"closes at once", testConfig(), func(p *peer) { p.Close() }, unanswered},
		{"closes after connect", testConfig(), func(p *peer) { p.expect("connect"); p.Close() }, unanswered},
		{"closes in its answer", testConfig(), func(p *peer) { p.expect("connect"); p.say("Event-Name: C"); p.Close() }, unanswered},
		{"closes before a reply", testConfig(), func(p *peer) { answer(p); p.expect("linger"); p.Close() }, is(ErrPeerClosed)},
		{"closes in a reply", testConfig(), func(p *peer) { answer(p); p.expect("linger"); p.say("Content-Ty"); p.Close() }, is(ErrPeerClosed)},
		{"resets before a reply", testConfig(), func(p *peer) { answer(p); p.expect("linger"); p.Conn.(*net.TCPConn).SetLinger(0); p.Close() }, is(ErrPeerClosed)},
		{"closes after a reply", testConfig(), func(p *peer) { answer(p); p.expect("linger"); p.say(frametest.OKReply); p.Close() }, is(ErrPeerClosed)},
		{"no reply", mute, func(p *peer) { answer(p); p.expect("linger"); p.eof() }, is(ErrReplyTimeout)},
		{"refuses connect", testConfig(), func(p *peer) {
			p.expect("connect")
			p.say("Content-Type: command/reply\nReply-Text: -ERR no\n\n")
			p.eof()
		}, unanswered},
		{"disconnect notice in a command", testConfig(), func(p *peer) {
			answer(p)
			p.expect("linger")
			p.say("Content-Type: text/disconnect-notice\nContent-Length: 3\n\nbye")
			p.eof()
		}, is(ErrPeerClosed)},
		{"two replies to connect", testConfig(), func(p *peer) { p.expect("connect"); p.say(connectReply + connectReply); p.expect("linger"); p.Close() }, is(ErrPeerClosed)},
		{"a reply before its command", mute, func(p *peer) { p.say(frametest.OKReply); p.eof() }, func(err error) bool { return err != nil }},
		{"header without end", testConfig(), func(p *peer) { p.expect("connect"); p.flood("Name: value\n"); p.eof() }, refusal(frame.ReasonHeaderCount)},
		{"line without end", testConfig(), func(p *peer) { p.expect("connect"); p.flood("Namevalue"); p.eof() }, refusal(frame.ReasonHeaderSize)},
		{"blank lines without end", testConfig(), func(p *peer) { p.flood("\n"); p.eof() }, refusal(frame.ReasonBlankLines)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			srv, err := call(t, tt.cfg, tt.play, lingerThenWait(t))
			if !tt.want(err) {
				t.Errorf("ended with %v", err)
			}
			checkOneClose(t, srv, err)
		})
	}
}

// checkOneClose wants one log line and one count for a frame that closed.
func checkOneClose(t *testing.T, srv *server, err error) {
	t.Helper()
	want := 0
	if bad := new(FrameError); errors.As(err, &bad) || strings.Contains(fmt.Sprint(err), "cause:") {
		want = 1
	}
	if got := srv.logs.FilterMessage("event socket closed").Len(); got != want {
		t.Errorf("%d lines of a closed connection, want %d", got, want)
	}
	if got := testutil.CollectAndCount(srv.metrics.closed); got != want {
		t.Errorf("%d reasons counted, want %d", got, want)
	}
}

// flood writes text until the other side closes.
func (p *peer) flood(text string) {
	block := []byte(strings.Repeat(text, 4096/len(text)))
	for {
		if _, err := p.Write(block); err != nil {
			return
		}
	}
}

func TestFiveHundredEventsBeforeAReply(t *testing.T) {
	_, err := call(t, testConfig(), func(p *peer) {
		p.expect("connect")
		p.say(connectReply)
		p.expect("linger")
		p.say(strings.Repeat(frametest.JSON(`{"Event-Name":"X"}`), 500), frametest.OKReply)
		p.Close()
	}, func(ctx context.Context, c *Conn) error {
		if _, err := c.Command(ctx, "linger 5"); err != nil {
			t.Error(err)
		}
		for range 500 {
			if ev := event(t, c); ev.Name() != "X" {
				t.Errorf("event %q", ev.Name())
			}
		}
		return ended(t, c)
	})
	if !errors.Is(err, ErrPeerClosed) {
		t.Error(err)
	}
}

func TestQueueFull(t *testing.T) {
	_, err := call(t, testConfig(), func(p *peer) {
		p.expect("connect")
		p.say(connectReply, strings.Repeat(frametest.JSON(`{"Event-Name":"X"}`), eventQueue+100))
		p.eof()
	}, func(ctx context.Context, c *Conn) error {
		for c.Err() == nil {
			runtime.Gosched()
		}
		got := 0
		for range c.Events() {
			got++
		}
		if got != eventQueue {
			t.Errorf("%d events, want %d", got, eventQueue)
		}
		return c.Err()
	})
	if !errors.Is(err, ErrQueueFull) {
		t.Error(err)
	}
}

func TestErrorReply(t *testing.T) {
	for i := range 40 { // it reaches the command or the pump, by chance
		_, err := call(t, testConfig(), func(p *peer) {
			p.expect("connect")
			p.say(connectReply)
			p.expect("linger 5")
			p.say("Content-Type: command/reply\nReply-Text: -ERR no linger here\n\n")
			p.eof()
		}, lingerThenWait(t))
		var reply *ReplyError
		if !errors.As(err, &reply) || reply.Command != "linger" || reply.Reply != "no linger here" {
			t.Fatalf("%d: %v", i, err)
		}
	}
}

func TestSecondReplyIsDropped(t *testing.T) {
	srv, err := call(t, testConfig(), func(p *peer) {
		p.expect("connect")
		p.say(connectReply, frametest.OKReply, frametest.OKReply, frametest.JSON(`{"Event-Name":"X"}`))
		p.expect("linger")
		p.say("Content-Type: command/reply\nReply-Text: +OK will linger\n\n")
		p.Close()
	}, func(ctx context.Context, c *Conn) error {
		event(t, c) // what came before it has been judged
		if reply, err := c.Command(ctx, "linger 5"); err != nil || reply != "+OK will linger" {
			t.Errorf("reply %q, %v", reply, err)
		}
		return ended(t, c)
	})
	if !errors.Is(err, ErrPeerClosed) {
		t.Error(err)
	}
	if got := testutil.ToFloat64(srv.metrics.dropped.WithLabelValues(fio.DropUnasked)); got != 2 {
		t.Errorf("%v replies dropped", got)
	}
}

func TestReplyOfAnotherJob(t *testing.T) {
	_, err := call(t, testConfig(), func(p *peer) {
		p.expect("connect")
		p.say(connectReply)
		p.expect("bgapi status")
		p.say("Content-Type: command/reply\nReply-Text: +OK Job-UUID: x\nJob-UUID: x\n\n")
		p.eof()
	}, func(ctx context.Context, c *Conn) error {
		_, err := c.BgAPI(ctx, "status")
		return err
	})
	if !errors.Is(err, ErrWrongJob) {
		t.Error(err)
	}
}

func TestContextEndsConnection(t *testing.T) {
	cause := errors.New("enough")
	asked := make(chan struct{})
	_, err := call(t, testConfig(), func(p *peer) {
		p.expect("connect")
		p.say(connectReply)
		p.expect("linger")
		close(asked)
		p.eof()
	}, func(ctx context.Context, c *Conn) error {
		ctx, cancel := context.WithCancelCause(ctx)
		go func() {
			<-asked
			cancel(cause)
		}()
		_, err := c.Command(ctx, "linger 5")
		if again := ended(t, c); !errors.Is(again, cause) {
			t.Errorf("Err: %v", again)
		}
		if _, again := c.Command(t.Context(), "linger 5"); !errors.Is(again, cause) {
			t.Errorf("next command: %v", again)
		}
		return err
	})
	if !errors.Is(err, cause) {
		t.Error(err)
	}
}

func TestContextThatIsOverSendsNothing(t *testing.T) {
	_, err := call(t, testConfig(), func(p *peer) {
		p.expect("connect")
		p.say(connectReply)
		p.expect("exit")
		p.say(frametest.OKReply)
	}, func(ctx context.Context, c *Conn) error {
		over, cancel := context.WithCancel(ctx)
		cancel()
		if _, err := c.Command(over, "linger 5"); !errors.Is(err, context.Canceled) {
			t.Errorf("command: %v", err)
		}
		_, err := c.Command(ctx, "exit")
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
