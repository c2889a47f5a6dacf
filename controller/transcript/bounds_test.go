package transcript

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tapdeck/controller/internal/dialertest"
	"tapdeck/controller/pcm"
	"tapdeck/controller/switchsim/recogniser"
)

// The key is in no segment, however a service says it; a short one may be a word.
func TestKeyInSegment(t *testing.T) {
	for key, want := range map[string]string{testKey: "the key is [token] indeed", "secret": "the key is secret indeed"} {
		c := wireConfig(FormatVosk, ChannelCaller)
		c.Key = key
		s := &Session{config: c, target: c.target(), final: make([]time.Duration, 1)}
		got := newConnection(s, nil).segment(answer{text: "the key is " + key + " indeed", words: []timedWord{{"x", 0, 0}}})
		if got.Text != want || (len(got.Words) > 0) != (key == "secret") {
			t.Errorf("%+v", got)
		}
	}
}

// Confidence is between 0 and 1, whatever the service says, and a text has a bound.
func TestSegmentIsBounded(t *testing.T) {
	c := wireConfig(FormatVosk, ChannelCaller)
	conn := newConnection(&Session{config: c, target: c.target(), final: make([]time.Duration, 1)}, nil)
	for said, want := range map[float64]float64{-3: 0, .5: .5, 200: 1} {
		if got := conn.segment(answer{confidence: said}).Confidence; got != want {
			t.Errorf("%v is %v", said, got)
		}
	}
	long := conn.segment(answer{text: strings.Repeat("алло ", 2000)}).Text
	if len(long) > maxText || !strings.HasSuffix(long, "…") || strings.Contains(long, "\uFFFD") {
		t.Errorf("%d bytes: %q", len(long), long[len(long)-20:])
	}
}

// Segments that nobody fetches are bounded, and what is beyond is a wrong message.
func TestNewsAreBounded(t *testing.T) {
	s := &Session{changed: make(chan struct{}, 1), interim: make([]*Segment, 1), final: make([]time.Duration, 1)}
	for i := range maxNews {
		if !s.say(0, Segment{Final: true}) {
			t.Fatalf("no room for %d", i)
		}
	}
	if s.say(0, Segment{Final: true}) {
		t.Error("one more than the bound")
	}
	if n := len(s.News()); n != maxNews {
		t.Errorf("%d segments", n)
	}
}

// Words that may still change are not told behind the final ones that have replaced them.
func TestFinalReplacesInterim(t *testing.T) {
	s := &Session{changed: make(chan struct{}, 1), interim: make([]*Segment, 1), final: make([]time.Duration, 1)}
	s.say(0, Segment{Text: "on"})
	s.say(0, Segment{Text: "one", Final: true})
	if news := s.News(); len(news) != 1 || news[0].Text != "one" {
		t.Errorf("%+v", news)
	}
}

// What is sent again is bounded, the oldest is given up, and the pause before each attempt grows.
func TestSentAgainIsBounded(t *testing.T) {
	s := &source{config: Config{Service: Service{Buffer: time.Second}, Rate: 1000, Channels: []string{ChannelCaller}}}
	var list []chunk
	for i := range 30 {
		list = append(list, chunk{at: time.Duration(i) * 100 * ms, frames: 100, pcm: make([]byte, 200)})
	}
	s.sendAgain(list)
	if len(s.again) != 10 || s.again[0].at != 2*time.Second {
		t.Errorf("%d chunks from %v", len(s.again), s.again[0].at)
	}
}

// A service that speaks another wire is not dialled for ever, and the hint is about transcribe.format.
func TestOtherWire(t *testing.T) {
	bubble(t, FormatDeepgram, 1, func(b *testbed) {
		b.config.Format = FormatVosk // to a service of deepgram's wire
		b.server.Key = ""
		b.start()
		b.ear.Live(said(20*time.Second, word(time.Second, "one")))
		state := b.wait()
		if !state.GivenUp || state.Hint != hintParameters || b.server.Accepted() != 1 {
			b.Errorf("%+v after %d attempts", state, b.server.Accepted())
		}
	})
	bubble(t, FormatVosk, 1, func(b *testbed) {
		b.server.SetFault(0, recogniser.Fault{Nonsense: recogniser.NoFields, Times: -1, NoPongs: true})
		b.start()
		b.ear.Live(said(2 * time.Minute))
		if state := b.wait(); !errors.Is(state.Err, errFormat) || state.Hint != hintFormat || b.server.Accepted() != 2 {
			b.Errorf("%+v after %d attempts", state, b.server.Accepted())
		}
	})
}

