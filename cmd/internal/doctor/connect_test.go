package doctor

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"tapdeck/cmd/internal/apptest"
)

func now() int64 { return time.Now().Unix() }

// through runs the doctor against a peer.
func (l *setup) through(p *peer) *setup {
	p.t = l.t
	l.options.FreeSWITCH = p.serve()
	return l
}

func TestPeer(t *testing.T) {
	newSetup(t).through(&peer{answer: healthyAnswers(t)}).expect()
}

// TestNoEventSocket is about what listens there instead.
func TestNoEventSocket(t *testing.T) {
	always := func(reply string) func(string) string { return func(string) string { return reply } }
	for name, tt := range map[string]struct {
		peer *peer
		want amiss
	}{
		"access list":            {&peer{greet: rejection}, amiss{"event socket", Fail, "refuses this machine's address", "apply-inbound-acl"}},
		"password":               {&peer{answer: always("-ERR invalid")}, amiss{"event socket", Fail, "refuses the password", "event_socket.conf.xml"}},
		"silence":                {&peer{greet: "\n", answer: always(silence)}, amiss{"event socket", Fail, "no answer within 400ms", "listen-port"}},
		"silence after password": {&peer{answer: always(silence)}, amiss{"event socket", Fail, "no answer within 400ms", ""}},
		"silence after login": {&peer{answer: func(c string) string {
			if strings.HasPrefix(c, "auth") {
				return accepted
			}
			return silence
		}}, amiss{"event socket", Fail, "no answer within 400ms", ""}},
		"closes":   {&peer{answer: always(hangUp)}, amiss{"event socket", Fail, "the connection was closed", ""}},
		"SSH":      {&peer{greet: "SSH-2.0-OpenSSH_9.6\r\n", answer: always(silence)}, amiss{"event socket", Fail, "not the event socket's language", "listen-port"}},
		"an echo":  {&peer{answer: func(c string) string { return c + "\n\n" }}, amiss{"event socket", Fail, "event socket's language", ""}},
		"a parrot": {&peer{answer: func(c string) string { return "-ERR " + c }}, amiss{"event socket", Fail, "refuses the password", ""}},
	} {
		t.Run(name, func(t *testing.T) {
			l := newSetup(t).through(tt.peer)
			l.tune = hasty
			l.expect(tt.want)
		})
	}

	l := newSetup(t)
	_ = l.sink.Close()
	l.options.FreeSWITCH = l.sink.Addr().String()
	l.sink = apptest.ListenAnywhere(t)
	l.loaded.Config.Sink.Advertise = "ws://" + l.sink.Addr().String()
	l.expect(amiss{"event socket", Fail, "nothing listens there", "is FreeSWITCH running"})
}

// questions are the API commands of a whole examination, in their order.
func questions(t *testing.T) []string {
	t.Helper()
	p := &peer{answer: healthyAnswers(t)}
	newSetup(t).through(p).expect()
	if len(p.asked()) < 12 {
		t.Fatalf("only %q", p.asked())
	}
	return p.asked()
}

// TestLost ends the conversation at every question: that is told once, with the
// question, and nothing else is.
func TestLost(t *testing.T) {
	all := questions(t)
	for i, question := range all {
		for reply, seen := range map[string]string{hangUp: "the connection was closed", silence: "no answer within 400ms"} {
			t.Run(strings.Trim(reply, "\x00")+" at "+question, func(t *testing.T) {
				t.Parallel()
				answers, asked := healthyAnswers(t), 0
				l := newSetup(t).through(&peer{answer: func(c string) string {
					if strings.HasPrefix(c, "api ") {
						if asked++; asked == i+1 {
							return reply
						}
					}
					return answers(c)
				}})
				l.tune = func(x *examination) {
					if reply == silence {
						x.timeouts.answer = 400 * time.Millisecond
					}
				}
				l.expect(amiss{"event socket", Fail, seen + " when asked \"" + question, "run doctor again"})
			})
		}
	}
}

// TestLostBeforeCall has no call placed when the event socket was lost.
func TestLostBeforeCall(t *testing.T) {
	answers := healthyAnswers(t)
	p := &peer{answer: func(c string) string {
		if c == "api fsctl sps" {
			return hangUp
		}
		return answers(c)
	}}
	l := newSetup(t).through(p)
	l.options.Call = "9999"
	l.expect(amiss{"event socket", Fail, "the connection was closed", ""})
	if last := p.asked()[len(p.asked())-1]; last != "fsctl sps" {
		t.Errorf("asked %q after the end", last)
	}
}

// TestGarbage answers each question with what is no answer: that is never taken
// for a yes or a no.
func TestGarbage(t *testing.T) {
	answers := healthyAnswers(t)
	all := questions(t)
	for _, garbage := range []string{"", "-ERR no reply", "-ERR x Command not found!", "maybe", "\x1b[2J\x00\xff", "+OK x", "+OK " + password, `{"rows":7}`, "-1", strings.Repeat("9", 4000), "<a><b></a>"} {
		for _, question := range all {
			l := newSetup(t).through(&peer{answer: func(c string) string {
				if c == "api "+question {
					return garbage
				}
				return answers(c)
			}})
			healthy, err := l.examine(t.Context())
			if err != nil || !healthy && question != "xml_locate dialplan" {
				t.Errorf("%s: %q: %v, %v:\n%s", question, garbage, healthy, err, l.text())
			}
			unknown := 0
			for _, f := range l.findings {
				if f.Status == Unknown {
					unknown++
				}
				if len(f.Seen) > 1000 || strings.ContainsAny(f.Seen, "\x1b\x00\n") {
					t.Errorf("%s: %q: seen %q", question, garbage, f.Seen)
				}
			}
			sensible := strings.HasPrefix(question, "global_getvar") && !strings.HasPrefix(garbage, "-ERR") && garbage != ""
			if unknown == 0 && !sensible {
				t.Errorf("%s: %q is taken for an answer:\n%s", question, garbage, l.text())
			}
		}
	}
}

func TestContext(t *testing.T) {
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	answers := healthyAnswers(t)
	l := newSetup(t).through(&peer{answer: func(c string) string {
		if strings.HasPrefix(c, "api show") {
			cancel(cause)
			return silence
		}
		return answers(c)
	}})
	healthy, err := l.examine(ctx)
	if healthy || !errors.Is(err, cause) {
		t.Errorf("%v, %v", healthy, err)
	}
	for _, f := range l.findings {
		if f.Status != Pass {
			t.Errorf("finding %+v of what was only cancelled", f)
		}
	}
	ctx, cancel = context.WithCancelCause(t.Context())
	cancel(cause)
	l = newSetup(t)
	if healthy, err = l.examine(ctx); healthy || !errors.Is(err, cause) {
		t.Errorf("%v, %v", healthy, err)
	}
}
