package sink

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"tapdeck/sink/track"
)

// Streams whose rate is not the recording's, as after a change of the call's codec (F50).

// sayAtRate plays speech of which each frame of 20 ms has so much more audio than it should,
// until the stream is to be started anew or d is over.
func sayAtRate(r *Recording, s *socket, channels int, share float64, d time.Duration) (lasted time.Duration) {
	samples := int(160 * share * float64(channels))
	for i := 0; lasted < d && !r.State().WrongRate; i++ {
		elapse(frame)
		s.audio(speech(uint64(i), samples))
		lasted += frame
		synctest.Wait()
	}
	return lasted
}

// startAnew is what the call does then.
func startAnew(t *testing.T, b *testbed, r *Recording, s *socket) *socket {
	t.Helper()
	s.hangUp()
	if st := await(t, r, "gone", func(st State) bool { return !st.Live }); st.LastEnd != EndWrongRate || st.WrongRate {
		t.Errorf("state %+v", st)
	}
	elapse(3 * frame)
	return b.connect(r)
}

// After a codec change the stream is to be started anew; the stretch is in the record, and does
// not push what comes after it.
func TestCodecChange(t *testing.T) {
	for _, share := range []float64{6, 2, 1.25, 0.5, 1.0 / 6} {
		t.Run(fmt.Sprintf("%.2f", share), func(t *testing.T) {
			allPaces(t, func(t *testing.T, cfg Config, channels int) {
				b, r, s := heldCall(t, cfg, channels)
				began := time.Now()
				say(s, channels, 1, 5500*time.Millisecond)
				wrong := sayAtRate(r, s, channels, share, 10*time.Second)
				if wrong > 4*time.Second {
					t.Errorf("a restart was asked for after %v", wrong)
				}
				s = startAnew(t, b, r, s)
				last := say(s, channels, 2, 3*time.Second)
				length := time.Since(began)
				r.Stopping()
				s.hangUp()
				record := b.finish(r)
				if d := time.Duration(record.AudioMS)*time.Millisecond - length; d.Abs() > 2*frame {
					t.Errorf("the WAV lasts %d ms, the call %v", record.AudioMS, length)
				}
				if pcm, _ := readWAV(t, b.path(record.WAV)); !bytes.HasSuffix(pcm, last) {
					t.Error("what came after it is not at the end")
				}
				checkStretch(t, record.Gaps, share, wrong)
				if long := slices.Contains(record.Alarms, AlarmLong); long != (share > 1) {
					t.Errorf("alarms %v", record.Alarms)
				}
			})
		})
	}
}

// Each further change of the codec starts the stream anew, too, if it had the right rate before.
func TestCodecChangesAgain(t *testing.T) {
	allPaces(t, func(t *testing.T, cfg Config, channels int) {
		b, r, s := heldCall(t, cfg, channels)
		began := time.Now()
		for i, share := range []float64{2, 0.5, 0.5, 2} {
			say(s, channels, 1, 4*time.Second)
			if wrong := sayAtRate(r, s, channels, share, 10*time.Second); wrong > 4*time.Second {
				t.Errorf("change %d, %v: a restart was asked for after %v", i, share, wrong)
			}
			s = startAnew(t, b, r, s)
		}
		last := say(s, channels, 2, 3*time.Second)
		length := time.Since(began)
		r.Stopping()
		s.hangUp()
		record := b.finish(r)
		if d := time.Duration(record.AudioMS)*time.Millisecond - length; d.Abs() > 2*frame {
			t.Errorf("the WAV lasts %d ms, the call %v", record.AudioMS, length)
		}
		if pcm, _ := readWAV(t, b.path(record.WAV)); !bytes.HasSuffix(pcm, last) {
			t.Error("what came after them is not at the end")
		}
	})
}

