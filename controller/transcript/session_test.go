package transcript

import (
	"slices"
	"strings"
	"testing"
	"time"

	"tapdeck/controller/switchsim/recogniser"
)

func indexOf(text, part string) int { return strings.Index(text, part) }

// said is audio of 8000 Hz with words at their places, and silence to its end.
func said(length time.Duration, words ...recogniser.Spoken) []byte {
	return recogniser.Say(8000, append(words, recogniser.Spoken{At: length - 200*ms})...)
}

func word(at time.Duration, text string) recogniser.Spoken {
	return recogniser.Spoken{At: at, Word: text}
}

func segment(channel string, from, to time.Duration, text string) Segment {
	return Segment{Channel: channel, From: from, To: to, Text: text}
}

var formats = []string{FormatDeepgram, FormatVosk}

func eachFormat(t *testing.T, channels int, test func(b *testbed)) {
	for _, format := range formats {
		t.Run(format, func(t *testing.T) { bubble(t, format, channels, test) })
	}
}

// Words are heard where they were spoken, and all audio is answered.
func TestWords(t *testing.T) {
	eachFormat(t, 1, func(b *testbed) {
		b.start()
		b.ear.Live(said(8*time.Second, word(1000*ms, "one"), word(1400*ms, "two"), word(4000*ms, "three"), word(7400*ms, "stop")))
		state := b.wait()
		b.compare(segment(ChannelCaller, 1000*ms, 1600*ms, "one two"), segment(ChannelCaller, 4000*ms, 4200*ms, "three"), segment(ChannelCaller, 7400*ms, 7600*ms, "stop"))
		if state.Missing != 0 || state.Connects != 1 || state.Err != nil || state.WrongMessages != 0 {
			b.Errorf("%+v", state)
		}
		if b.logged("transcriber connected") != 1 || b.logs.Len() != 1 {
			b.Error(b.logs.All())
		}
	})
}

// Two channels are heard each for itself.
func TestChannels(t *testing.T) {
	bubble(t, FormatDeepgram, 2, func(b *testbed) {
		b.start()
		b.ear.Live(recogniser.Interleave(
			said(6*time.Second, word(1000*ms, "one"), word(3000*ms, "yes")),
			said(6*time.Second, word(1100*ms, "hello"), word(5600*ms, "goodbye")),
		))
		state := b.wait()
		b.compare(segment(ChannelCaller, 1000*ms, 1200*ms, "one"), segment(ChannelCaller, 3000*ms, 3200*ms, "yes"),
			segment(ChannelCallee, 1100*ms, 1300*ms, "hello"), segment(ChannelCallee, 5600*ms, 5800*ms, "goodbye"))
		if state.Missing != 0 {
			b.Errorf("%+v", state)
		}
	})
}

// Words that may still change come before the final ones, if they are asked for.
func TestInterim(t *testing.T) {
	for _, interim := range []bool{true, false} {
		eachFormat(t, 1, func(b *testbed) {
			b.config.Interim = interim
			b.start()
			for range 40 {
				b.ear.Live(said(200*ms, word(0, "one")))
				b.news()
			}
			b.ear.Live(said(time.Second))
			b.wait()
			if slices.Contains(b.interim, "") {
				b.Errorf("words were taken back: %q", b.interim)
			}
			if got := len(b.interim) > 0; got != interim {
				b.Errorf("interim %v: %q", interim, b.interim)
			}
			if len(b.segments) != 1 {
				b.Error(b.segments)
			}
		})
	}
}

// The service's clock is that of what it was sent; segments are on the recording's, whatever gaps it has.
func TestGaps(t *testing.T) {
	eachFormat(t, 1, func(b *testbed) {
		b.start()
		b.ear.Live(said(time.Second, word(300*ms, "one")))
		b.ear.Gap(60*time.Second, false)
		b.ear.Live(said(time.Second, word(300*ms, "two")))
		time.Sleep(30 * time.Second) // the stream is away, which is known only afterwards
		b.ear.Gap(30*time.Second, false)
		b.ear.Live(said(time.Second, word(300*ms, "three")))
		b.ear.Gap(300*ms, false)
		b.ear.Live(said(2*time.Second, word(300*ms, "four")))
		state := b.wait()
		b.compare(segment(ChannelCaller, 300*ms, 500*ms, "one"), segment(ChannelCaller, 61300*ms, 61500*ms, "two"),
			segment(ChannelCaller, 92300*ms, 92500*ms, "three"), segment(ChannelCaller, 93600*ms, 93800*ms, "four"))
		if state.Missing != 0 || state.Connects != 1 {
			b.Errorf("%+v", state)
		}
	})
}

// Words before a pause become final while it lasts, and the connection stays open for hours.
func TestPause(t *testing.T) {
	eachFormat(t, 1, func(b *testbed) {
		b.start()
		b.ear.Live(said(time.Second, word(700*ms, "one")))
		time.Sleep(4 * time.Second)
		b.news()
		b.compare(segment(ChannelCaller, 700*ms, 900*ms, "one"))
		time.Sleep(3 * time.Hour)
		b.ear.Live(said(time.Second, word(500*ms, "two"))) // later than it should be, and no gap
		state := b.wait()
		b.compare(segment(ChannelCaller, 700*ms, 900*ms, "one"), segment(ChannelCaller, 1500*ms, 1700*ms, "two"))
		if state.Missing != 0 || state.Connects != 1 {
			b.Errorf("%+v", state)
		}
	})
}

