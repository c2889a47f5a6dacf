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

// The bot's own values say at which addresses it may be reached.
func TestCheckAddress(t *testing.T) {
	for _, c := range []struct {
		bot  flow.Bot
		addr string
		good bool
	}{
		{flow.Bot{URL: "ws://bot"}, "10.0.0.1", true},
		{flow.Bot{URL: "ws://bot"}, "1.2.3.4", false},
		{flow.Bot{URL: "wss://bot"}, "1.2.3.4", true},
		{flow.Bot{URL: "ws://bot", Insecure: true}, "1.2.3.4", true},
	} {
		if err := c.bot.CheckAddress(netip.MustParseAddr(c.addr)); (err == nil) != c.good {
			t.Errorf("%+v at %s: %v", c.bot, c.addr, err)
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

// Each token is read from where its key says, and an error names the key and no token.
func TestTokens(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(path, []byte("bearer\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TEST_TOKEN", "twilio")
	for _, b := range []*flow.Bot{{TokenFile: path, TwilioAuthTokenEnv: "TEST_TOKEN"}, {TokenEnv: "TEST_TOKEN", TwilioAuthTokenFile: path}} {
		want := flow.Tokens{Bearer: "bearer", Twilio: "twilio"}
		if b.TokenEnv != "" {
			want = flow.Tokens{Bearer: "twilio", Twilio: "bearer"}
		}
		got, err := b.Tokens()
		alone, aloneErr := b.TwilioToken()
		if got != want || err != nil || alone != want.Twilio || aloneErr != nil {
			t.Errorf("%+v, %q; %v, %v", got, alone, err, aloneErr)
		}
	}
	_, err := (&flow.Bot{TokenFile: path + "-not", TwilioAuthTokenEnv: "TEST_NO_TOKEN"}).Tokens()
	var e *dialer.SecretError
	if !errors.As(err, &e) || e.Key != "token_file" || !strings.Contains(err.Error(), `twilio_auth_token_env: "TEST_NO_TOKEN": `) {
		t.Errorf("no tokens: %v", err)
	}
	if got, err := new(flow.Bot).Tokens(); got != (flow.Tokens{}) || err != nil {
		t.Errorf("none: %v, %v", got, err)
	}
}
