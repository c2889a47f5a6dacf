package agenttest

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"tapdeck/cmd/internal/finding"
	"tapdeck/controller/agent"
	"tapdeck/controller/switchsim/bot"
)

// patience is far beyond what a good bot needs.
const patience = 20 * time.Second

// examined is how each check came out; the worst, if there were several.
type examined struct {
	status map[string]finding.Status
	text   string
	good   bool
	bot    *bot.Bot
}

// places bounds the conversations that are held at once: they mostly wait, but not only.
var places = make(chan struct{}, 6)

// examine talks with a simulated bot.
func examine(t *testing.T, b bot.Options, change func(o *Options)) examined {
	t.Helper()
	places <- struct{}{}
	defer func() { <-places }()
	server := bot.Start(b)
	t.Cleanup(server.Close)
	x := examined{status: map[string]finding.Status{}, bot: server}
	o := Options{
		URL: server.URL(), Format: agent.FormatTwilio, Rate: 8000, Say: bot.Tone(8000, 440, 2500*time.Millisecond),
		Greeting: 100 * time.Millisecond, Timeout: patience,
		Report: func(f finding.Finding) {
			if x.status[f.Check] != finding.Fail {
				x.status[f.Check] = f.Status
			}
			x.text += string(f.Status) + " " + f.Check + ": " + f.Seen + " → " + f.Todo + "\n"
			if f.Status == finding.Fail && f.Todo == "" {
				t.Errorf("%s says not what to do", f.Check)
			}
		},
	}
	if change != nil {
		change(&o)
	}
	var err error
	if x.good, err = Examine(t.Context(), o); err != nil {
		t.Error(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(x.text)
		}
	})
	return x
}

// check compares the statuses of some checks, "check=status …".
func (x *examined) check(t *testing.T, want string) {
	t.Helper()
	for _, pair := range strings.Fields(want) {
		name, status, _ := strings.Cut(pair, "=")
		if got := x.status[name]; string(got) != status {
			t.Errorf("%s is %q, want %q", name, got, status)
		}
	}
}

// hasty does not wait long for what never comes.
func hasty(o *Options) { o.Timeout = 700 * time.Millisecond }

func TestGoodBot(t *testing.T) {
	t.Parallel()
	for _, format := range []agent.Format{agent.FormatTwilio, agent.FormatPCM} {
		t.Run(string(format), func(t *testing.T) {
			t.Parallel()
			x := examine(t, bot.Options{Format: bot.Format(format), Behaviour: bot.Behaviours()["interrupted"], Token: "t1", TwilioAuthToken: secretOf(format)}, func(o *Options) {
				o.Format, o.Token, o.TwilioAuthToken = format, "t1", secretOf(format)
				o.Parameters = []agent.Parameter{{Name: "a", Value: "b"}}
			})
			x.check(t, "handshake=pass answer=pass media=pass marks=pass barge-in=pass dtmf=pass stop=pass messages=pass")
			if !x.good {
				t.Error("it is not good")
			}
			s := x.bot.Sessions()[0]
			if p := s.Problems(); p != nil {
				t.Errorf("the session's problems: %q", p)
			}
			if m := s.Messages(); !s.Stopped() || s.Call().Parameters["a"] != "b" || len(m) == 0 {
				t.Errorf("%+v", m)
			}
		})
	}
}

func secretOf(f agent.Format) string {
	if f == agent.FormatTwilio {
		return "t2"
	}
	return ""
}

// A bot may ask for the end by a message, where its wire has one.
func TestBotAsksForTheEnd(t *testing.T) {
	t.Parallel()
	x := examine(t, bot.Options{Format: bot.PCM, Behaviour: bot.Behaviours()["hangup"]}, func(o *Options) { o.Format = agent.FormatPCM; hasty(o) })
	x.check(t, "handshake=pass connection=warn")
	if !x.good || !strings.Contains(x.text, "it has asked for a hang-up, NORMAL_CLEARING") {
		t.Error(x.text)
	}
}

// A bot that leaves it to tapdeck to say when the caller speaks is told.
func TestBotThatIsTold(t *testing.T) {
	t.Parallel()
	x := examine(t, bot.Options{Format: bot.PCM, Behaviour: func(s *bot.Session) bot.Hooks {
		var said []byte
		speaking := false
		return bot.Hooks{Heard: func(pcm []byte) {
			if speaking {
				said = append(said, pcm...)
			}
		}, Speech: func(is bool) {
			if speaking = is; is {
				s.Clear()
				return
			}
			s.Play(said)
			s.Mark("echo")
			said = nil
		}}
	}}, func(o *Options) { o.Format = agent.FormatPCM })
	x.check(t, "answer=pass barge-in=pass marks=pass")
}

// A clear while nothing is heard is no interruption.
func TestEarlyClear(t *testing.T) {
	t.Parallel()
	x := examine(t, bot.Options{Behaviour: func(s *bot.Session) bot.Hooks {
		h := bot.Echo(bot.EchoOptions{})(s)
		heard, done := h.Heard, false
		h.Heard = func(pcm []byte) {
			if !done && bot.Loud(pcm) {
				done = true
				s.Clear()
			}
			heard(pcm)
		}
		return h
	}}, nil)
	x.check(t, "answer=pass barge-in=warn")
}