// checkStretch looks for the stretch of a wrong rate that began after 5.5 s.
func checkStretch(t *testing.T, gaps []track.Gap, share float64, lasted time.Duration) {
	t.Helper()
	at := slices.IndexFunc(gaps, func(g track.Gap) bool { return g.Reason == track.GapWrongRate })
	if at < 0 {
		t.Fatalf("gaps %v", gaps)
	}
	g := gaps[at]
	if share < 1 { // the silence in the place of what did not come
		lasted = time.Duration(float64(lasted) * (1 - share))
		g.AtMS -= lasted.Milliseconds()
	}
	const about = 1100
	if d := g.AtMS - 5500; max(d, -d) > about && share > 1 {
		t.Errorf("it begins at %d ms: %v", g.AtMS, gaps)
	}
	if d := g.MS - lasted.Milliseconds(); max(d, -d) > about {
		t.Errorf("it lasts %d ms, want %v: %v", g.MS, lasted, gaps)
	}
}

// A stream that is wrong from its start is started anew once. If that does not help it is
// recorded as it comes, with an alarm.
func TestWrongFromTheStart(t *testing.T) {
	for _, share := range []float64{2, 0.5} {
		t.Run(fmt.Sprintf("%.1f", share), func(t *testing.T) {
			allPaces(t, func(t *testing.T, cfg Config, channels int) {
				b, r, s := heldCall(t, cfg, channels)
				if lasted := sayAtRate(r, s, channels, share, 6*time.Second); lasted == 6*time.Second {
					t.Error("no restart was asked for")
				}
				s = startAnew(t, b, r, s)
				before := r.State().Audio
				if lasted := sayAtRate(r, s, channels, share, 10*time.Second); lasted < 10*time.Second {
					t.Errorf("a restart was asked for again, after %v", lasted)
				}
				r.Stopping()
				s.hangUp()
				record := b.finish(r)
				if got := r.State().Audio - before; got != time.Duration(share*10)*time.Second {
					t.Errorf("%v of audio came", got)
				}
				want, hint := AlarmLong, "codec changed"
				if share < 1 {
					want, hint = AlarmShort, "ptime"
				} else if record.AudioMS < 20_000 {
					t.Errorf("the WAV lasts %d ms: audio is missing", record.AudioMS)
				}
				if !slices.Equal(record.Alarms, []string{want}) {
					t.Errorf("alarms %v", record.Alarms)
				}
				for _, line := range b.logs.FilterMessage("stream alarm").FilterField(zap.String("cause", want)).All() {
					if got := fmt.Sprint(line.ContextMap()["hint"]); !strings.Contains(got, hint) {
						t.Errorf("hint %q", got)
					}
				}
			})
		})
	}
}

// If nobody starts the stream anew its audio is recorded as it comes.
func TestWrongRateWithoutARestart(t *testing.T) {
	allPaces(t, func(t *testing.T, cfg Config, channels int) {
		b, r, s := heldCall(t, cfg, channels)
		say(s, channels, 1, 3*time.Second)
		sayAtRate(r, s, channels, 2, 10*time.Second)
		for range 1000 {
			elapse(frame)
			s.audio(speech(1, 320*channels))
		}
		if r.State().WrongRate {
			t.Error("a restart is still asked for")
		}
		r.Stopping()
		s.hangUp()
		if record := b.finish(r); record.AudioMS < 35_000 || !slices.Equal(record.Alarms, []string{AlarmLong}) {
			t.Errorf("the WAV lasts %d ms, alarms %v", record.AudioMS, record.Alarms)
		}
	})
}

// Too much audio just before the end does not make the recording longer than the call, if a
// second was enough to see that the rate was right before.
func TestCodecChangeAtTheEnd(t *testing.T) {
	for _, before := range []time.Duration{4 * time.Second, 1500 * time.Millisecond} {
		t.Run(before.String(), func(t *testing.T) {
			allPaces(t, func(t *testing.T, cfg Config, channels int) {
				b, r, s := heldCall(t, cfg, channels)
				say(s, channels, 1, before)
				sayAtRate(r, s, channels, 6, 900*time.Millisecond)
				r.Stopping()
				s.hangUp()
				lasted := before + 900*time.Millisecond
				if record := b.finish(r); record.AudioMS > (lasted + 500*time.Millisecond).Milliseconds() {
					t.Errorf("the WAV lasts %d ms, the call %v", record.AudioMS, lasted)
				}
			})
		})
	}
}
