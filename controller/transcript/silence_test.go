package transcript

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tapdeck/controller/switchsim/recogniser"
)

// A long text is whole, whatever its script, as long as maxText allows.
func TestLongText(t *testing.T) {
	c := Config{Service: DefaultService(), Key: "a-key-of-the-service", Rate: 8000, Channels: []string{ChannelCaller}}
	s := &Session{config: c, target: c.target(), final: make([]time.Duration, 1), interim: make([]*Segment, 1)}
	conn := newConnection(s, nil)
	text := strings.TrimSpace(strings.Repeat("алло как дела ", 80)) // 2 bytes a letter
	got := conn.segment(answer{news: true, final: true, text: text}).Text
	if got != text {
		t.Errorf("%d bytes of %d: …%q", len(got), len(text), got[len(got)-8:])
	}
}

// Of two channels, results that are cut otherwise after a loss say no word twice.
func TestLostOverlapping(t *testing.T) {
	for after := 2 * time.Second; after < 12*time.Second; after += 700 * ms {
		bubble(t, FormatDeepgram, 2, func(b *testbed) {
			b.server.Final = 2 * time.Second
			b.server.SetFault(1, recogniser.Fault{Reset: true, After: after})
			b.start()
			var caller []recogniser.Spoken
			list := recogniser.Words()
			for i := range 30 {
				caller = append(caller, recogniser.Spoken{At: time.Duration(300+i*300) * ms, Length: 150 * ms, Word: list[i%len(list)]})
			}
			b.ear.Live(recogniser.Interleave(
				said(14*time.Second, caller...),
				recogniser.Say(8000, recogniser.Spoken{At: 1100 * ms, Length: 9 * time.Second, Word: "hello"}, recogniser.Spoken{At: 13800 * ms}),
			))
			b.wait()
			n, want, story := map[string]int{}, map[string]int{}, ""
			for _, s := range b.segments {
				story += fmt.Sprintln(s.Channel, s.From, s.To, s.Text)
				if s.Channel == ChannelCaller {
					for _, w := range strings.Fields(s.Text) {
						n[w]++
					}
				}
			}
			for _, w := range caller {
				want[w.Word]++
			}
			for w, k := range want {
				if n[w] != k {
					t.Errorf("lost after %v: %s: %d times instead of %d\n%s", after, w, n[w], k, story)
					return
				}
			}
		})
	}
}

// Buffers are as full as they can be, in however small pieces the audio comes.
func TestBuffersAreFull(t *testing.T) {
	bubble(t, FormatDeepgram, 1, func(b *testbed) {
		b.server.SetFault(0, recogniser.Fault{Mute: true, NeverFinishes: true})
		b.start()
		b.ear.Live(said(time.Minute))
		synctest.Wait()
		b.session.mu.Lock()
		c := b.session.connection
		b.session.mu.Unlock()
		c.mu.Lock()
		size := 0
		for _, p := range c.pending.list {
			size += cap(p.pcm)
		}
		c.mu.Unlock()
		if most := int(c.config.frames(c.config.Buffer)) * c.config.frameBytes(); size > 2*most {
			t.Errorf("%d bytes are kept for %d bytes of buffer", size, most)
		}
		b.wait()
	})
}

// What is missing is known while the recording goes on.
func TestMissingMeanwhile(t *testing.T) {
	eachFormat(t, 1, func(b *testbed) {
		b.server.SetFault(0, recogniser.Fault{Refuse: 401})
		b.start()
		b.ear.Live(said(30 * time.Second))
		synctest.Wait()
		if s := b.session.State(); s.Missing == 0 {
			t.Errorf("after 30 s that nobody heard: %+v", s)
		}
		b.wait()
	})
}

// A service that says nothing has heard nothing, however orderly it ends: it is not asked again.
func TestMute(t *testing.T) {
	eachFormat(t, 1, func(b *testbed) {
		b.server.SetFault(0, recogniser.Fault{Mute: true})
		b.start()
		b.ear.Live(said(8*time.Second, word(time.Second, "one")))
		state := b.wait()
		if state.Missing != 8*time.Second || !errors.Is(state.Err, errUnanswered) || state.Hint == "" || b.server.Accepted() != 1 {
			b.Errorf("%+v after %d attempts", state, b.server.Accepted())
		}
	})
}

// One of the deepgram wire, too, is lost if it says nothing for more than a minute.
func TestMuteForLong(t *testing.T) {
	bubble(t, FormatDeepgram, 1, func(b *testbed) {
		b.server.SetFault(1, recogniser.Fault{Mute: true})
		b.start()
		b.ear.Live(said(2*time.Minute, word(110*time.Second, "one")))
		state := b.wait()
		if !errors.Is(state.Err, errNoAnswer) || state.Connects != 2 || state.Missing < 30*time.Second || state.Missing > 70*time.Second {
			b.Errorf("%+v", state)
		}
		b.compare(segment(ChannelCaller, 110*time.Second, 110200*ms, "one"))
	})
}

// Words that will not become final any more are taken back.
func TestInterimIsTakenBack(t *testing.T) {
	eachFormat(t, 1, func(b *testbed) {
		b.server.SetFault(1, recogniser.Fault{Reset: true, After: 2 * time.Second})
		for n := range 20 {
			b.server.SetFault(n+2, recogniser.Fault{Refuse: 401})
		}
		b.start()
		b.ear.Live(said(2*time.Second, word(100*ms, "one"), word(400*ms, "two"), word(700*ms, "one"), word(1000*ms, "two"), word(1250*ms, "one"), word(1500*ms, "two"), word(1750*ms, "one")))
		time.Sleep(30 * time.Second)
		b.news()
		b.wait()
		if n := len(b.interim); n > 0 && b.interim[n-1] != "" {
			t.Errorf("%q stays", b.interim[n-1])
		}
	})
}