// What a service that dies has not answered is sent again: no word is lost, and none is said twice.
func TestLost(t *testing.T) {
	for _, after := range []time.Duration{0, 700 * ms, 1200 * ms, 1500 * ms, 3100 * ms, 5 * time.Second} {
		for name, fault := range map[string]recogniser.Fault{
			"reset": {Reset: true, After: after}, "closed": {Close: 1000, After: after, Reason: "enough"}, "error": {Close: 1011, After: after, EchoKey: true},
		} {
			t.Run(name+" "+after.String(), func(t *testing.T) {
				eachFormat(t, 1, func(b *testbed) {
					b.server.SetFault(1, fault)
					b.start()
					b.ear.Live(said(8*time.Second, word(1000*ms, "one"), word(1400*ms, "two"), word(3000*ms, "three"), word(6400*ms, "stop")))
					state := b.wait()
					b.compare(segment(ChannelCaller, 1000*ms, 1600*ms, "one two"), segment(ChannelCaller, 3000*ms, 3200*ms, "three"), segment(ChannelCaller, 6400*ms, 6600*ms, "stop"))
					if state.Missing != 0 || state.Connects != 2 || state.Reconnects != 1 || state.Err == nil || state.Hint == "" || state.GivenUp {
						b.Errorf("%+v", state)
					}
					if b.logged("transcriber lost") != 1 {
						b.Error(b.logs.All())
					}
				})
			})
		}
	}
}

// Of two channels the words that the faster one has said already are not said again.
func TestLostChannels(t *testing.T) {
	bubble(t, FormatDeepgram, 2, func(b *testbed) {
		b.server.SetFault(1, recogniser.Fault{Reset: true, After: 6 * time.Second}) // bytes of two channels
		b.start()
		b.ear.Live(recogniser.Interleave(
			said(8*time.Second, word(1000*ms, "one"), word(2000*ms, "yes"), word(7000*ms, "no")),
			recogniser.Say(8000, recogniser.Spoken{At: 500 * ms, Length: 3 * time.Second, Word: "hello"}, recogniser.Spoken{At: 7800 * ms}),
		))
		state := b.wait()
		b.compare(segment(ChannelCaller, 1000*ms, 1200*ms, "one"), segment(ChannelCaller, 2000*ms, 2200*ms, "yes"), segment(ChannelCaller, 7000*ms, 7200*ms, "no"),
			segment(ChannelCallee, 500*ms, 3500*ms, "hello"))
		if state.Missing != 0 || state.Connects != 2 {
			b.Errorf("%+v", state)
		}
	})
}

// A service that refuses us is not asked again, and each refusal has its hint.
func TestRefused(t *testing.T) {
	for _, c := range []struct {
		status int
		hint   string
	}{{401, "key"}, {403, "key"}, {404, "path"}, {400, "parameters"}, {302, "redirect"}} {
		eachFormat(t, 1, func(b *testbed) {
			b.server.SetFault(0, recogniser.Fault{Refuse: c.status, Location: "/elsewhere", EchoKey: true})
			b.start()
			b.ear.Live(said(5*time.Second, word(1000*ms, "one")))
			state := b.wait()
			if !state.GivenUp || state.Missing != 5*time.Second || state.Connects != 0 || b.server.Accepted() != 1 {
				b.Errorf("%d: %+v after %d attempts", c.status, state, b.server.Accepted())
			}
			if !strings.Contains(state.Hint, c.hint) {
				b.Errorf("%d: %s", c.status, state.Hint)
			}
		})
	}
}

// A wrong key is told from a wrong address.
func TestWrongKey(t *testing.T) {
	eachFormat(t, 1, func(b *testbed) {
		b.config.Key = "another-key-that-is-wrong"
		b.start()
		b.ear.Live(said(time.Second))
		if state := b.wait(); !strings.Contains(state.Hint, "transcribe.key_file") || !state.GivenUp {
			b.Errorf("%+v", state)
		}
	})
}

// One that is away is dialled again as often as the plan says, and what waits meanwhile is not lost if it
// comes back in time.
func TestAway(t *testing.T) {
	for _, refuse := range []int{500, 503, 408, 425, 429} {
		eachFormat(t, 1, func(b *testbed) {
			for n := range 4 {
				b.server.SetFault(n+1, recogniser.Fault{Refuse: refuse})
			}
			b.start()
			b.ear.Live(said(9*time.Second, word(1000*ms, "one"), word(7000*ms, "two")))
			state := b.wait()
			b.compare(segment(ChannelCaller, 1000*ms, 1200*ms, "one"), segment(ChannelCaller, 7000*ms, 7200*ms, "two"))
			if state.Missing != 0 || state.Connects != 1 || state.Reconnects != 0 {
				b.Errorf("%+v", state)
			}
		})
	}
}

func TestAwayForGood(t *testing.T) {
	eachFormat(t, 1, func(b *testbed) {
		b.server.SetFault(0, recogniser.Fault{Refuse: 500})
		b.start()
		b.ear.Live(said(60 * time.Second))
		state := b.wait()
		if !state.GivenUp || state.Missing != time.Minute || b.server.Accepted() != 1+b.config.Reconnect || state.Hint == "" {
			b.Errorf("%+v after %d attempts", state, b.server.Accepted())
		}
	})
}
