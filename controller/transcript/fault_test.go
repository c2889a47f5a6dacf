package transcript

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tapdeck/controller/internal/dialertest"
	"tapdeck/controller/pcm"
	"tapdeck/controller/switchsim/recogniser"
)

// A service that is slower than the call has what it has time for. What is beyond the bound is missing, and
// counted.
func TestSlow(t *testing.T) {
	bubble(t, FormatVosk, 1, func(b *testbed) {
		b.config.Buffer, b.ear.Most = 10*time.Second, 160_000
		b.server.SetFault(1, recogniser.Fault{BytesPerSecond: 8000}) // half as fast as it is spoken
		b.start()
		b.ear.Live(said(90*time.Second, word(1000*ms, "one"), word(89*time.Second, "stop")))
		state := b.wait()
		b.compare(segment(ChannelCaller, 1000*ms, 1200*ms, "one")) // the other one would be said long after the end
		if least, most := 45*time.Second, 65*time.Second; state.Missing < least || state.Missing > most || state.Connects != 1 || !errors.Is(state.Err, errNoEnd) && !errors.Is(state.Err, errNoAnswer) {
			b.Errorf("%+v", state)
		}
	})
}

// One that takes no byte any more, that answers nothing, or that answers no ping is lost, and dialled again.
func TestHanging(t *testing.T) {
	for name, c := range map[string]struct {
		fault recogniser.Fault
		err   string
		only  string
	}{
		"mute":          {recogniser.Fault{Mute: true}, errNoAnswer.Error(), FormatVosk},
		"no pongs":      {recogniser.Fault{NoPongs: true}, "the service has not answered a ping for 20 s", FormatDeepgram},
		"stops reading": {recogniser.Fault{StopReading: true, After: time.Second}, "the service has read nothing for 5 s", FormatVosk},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, c.only, 1, func(b *testbed) {
				b.server.SetFault(1, c.fault)
				b.start()
				b.ear.Live(said(60*time.Second, word(3*time.Second, "one"), word(50*time.Second, "two")))
				state := b.wait()
				b.compare(segment(ChannelCaller, 3*time.Second, 3200*ms, "one"), segment(ChannelCaller, 50*time.Second, 50200*ms, "two"))
				if state.Err == nil || state.Err.Error() != c.err || state.Connects != 2 || state.Missing != 0 || state.Hint == "" {
					b.Errorf("%+v", state)
				}
			})
		})
	}
}

// The last words are waited for, and no longer than the plan says.
func TestLastWords(t *testing.T) {
	audio := said(6*time.Second, word(3*time.Second, "one"), word(5700*ms, "two"))
	for _, delay := range []time.Duration{time.Second, time.Minute} {
		eachFormat(t, 1, func(b *testbed) {
			b.server.SetFault(1, recogniser.Fault{FinalDelay: delay})
			b.start()
			b.ear.Live(audio)
			ended := time.Now()
			state := b.wait()
			if took := time.Since(ended); took > b.config.FinalTimeout+2*stopTimeout {
				b.Errorf("the end took %v", took)
			}
			if in := delay < b.config.FinalTimeout; in != (state.Missing == 0) || in != (state.Err == nil) || !in && !errors.Is(state.Err, errNoEnd) {
				b.Errorf("after %v: %+v", delay, state)
			}
		})
	}
	eachFormat(t, 1, func(b *testbed) {
		b.server.SetFault(1, recogniser.Fault{NeverFinishes: true})
		b.start()
		b.ear.Live(audio)
		if state := b.wait(); !errors.Is(state.Err, errNoEnd) || b.server.Accepted() != 1 || state.Missing == 0 {
			b.Errorf("%+v after %d attempts", state, b.server.Accepted())
		}
	})
}