// The hint is that also if the one connection lasts until the session is stopped.
func TestOtherWireOnce(t *testing.T) {
	bubble(t, FormatVosk, 1, func(b *testbed) {
		b.server.SetFault(1, recogniser.Fault{Nonsense: recogniser.NoFields, Times: -1, NeverFinishes: true})
		b.start()
		b.ear.Live(said(20 * time.Second))
		b.session.Stop()
		if state := b.wait(); !errors.Is(state.Err, errFormat) || state.Missing != 20*time.Second || b.server.Accepted() != 1 {
			b.Errorf("%+v after %d attempts", state, b.server.Accepted())
		}
	})
}

// A loss that was made good is not why words are missing of a service that is stopped before it has answered.
func TestLateAfterLoss(t *testing.T) {
	eachFormat(t, 1, func(b *testbed) {
		b.server.SetFault(1, recogniser.Fault{Reset: true, After: time.Second})
		b.server.SetFault(2, recogniser.Fault{FinalDelay: time.Minute})
		b.start()
		b.ear.Live(said(6*time.Second, word(3*time.Second, "one")))
		b.session.Stop()
		if state := b.session.State(); state.Connects != 2 || state.Missing == 0 || !errors.Is(state.Err, errNoEnd) || state.Hint != HintLate {
			b.Errorf("%+v", state)
		}
	})
}

// Of a recording that is sent faster than it was spoken as much more waits for an answer.
func TestFastAndLate(t *testing.T) {
	bubble(t, FormatDeepgram, 1, func(b *testbed) {
		b.config.Speed = 20
		b.server.SetFault(0, recogniser.Fault{FinalDelay: 4 * time.Second})
		b.ear.Add(said(5*time.Minute, word(time.Second, "one"), word(290*time.Second, "stop")))
		b.start()
		b.ear.Finish()
		if state := b.wait(); state.Err != nil || state.Missing != 0 || state.Connects != 1 {
			b.Errorf("%+v", state)
		}
	})
}

// A message that is too long ends the connection, and the hint is the bound.
func TestTooLong(t *testing.T) {
	eachFormat(t, 1, func(b *testbed) {
		b.server.SetFault(0, recogniser.Fault{Nonsense: recogniser.Huge, Times: -1, NoPongs: true})
		b.config.Reconnect = 0
		b.start()
		b.ear.Live(said(2 * time.Second))
		if state := b.wait(); !strings.Contains(state.Hint, "1 MiB") {
			b.Errorf("%+v", state)
		}
	})
}

// The service's own errors are of its wire: they don't make it one of another.
func TestErrorsAreOfTheWire(t *testing.T) {
	bubble(t, FormatDeepgram, 1, func(b *testbed) {
		b.server.SetFault(1, recogniser.Fault{Nonsense: recogniser.OwnError, Times: -1, Mute: true, NeverFinishes: true})
		b.start()
		b.ear.Live(said(20 * time.Second))
		if state := b.wait(); errors.Is(state.Err, errFormat) || state.WrongMessages < manyWrong {
			b.Errorf("%+v", state)
		}
	})
}

// The ear is given back, whatever it does.
func TestEarIsClosed(t *testing.T) {
	for name, ear := range map[string]func(*dialertest.Ear) pcm.Ear{
		"good": func(e *dialertest.Ear) pcm.Ear { return e }, "panics": func(e *dialertest.Ear) pcm.Ear { return panicEar{e} },
	} {
		bubble(t, FormatVosk, 1, func(b *testbed) {
			b.session = start(b.config, ear(b.ear), b.log, nil, b.network.Dial)
			b.ear.Live(said(time.Second))
			b.ear.Finish()
			b.untilDone()
			if b.ear.Closed() == 0 {
				b.Errorf("%s: it is open", name)
			}
			b.session.Stop()
		})
	}
}

// Attempts are counted anew after a connection that has lasted.
func TestReconnectIsCountedAnew(t *testing.T) {
	bubble(t, FormatVosk, 1, func(b *testbed) {
		b.config.Reconnect = 2
		b.server.SetFault(0, recogniser.Fault{Reset: true, After: 40 * time.Second})
		b.start()
		for range 6 {
			b.ear.Live(said(time.Minute))
		}
		synctest.Wait()
		if state := b.session.State(); state.GivenUp || state.Connects < 6 {
			b.Errorf("%+v", state)
		}
		b.session.Stop()
	})
}
