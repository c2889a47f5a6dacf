package esl

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"tapdeck/controller/switchsim"
)

func TestAddressList(t *testing.T) {
	cfg := testConfig()
	cfg.Allow = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
	srv := serve(t, cfg, func(context.Context, *Conn) { t.Error("handled") })
	for range 5 {
		dialPeer(t, srv.addr).eof()
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
	checkHint(t, srv, "event socket connections refused", "too many unanswered", "esl.max_calls")
	first.Close()
	second.Close()
	waitFor(t, func() bool { return srv.connections.Load() == 1 })
}

// turnedAway is a peer for whom there is no room: it is asked to connect, and
// closed once it has answered.
func turnedAway(t *testing.T, addr string) {
	t.Helper()
	p := dialPeer(t, addr)
	p.expect("connect")
	p.say(connectReply)
	p.eof()
}

// A switch parks a call for ever whose socket closes before connect (F8).
func TestNoRoomSendsTheCallOn(t *testing.T) {
	cfg := testConfig()
	cfg.MaxConnections = 1
	srv := serve(t, cfg, func(_ context.Context, c *Conn) { ended(t, c) })
	dialPeer(t, srv.addr).expect("connect")
	sw := switchsim.New(switchsim.Config{})
	call, err := sw.Dial(t.Context(), switchsim.CallSpec{Address: srv.addr, RingHangup: patience, Then: []switchsim.Action{{Application: "hangup", Data: "USER_BUSY"}}})
	if err != nil {
		t.Fatal(err)
	}
	r := call.Wait()
	if !r.NextAction || r.HangupCause != "USER_BUSY" {
		t.Errorf("next action %v, cause %s", r.NextAction, r.HangupCause)
	}
	sw.Wait()
}
