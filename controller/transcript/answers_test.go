package transcript

import (
	"fmt"
	"testing"
	"time"

	"tapdeck/controller/dialer"
)

// A flood is read at the rate of what a service says seldom: words cost more than their bytes.
func TestFloodIsReadSlowly(t *testing.T) {
	for name, c := range map[string]struct {
		message     string
		least, most int // in a second
	}{
		"final":   {`{"text":"one %d"}`, 90, 100},
		"interim": {`{"partial":"one %d"}`, 350, 400},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, FormatVosk, 1, func(b *testbed) {
				conn, n := b.connected(), 0
				for began := time.Now(); time.Since(began) < 10*time.Second && n < 20_000; n++ {
					message := fmt.Appendf(nil, c.message, n)
					conn.handle(false, message)
					conn.Spend(dialer.MessageCost(len(message)))
					b.session.News()
				}
				if n < 10*c.least || n > 10*c.most {
					b.Errorf("%d in 10 s, want %d to %d in each", n, c.least, c.most)
				}
			})
		})
	}
}

// Words that may still change are told once as long as they do not.
func TestInterimIsToldOnce(t *testing.T) {
	bubble(t, FormatVosk, 1, func(b *testbed) {
		c := b.connected()
		for i, step := range []struct {
			partial string
			told    bool
		}{{"", false}, {"one", true}, {"one", false}, {"one two", true}, {"one two", false}, {"", true}, {"", false}, {"one", true}} {
			c.handle(false, fmt.Appendf(nil, `{"partial":%q}`, step.partial))
			news := b.session.News()
			if told := len(news) == 1 && news[0].Text == step.partial; told != step.told || len(news) > 1 {
				b.Errorf("%d: %q: %+v", i, step.partial, news)
			}
		}
	})
}

// The last answer is the last, also if something is wrong with it.
func TestWrongLastAnswer(t *testing.T) {
	bubble(t, FormatVosk, 1, func(b *testbed) {
		const message = `{"text":"one","result":[{"word":"one","start":0.3,"end":0.1}]}`
		c := b.connected()
		if c.handle(false, []byte(message)) {
			b.Error("it was not asked for the last words")
		}
		c.wire.finish()
		c.asked = true
		if !c.handle(false, []byte(message)) {
			b.Error("more is waited for")
		}
		if n := b.session.State().WrongMessages; n != 2 {
			b.Errorf("%d wrong messages", n)
		}
	})
}

// A text is one line of valid UTF-8, whatever a service says.
func TestPlainText(t *testing.T) {
	for text, want := range map[string]string{
		"":                        "",
		" one\ttwo\r\n three\x00": "one two three",
		"one \xff\xfe two":        "one \uFFFD two",
		"one\x1b[2J \u0085two":    "one [2J two",
		"алло\u00a0как\xd0":       "алло как\uFFFD",
	} {
		if got := plain(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
