package esl

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"tapdeck/controller/esl/internal/fio"
	"tapdeck/controller/esl/internal/frame"
	"tapdeck/controller/esl/internal/frametest"
	"tapdeck/controller/switchsim"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

func TestAddressList(t *testing.T) {
	cfg := testConfig()
	cfg.Allow = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
	srv := serve(t, cfg, func(context.Context, *Conn) { t.Error("handled") })
	for range 5 {
		turnedAway(t, srv.addr)
	}
	if got := testutil.ToFloat64(srv.metrics.refused.WithLabelValues(refuseAddress)); got != 5 {
		t.Errorf("%v refused", got)
	}
	if got := srv.logs.FilterMessage("event socket connections refused").FilterField(ratelog(refuseAddress)).Len(); got != 5 {
		t.Errorf("%d lines that are marked for the limiter, want 5", got)
	}
	checkHint(t, srv, "event socket connections refused", "address", "esl.allow")
	srv.Update(testConfig())
	p := dialPeer(t, srv.addr)
	p.expect("connect")
}

// checkHint wants a line with this message, cause and hint.
func checkHint(t *testing.T, srv *server, msg, cause, hint string) {
	t.Helper()
	for _, line := range srv.logs.FilterMessage(msg).All() {
		fields := line.ContextMap()
		if got, _ := fields["cause"].(string); got == cause && strings.Contains(fmt.Sprint(fields["hint"]), hint) {
			return
		}
	}
	t.Errorf("no line %q with cause %q and hint %q in %v", msg, cause, hint, srv.logs.All())
}

func TestAllows(t *testing.T) {
	cfg := Config{Allow: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::ffff:127.0.0.0/104"), netip.MustParsePrefix("fe80::/10")}}
	for addr, want := range map[string]bool{
		"10.1.2.3": true, "::ffff:10.1.2.3": true, "127.0.0.1": true, "::ffff:127.0.0.1": true, "fe80::1%eth0": true,
		"11.0.0.1": false, "::1": false, "::ffff:11.0.0.1": false,
	} {
		if got := cfg.allows(netip.MustParseAddr(addr)); got != want {
			t.Errorf("%s: %v", addr, got)
		}
	}
}

func TestCaps(t *testing.T) {
	cfg := testConfig()
	cfg.MaxConnections, cfg.MaxPending = 3, 2
	srv := serve(t, cfg, func(_ context.Context, c *Conn) { ended(t, c) })
	first, second := dialPeer(t, srv.addr), dialPeer(t, srv.addr)
	first.expect("connect")
	second.expect("connect")
	turnedAway(t, srv.addr)
	for _, p := range []*peer{first, second} {
		p.say(connectReply)
	}
	waitFor(t, func() bool { return srv.pending.Load() == 0 })
	dialPeer(t, srv.addr).expect("connect")
	turnedAway(t, srv.addr)
	for reason, want := range map[string]float64{refusePending: 1, refuseConnections: 1} {
		if got := testutil.ToFloat64(srv.metrics.refused.WithLabelValues(reason)); got != want {
			t.Errorf("%s: %v", reason, got)
		}
	}
	checkHint(t, srv, "event socket connections refused", "too many unanswered", "2 may wait at a time, which no key changes")
	checkHint(t, srv, "event socket connections refused", "too many connections", "3 at a time, esl.max_calls")
	first.Close()
	second.Close()
	waitFor(t, func() bool { return srv.connections.Load() == 1 })
}

// turnedAway is a peer that is not admitted: it is asked to connect, and let go once it has
// answered.
func turnedAway(t *testing.T, addr string) {
	t.Helper()
	p := dialPeer(t, addr)
	p.expect("connect")
	p.say(connectReply)
	p.expect("resume", "sendmsg")
	p.say(frametest.OKReply, frametest.OKReply)
	p.eof()
}

// A caller's user name with line breaks is named as what it is (F97).
func TestCallersOddName(t *testing.T) {
	for _, c := range []struct{ user, line, cause string }{
		{"od\nd", "event socket frames dropped", fio.DropLine},
		{"od\r\n\r\nd", "event socket closed", frame.ReasonNotAFrame},
	} {
		srv := serve(t, testConfig(), func(ctx context.Context, conn *Conn) {
			conn.Command(ctx, "linger 5")
			for ev := range conn.Events() {
				if c.cause == fio.DropLine && ev.ContentType() != "" {
					return
				}
			}
		})
		sw := switchsim.New(switchsim.Config{})
		call, err := sw.Dial(t.Context(), switchsim.CallSpec{Address: srv.addr, Caller: c.user})
		if err != nil {
			t.Fatal(err)
		}
		waitFor(t, func() bool {
			return call.Report().BytesSent > 0 && srv.pending.Load() == 0 && len(call.Report().Commands) > 1
		})
		call.Hangup()
		call.Wait()
		checkHint(t, srv, c.line, c.cause, "user name")
	}
}