// Nonsense is counted and logged, and what is no nonsense is heard.
func TestNonsense(t *testing.T) {
	for _, nonsense := range recogniser.Nonsenses() {
		t.Run(string(nonsense), func(t *testing.T) {
			eachFormat(t, 1, func(b *testbed) {
				b.server.SetFault(1, recogniser.Fault{Nonsense: nonsense, After: 2 * time.Second})
				b.start()
				b.ear.Live(said(6*time.Second, word(500*ms, "one"), word(4000*ms, "two")))
				state := b.wait()
				heard := map[string]bool{}
				for _, s := range b.segments {
					if s.From < 0 || s.To > 7*time.Second || len(s.Text) > maxText || strings.ContainsAny(s.Text, "\n\x00\r\x1b") {
						b.Errorf("%+v", s)
					}
					heard[s.From.Round(40*ms).String()+" "+s.Text] = true
				}
				if nonsense == recogniser.Flood { // which may take the time of all else
					if len(b.segments) > 2000 || state.GivenUp {
						b.Errorf("%d segments, %+v", len(b.segments), state)
					}
					return
				}
				if !heard["520ms one"] || !heard["4s two"] || state.GivenUp || state.Missing != 0 {
					b.Errorf("%v %+v", heard, state)
				}
				if plausible := []recogniser.Nonsense{recogniser.InvalidUTF8, recogniser.Confident, recogniser.ControlCharacters, recogniser.ManyWords, recogniser.NoChannel, recogniser.UnknownType}; state.WrongMessages == 0 && !slices.Contains(plausible, nonsense) && format(b) == FormatDeepgram {
					b.Errorf("nothing was wrong: %+v", state)
				}
			})
		})
	}
}

func format(b *testbed) string { return b.config.Format }

// What floods us is read slowly, and lets the session end.
func TestStop(t *testing.T) {
	for _, after := range []time.Duration{0, 10 * ms, time.Second, 7 * time.Second} {
		for name, fault := range recogniser.Faults() {
			eachFormat(t, 1, func(b *testbed) {
				b.server.SetFault(0, fault)
				b.start()
				go b.ear.Live(said(10 * time.Second))
				time.Sleep(after)
				began := time.Now()
				b.session.Stop()
				if took := time.Since(began); took > stopTimeout {
					b.Errorf("%s after %v: %v", name, after, took)
				}
				select {
				case <-b.session.Done():
				default:
					b.Errorf("%s after %v: not done", name, after)
				}
				time.Sleep(20 * time.Second)
				b.session.Stop()
			})
		}
	}
}

// Bounds of what is kept: a service that answers nothing for good makes nothing grow.
func TestNothingGrows(t *testing.T) {
	bubble(t, FormatDeepgram, 1, func(b *testbed) {
		b.server.SetFault(0, recogniser.Fault{Mute: true, NeverFinishes: true})
		b.start()
		for range 10 {
			b.ear.Live(said(time.Minute))
		}
		synctest.Wait()
		b.session.mu.Lock()
		c := b.session.connection
		b.session.mu.Unlock()
		c.mu.Lock()
		chunks, kept := len(c.pending.list), c.pending.kept
		c.mu.Unlock()
		if most := c.config.frames(c.config.Buffer); kept > most || chunks > 200 {
			b.Errorf("%d chunks, %d frames", chunks, kept)
		}
		if state := b.wait(); state.Missing != 10*time.Minute {
			b.Errorf("%+v", state)
		}
	})
}

// A panic ends this transcription, with a line that has its stack.
func TestPanic(t *testing.T) {
	bubble(t, FormatVosk, 1, func(b *testbed) {
		b.session = start(b.config, panicEar{b.ear}, b.log, nil, b.network.Dial)
		b.ear.Live(said(time.Second))
		b.untilDone()
		if state := b.session.State(); !errors.Is(state.Err, errPanic) || b.logged("transcription panicked") == 0 || state.Connects > 1 {
			b.Errorf("%+v, %d lines", state, b.logged("transcription panicked"))
		}
		b.session.Stop()
	})
}

type panicEar struct{ *dialertest.Ear }

func (panicEar) Read([]byte) (pcm.Sound, error) { panic("the ear") }

// brokenEar has an error of its own.
type brokenEar struct{ *dialertest.Ear }

var errEar = errors.New("the disk is gone")

func (e brokenEar) Read(p []byte) (pcm.Sound, error) {
	s, err := e.Ear.Read(p)
	if errors.Is(err, io.EOF) {
		err = errEar
	}
	return s, err
}

// A recording that can't be read to its end is said to be so.
func TestBrokenEar(t *testing.T) {
	bubble(t, FormatVosk, 1, func(b *testbed) {
		b.session = start(b.config, brokenEar{b.ear}, b.log, nil, b.network.Dial)
		b.ear.Live(said(time.Second))
		if state := b.wait(); !errors.Is(state.Err, errEar) || !state.GivenUp || b.server.Accepted() != 1 {
			b.Errorf("%+v after %d attempts", state, b.server.Accepted())
		}
		b.session.Stop()
	})
}