// The conversations of a test are held at once: they mostly wait.
func TestBehaviours(t *testing.T) {
	t.Parallel()
	var all sync.WaitGroup
	defer all.Wait()
	for name, tc := range map[string]struct {
		want   string
		change func(o *Options)
	}{
		"silent":   {"handshake=pass answer=fail dtmf=pass messages=pass", hasty},
		"echo":     {"answer=pass barge-in=warn marks=pass", nil},
		"greeting": {"greeting=pass marks=pass", func(o *Options) { hasty(o); o.Greeting = patience }},
		"barge-in": {"greeting=pass barge-in=pass marks=pass", func(o *Options) { hasty(o); o.Greeting = patience }},
		"talker":   {"greeting=pass marks=unknown", func(o *Options) { hasty(o); o.Greeting = patience }},
		"load":     {"marks=unknown", hasty},
		"digits":   {"dtmf=pass", hasty},
		"hangup":   {"connection=warn", nil},
	} {
		all.Go(func() {
			t.Run(name, func(t *testing.T) {
				x := examine(t, bot.Options{Behaviour: bot.Behaviours()[name]}, tc.change)
				x.check(t, tc.want)
			})
		})
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	var all sync.WaitGroup
	defer all.Wait()
	for name, want := range map[string]string{
		"none":           "handshake=pass answer=pass barge-in=pass",
		"dead":           "handshake=fail",
		"no-handshake":   "handshake=fail",
		"no-websocket":   "handshake=fail",
		"refuse-401":     "handshake=fail",
		"refuse-500":     "handshake=fail",
		"deaf":           "handshake=pass answer=fail stop=fail",
		"slow":           "handshake=pass answer=fail",
		"never-marks":    "answer=pass marks=unknown",
		"never-closes":   "answer=pass stop=fail",
		"flood-media":    "media=fail",
		"flood-marks":    "marks=fail",
		"flood-clears":   "marks=fail",
		"flood-unknown":  "messages=fail",
		"not-json":       "messages=fail",
		"unknown-event":  "messages=fail",
		"bad-base64":     "messages=fail",
		"odd-bytes":      "messages=fail",
		"wrong-stream":   "messages=fail",
		"wrong-types":    "messages=fail",
		"huge":           "messages=fail",
		"close-1000":     "connection=fail answer=unknown",
		"close-1011":     "connection=fail answer=unknown",
		"reset":          "connection=fail answer=unknown",
		"nameless-marks": "messages=pass marks=pass",
	} {
		all.Go(func() {
			t.Run(name, func(t *testing.T) {
				var change func(*Options)
				if strings.Contains(want, "answer=fail") || strings.Contains(want, "handshake=fail") {
					change = hasty
				}
				x := examine(t, bot.Options{Behaviour: bot.Behaviours()["interrupted"], Faults: []bot.Fault{bot.Faults()[name]}}, change)
				x.check(t, want)
				if x.good == strings.Contains(want, "=fail") {
					t.Errorf("good is %v", x.good)
				}
			})
		})
	}
	if len(bot.Faults()) != 25 {
		t.Error("there are other faults than those of this test")
	}
}

// The pcm wire has half samples, which µ-law has not.
func TestHalfSamples(t *testing.T) {
	t.Parallel()
	x := examine(t, bot.Options{Format: bot.PCM, Behaviour: bot.Behaviours()["interrupted"], Faults: []bot.Fault{bot.Faults()["odd-bytes"]}},
		func(o *Options) { o.Format = agent.FormatPCM })
	x.check(t, "messages=fail answer=pass")
	if !strings.Contains(x.text, "half a sample") || !strings.Contains(x.text, "keep an odd byte") {
		t.Error("no such finding")
	}
}

// A bot can write its caller's token anywhere; a finding never has it.
func TestTokensAreHidden(t *testing.T) {
	t.Parallel()
	const token = "s3cret"
	x := examine(t, bot.Options{Behaviour: func(s *bot.Session) bot.Hooks {
		s.Close(4000, token)
		return bot.Hooks{}
	}}, func(o *Options) { o.Token = token; hasty(o) })
	x.check(t, "connection=fail")
	if strings.Contains(x.text, token) {
		t.Error("the token is shown")
	}
}

// An interruption ends the examination wherever it is.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	why := errors.New("simulated")
	for _, at := range []string{"handshake", "greeting"} {
		ctx, cancel := context.WithCancelCause(t.Context())
		server := bot.Start(bot.Options{})
		o := Options{URL: server.URL(), Format: agent.FormatTwilio, Rate: 8000, Say: make([]byte, 16000), Greeting: patience, Timeout: patience}
		o.Report = func(f finding.Finding) {
			if f.Check == at {
				cancel(why)
			}
		}
		o.Progress = func(string) {
			if at == "greeting" {
				cancel(why)
			}
		}
		if _, err := Examine(ctx, o); !errors.Is(err, why) {
			t.Error(err)
		}
		server.Close()
	}
}

// A bot that ends the call is no good one before it has said anything, and a good one afterwards.
func TestBotEndsTheCall(t *testing.T) {
	t.Parallel()
	for spoken, want := range map[time.Duration]string{0: "handshake=pass answer=unknown connection=fail", 200 * time.Millisecond: "greeting=pass connection=warn"} {
		x := examine(t, bot.Options{Behaviour: func(s *bot.Session) bot.Hooks {
			if spoken > 0 {
				s.Play(bot.Tone(8000, 440, spoken))
			}
			s.Close(websocket.StatusNormalClosure, "")
			return bot.Hooks{}
		}}, func(o *Options) { o.Greeting = patience })
		x.check(t, want)
		if x.good != (spoken > 0) {
			t.Errorf("spoken for %v: good is %v", spoken, x.good)
		}
	}
}
