package flow_test

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tapdeck/controller/dialer"
	"tapdeck/controller/flow"
)

// talker is a call that has talked with its bot.
type talker struct {
	flow.Channel
	end    flow.TalkEnd
	err    error
	hungUp bool
}

func (*talker) Reached() {}

func (c *talker) Talk(context.Context, *flow.Agent) (flow.TalkEnd, error) { return c.end, c.err }

func (c *talker) HangUp(string) { c.hungUp = true }

// What becomes of a call after its conversation.
func TestAfterTheConversation(t *testing.T) {
	failure := errors.New("failure")
	for _, c := range []struct {
		onClose flow.Then
		end     flow.TalkEnd
		err     error
		hangsUp bool
	}{
		{flow.ThenHangup, flow.TalkClosed, nil, true},
		{flow.ThenContinue, flow.TalkClosed, nil, false},
		{flow.ThenContinue, flow.TalkBotHangup, nil, false}, // the call knows the cause, and does it,
		{flow.ThenHangup, flow.TalkTime, nil, false},
		{flow.ThenHangup, flow.TalkFailed, nil, false}, // on_failure: continue
		{flow.ThenDialplan, flow.TalkClosed, failure, false},
		{flow.ThenHangup, flow.TalkFailed, failure, false},
		{flow.ThenHangup, flow.TalkHangup, flow.ErrHungUp, false},
	} {
		ch := &talker{end: c.end, err: c.err}
		s := &flow.Agent{Bot: flow.DefaultBot()}
		s.OnClose = c.onClose
		if err := s.Run(t.Context(), ch); !errors.Is(err, c.err) || ch.hungUp != c.hangsUp {
			t.Errorf("%+v: %v, hung up %v", c, err, ch.hungUp)
		}
	}
}

// ws:// is for addresses that nobody on the internet is on the way to.
func TestCheckAddress(t *testing.T) {
	for address, private := range map[string]bool{
		"127.0.0.1": true, "127.9.9.9": true, "::1": true, "10.0.0.1": true, "172.16.0.1": true, "172.31.255.255": true, "192.168.1.1": true,
		"fd00::1": true, "fc00::1": true, "169.254.1.1": true, "fe80::1": true, "100.64.0.1": true, "100.127.255.255": true, "::ffff:10.0.0.1": true, "::ffff:127.0.0.1": true,
		"1.2.3.4": false, "172.32.0.1": false, "172.15.0.1": false, "100.128.0.1": false, "100.63.0.1": false, "2001:db8::1": false, "::ffff:1.2.3.4": false, "0.0.0.0": false, "::": false, "64:ff9b::a00:1": false,
	} {
		addr := netip.MustParseAddr(address)
		plain, secure, insecure := &flow.Bot{URL: "ws://bot"}, &flow.Bot{URL: "wss://bot"}, &flow.Bot{URL: "ws://bot", Insecure: true}
		if err := plain.CheckAddress(addr); (err == nil) != private || err != nil && !strings.Contains(err.Error(), address) && !addr.Is4In6() {
			t.Errorf("%s: %v", address, err)
		}
		if secure.CheckAddress(addr) != nil || insecure.CheckAddress(addr) != nil {
			t.Errorf("%s is refused", address)
		}
	}
}

func TestExpand(t *testing.T) {
	b := &flow.Bot{Parameters: map[string]string{"to": "{destination}", "from": "<{caller}>", "all": "{call}/{plan}@{instance}", "plain": "x"}}
	got := b.Expand(flow.Known{Caller: "{plan}", Destination: "5000", Call: "id", Plan: "bot", Instance: "fs1"})
	want := []flow.Parameter{{Name: "all", Value: "id/bot@fs1"}, {Name: "from", Value: "<{plan}>"}, {Name: "plain", Value: "x"}, {Name: "to", Value: "5000"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A token that was replaced is in effect for the next call, and no error shows one.
func TestTokens(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token")
	write := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	b := &flow.Bot{TokenFile: path, TwilioAuthTokenEnv: "TEST_TWILIO_TOKEN"}
	t.Setenv("TEST_TWILIO_TOKEN", "twilio")
	for _, text := range []string{"first\n", "second"} {
		write(text)
		got, err := b.Tokens()
		if want := (flow.Tokens{Bearer: strings.TrimSpace(text), Twilio: "twilio"}); got != want || err != nil {
			t.Errorf("%+v, %v", got, err)
		}
	}
	for _, text := range []string{"", " \n", "sec ret", "secret\nline", strings.Repeat("s", 4097), "sécret"} {
		write(text)
		var e *dialer.SecretError
		if got, err := b.Tokens(); !errors.As(err, &e) || e.Key != "token_file" || e.Source != path || strings.Contains(err.Error(), "cret") || got.Bearer != "" {
			t.Errorf("%.10q: %v", text, err)
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Tokens(); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	t.Setenv("TEST_TWILIO_TOKEN", "")
	if _, err := b.TwilioToken(); err == nil || !strings.HasPrefix(err.Error(), `twilio_auth_token_env: "TEST_TWILIO_TOKEN": `) {
		t.Errorf("no variable: %v", err)
	}
	if got, err := new(flow.Bot).Tokens(); got != (flow.Tokens{}) || err != nil {
		t.Errorf("none: %v, %v", got, err)
	}
}