// A recording that is there already is heard as fast as the service accepts it.
func TestFaster(t *testing.T) {
	for format, most := range map[string]time.Duration{FormatVosk: 2 * time.Second, FormatDeepgram: 80 * time.Second} {
		bubble(t, format, 1, func(b *testbed) {
			b.ear.Add(said(100*time.Second, word(time.Second, "one"), word(99*time.Second, "stop")))
			began := time.Now()
			b.start()
			state := b.wait()
			b.compare(segment(ChannelCaller, time.Second, 1200*ms, "one"), segment(ChannelCaller, 99*time.Second, 99200*ms, "stop"))
			if took := time.Since(began); took > most || format == FormatDeepgram && took < most-5*time.Second || state.Missing != 0 {
				b.Errorf("%v, %+v", took, state)
			}
		})
	}
	bubble(t, FormatDeepgram, 1, func(b *testbed) {
		b.config.Speed = 10
		b.ear.Add(said(100 * time.Second))
		began := time.Now()
		b.start()
		b.wait()
		if took := time.Since(began); took > 11*time.Second || took < 8*time.Second {
			b.Error(took)
		}
	})
}

// A service's own errors are no sign of another wire, however short the request.
func TestReachOwnErrors(t *testing.T) {
	server := &recogniser.Server{Format: recogniser.Deepgram}
	server.SetFault(0, recogniser.Fault{Nonsense: recogniser.OwnError, NeverFinishes: true})
	url, stop := server.Start()
	defer stop()
	c := Config{Service: DefaultService(), Rate: 8000, Channels: []string{ChannelCaller}}
	c.URL, c.FinalTimeout = url, 50*ms
	if _, _, err := Reach(t.Context(), c); !errors.Is(err, errNoEnd) || errors.Is(err, errFormat) {
		t.Error(err)
	}
}

// What the end of ctx cuts short has a hint, too.
func TestReachInVain(t *testing.T) {
	server := &recogniser.Server{Format: recogniser.Vosk}
	server.SetFault(0, recogniser.Fault{NoHandshake: true})
	url, stop := server.Start()
	defer stop()
	c := Config{Service: DefaultService(), Rate: 8000, Channels: []string{ChannelCaller}}
	c.URL, c.Format = url, FormatVosk
	ctx, cancel := context.WithTimeout(context.Background(), 50*ms)
	defer cancel()
	if _, todo, err := Reach(ctx, c); !errors.Is(err, context.DeadlineExceeded) || todo == "" {
		t.Errorf("%v, %q", err, todo)
	}
}

// One short request says whether key and address are good.
func TestReach(t *testing.T) {
	try := func(format, key string, fault recogniser.Fault) (string, error) {
		server := &recogniser.Server{Format: recogniser.Format(format), Key: testKey}
		server.SetFault(0, fault)
		url, stop := server.Start()
		defer stop()
		c := Config{Service: DefaultService(), Key: key, Rate: 8000, Channels: []string{ChannelCaller}}
		c.URL, c.Format, c.FinalTimeout = url, format, time.Second
		_, todo, err := Reach(context.Background(), c)
		return todo, err
	}
	for _, format := range formats {
		if todo, err := try(format, testKey, recogniser.Fault{}); err != nil || todo != "" {
			t.Errorf("%s: %v, %s", format, err, todo)
		}
		if todo, err := try(format, "wrong-key", recogniser.Fault{}); err == nil || !strings.Contains(todo, "key_file") {
			t.Errorf("%s: %v, %s", format, err, todo)
		}
		if todo, err := try(format, testKey, recogniser.Fault{Refuse: 404}); err == nil || !strings.Contains(todo, "path") {
			t.Errorf("%s: %v, %s", format, err, todo)
		}
		if todo, err := try(format, testKey, recogniser.Fault{NeverFinishes: true}); err == nil || todo == "" {
			t.Errorf("%s: %v, %s", format, err, todo)
		}
	}
}

// That request is not tried again.
func TestReachTriesOnce(t *testing.T) {
	server := &recogniser.Server{Format: recogniser.Vosk}
	server.SetFault(1, recogniser.Fault{Refuse: 503})
	url, stop := server.Start()
	defer stop()
	c := Config{Service: DefaultService(), Rate: 8000, Channels: []string{ChannelCaller}}
	c.URL, c.Format = url, FormatVosk
	if _, todo, err := Reach(t.Context(), c); err == nil || todo == "" || server.Accepted() != 1 {
		t.Errorf("%v, %s after %d attempts", err, todo, server.Accepted())
	}
}
