package sink

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"

	"tapdeck/sink/track"
	"tapdeck/wav"
)

// A stream without frames on a socket that stays up, as of a call that is held (F49) or a
// stream that is paused (F40). The tests of this file run in fake time.

// allPaces is bothPaces and, beside them, coalesced reads of a call whose audio is read live, which is
// compared to the WAV.
func allPaces(t *testing.T, test func(t *testing.T, cfg Config, channels int)) {
	bothPaces(t, test)
	for channels := 1; channels <= 2; channels++ {
		t.Run(fmt.Sprint("live ", channels), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { test(t, testConfig(t), channels) })
		})
	}
}

// listenLive opens a live tap if the test is of such a call, and compares what it gave at the end.
func listenLive(t *testing.T, b *testbed, r *Recording) {
	if !strings.Contains(t.Name(), "/live ") {
		return
	}
	h := collect(r.Tap(TapOptions{Buffer: 10 * time.Second}))
	t.Cleanup(func() {
		b.finish(r)
		wav, _ := readWAV(t, b.path(r.currentPart().WAV()))
		h.check(t, wav)
	})
}

// bothPaces runs a test with reads that come at once and with coalesced ones, in mono and stereo.
func bothPaces(t *testing.T, test func(t *testing.T, cfg Config, channels int)) {
	for _, interval := range []time.Duration{0, 200 * time.Millisecond} {
		for channels := 1; channels <= 2; channels++ {
			t.Run(fmt.Sprintf("%v %d", interval, channels), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					cfg := testConfig(t)
					cfg.ReadInterval = interval
					test(t, cfg, channels)
				})
			})
		}
	}
}

// heldCall is a call of so many channels whose stream is up.
func heldCall(t *testing.T, cfg Config, channels int) (*testbed, *Recording, *socket) {
	t.Helper()
	b := serve(t, cfg)
	call := testCall(testID)
	call.Channels = channels
	if channels == 2 {
		call.Mix = "stereo"
	}
	r := b.expect(call)
	listenLive(t, b, r)
	return b, r, b.connect(r)
}

// say plays so much speech in frames of 20 ms, one every 20 ms.
func say(s *socket, channels int, seed uint64, d time.Duration) []byte {
	pcm := speech(seed, channels*int(mono8.Frames(d)))
	for at := 0; at < len(pcm); at += 320 * channels {
		elapse(frame)
		s.audio(pcm[at : at+320*channels])
	}
	return pcm
}

func silence(channels int, d time.Duration) []byte {
	return make([]byte, 2*channels*int(mono8.Frames(d)))
}

func checkGaps(t *testing.T, record track.Sound, want ...track.Gap) {
	t.Helper()
	if diff := cmp.Diff(want, record.Gaps); diff != "" {
		t.Errorf("gaps (-want +got):\n%s", diff)
	}
}

// Time without frames becomes silence where it was, and a cue point after it is right.
func TestHoldBecomesSilence(t *testing.T) {
	allPaces(t, func(t *testing.T, cfg Config, channels int) {
		b, r, s := heldCall(t, cfg, channels)
		one := say(s, channels, 1, 3*time.Second)
		for range 3 {
			elapse(time.Second)
			s.ping()
		}
		elapse(230 * time.Millisecond)
		two := say(s, channels, 2, 2*time.Second)
		r.Mark("after")
		three := say(s, channels, 3, time.Second)
		r.Stopping()
		s.hangUp()
		record := b.finish(r)
		checkGaps(t, record.Sound, track.Gap{AtMS: 3000, MS: 3230, Reason: track.GapNoFrames})
		if record.AudioMS != 9230 || record.MissingMS != 3230 || record.LargestPauseMS < 3000 {
			t.Errorf("sound %+v", record.Sound)
		}
		pcm, h := readWAV(t, b.path(record.WAV))
		if !bytes.Equal(pcm, bytes.Join([][]byte{one, silence(channels, 3230*time.Millisecond), two, three}, nil)) {
			t.Error("the WAV is not speech, silence, speech")
		}
		if diff := cmp.Diff([]wav.Cue{{Frame: 8 * 8230, Label: "after"}}, h.Cues); diff != "" {
			t.Errorf("cues (-want +got):\n%s", diff)
		}
	})
}

// A network or a reader that stalls is no hold: what was made meanwhile comes in a burst, at
// once or in several parts.
func TestLateBurstIsNoGap(t *testing.T) {
	for name, parts := range map[string][]int{"at once": {100}, "in parts": {4, 8, 16, 32, 40}} {
		t.Run(name, func(t *testing.T) {
			allPaces(t, func(t *testing.T, cfg Config, channels int) {
				b, r, s := heldCall(t, cfg, channels)
				want := say(s, channels, 1, 3*time.Second)
				const roundTrip = 150 * time.Millisecond
				elapse(2*time.Second - time.Duration(len(parts)-1)*roundTrip)
				for i, n := range parts {
					if i > 0 {
						elapse(roundTrip)
					}
					late := speech(uint64(i), channels*160*n)
					for at := 0; at < len(late); at += 320 * channels {
						s.audio(late[at : at+320*channels])
					}
					want = append(want, late...)
				}
				want = append(want, say(s, channels, 2, 2*time.Second)...)
				r.Stopping()
				s.hangUp()
				record := b.finish(r)
				checkGaps(t, record.Sound)
				if pcm, _ := readWAV(t, b.path(record.WAV)); !bytes.Equal(pcm, want) {
					t.Errorf("%d bytes are in the file, %d were sent", len(pcm), len(want))
				}
				if record.MissingMS != 0 || len(record.Alarms) > 0 {
					t.Errorf("missing %d ms, alarms %v", record.MissingMS, record.Alarms)
				}
			})
		})
	}
}

// A hold, and a burst after it of what a stall held up: only the hold is silence.
func TestHoldThenBurst(t *testing.T) {
	allPaces(t, func(t *testing.T, cfg Config, channels int) {
		b, r, s := heldCall(t, cfg, channels)
		say(s, channels, 1, 2*time.Second)
		elapse(1600 * time.Millisecond) // a hold of 1 s, then 600 ms of audio that come late
		for i := range 30 {
			s.audio(speech(uint64(i), 160*channels))
		}
		say(s, channels, 2, 2*time.Second)
		r.Stopping()
		s.hangUp()
		record := b.finish(r)
		checkGaps(t, record.Sound, track.Gap{AtMS: 2000, MS: 1000, Reason: track.GapNoFrames})
		if record.AudioMS != 5600 {
			t.Errorf("the WAV lasts %d ms, the call 5600", record.AudioMS)
		}
	})
}

// After any number of holds the WAV is as long as the call.
func TestManyHoldsDoNotDrift(t *testing.T) {
	allPaces(t, func(t *testing.T, cfg Config, channels int) {
		b, r, s := heldCall(t, cfg, channels)
		began := time.Now()
		say(s, channels, 1, 2*time.Second)
		const holds = 60
		for i := range holds {
			elapse(time.Duration(207+7*i) * time.Millisecond)
			say(s, channels, uint64(i), time.Duration(300+20*(i%20))*time.Millisecond)
		}
		say(s, channels, 1, time.Second)
		length := time.Since(began)
		r.Stopping()
		s.hangUp()
		record := b.finish(r)
		if d := time.Duration(record.AudioMS)*time.Millisecond - length; d.Abs() > 2*frame {
			t.Errorf("the WAV lasts %d ms, the call %v", record.AudioMS, length)
		}
		if len(record.Gaps) < holds-2 {
			t.Errorf("%d gaps, want %d", len(record.Gaps), holds)
		}
	})
}

// A hold that lasts until the stream is stopped is silence to its end; one that a lost
// network might have made is not: nobody knows.
func TestHoldUntilTheEnd(t *testing.T) {
	allPaces(t, func(t *testing.T, cfg Config, channels int) {
		b, r, s := heldCall(t, cfg, channels)
		say(s, channels, 1, 2*time.Second)
		elapse(1500 * time.Millisecond)
		r.Mark("held")
		elapse(1500 * time.Millisecond)
		r.Stopping()
		s.hangUp()
		record := b.finish(r)
		checkGaps(t, record.Sound, track.Gap{AtMS: 2000, MS: 3000, Reason: track.GapNoFrames})
		if _, h := readWAV(t, b.path(record.WAV)); record.AudioMS != 5000 || record.MissingMS != 3000 || len(h.Cues) != 1 || h.Cues[0].Frame != 8*3500 {
			t.Errorf("sound %+v, cues %v", record.Sound, h.Cues)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		b, r, s := heldCall(t, testConfig(t), 1)
		say(s, 1, 1, 2*time.Second)
		elapse(3 * time.Second)
		s.drop()
		record := b.finish(r)
		checkGaps(t, record.Sound)
		if record.AudioMS != 2000 || record.MissingMS != 3000 {
			t.Errorf("sound %+v", record.Sound)
		}
	})
}

// Messages that are longer than a gap must be are no gaps, and one between two of them is.
func TestHoldWithLongMessages(t *testing.T) {
	allPaces(t, func(t *testing.T, cfg Config, channels int) {
		b, r, s := heldCall(t, cfg, channels)
		second := func(i int) { elapse(time.Second); s.audio(speech(uint64(i), 8000*channels)) }
		for i := range 5 {
			second(i)
		}
		elapse(2 * time.Second)
		for i := range 5 {
			second(i)
		}
		r.Stopping()
		s.hangUp()
		record := b.finish(r)
		checkGaps(t, record.Sound, track.Gap{AtMS: 5000, MS: 2000, Reason: track.GapNoFrames})
		if record.AudioMS != 12000 {
			t.Errorf("the WAV lasts %d ms", record.AudioMS)
		}
	})
}

// The hint for what a hold left out does not blame the network.
func TestHintOfAHold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, r, s := heldCall(t, testConfig(t), 1)
		say(s, 1, 1, 2*time.Second)
		elapse(3 * time.Second)
		say(s, 1, 2, 2*time.Second)
		r.Stopping()
		s.hangUp()
		record := b.finish(r)
		if diff := cmp.Diff([]string{AlarmShort}, record.Alarms); diff != "" {
			t.Errorf("alarms (-want +got):\n%s", diff)
		}
		for _, line := range b.logs.FilterMessage("stream alarm").FilterField(zap.String("cause", AlarmShort)).All() {
			if hint := fmt.Sprint(line.ContextMap()["hint"]); !strings.Contains(hint, "held or paused") || strings.Contains(hint, "network") {
				t.Errorf("hint %q", hint)
			}
		}
	})
}

// What is missing is counted to the call's end, not to the last socket's.
func TestMissingCountsToTheCallsEnd(t *testing.T) {
	for name, stopping := range map[string]bool{"stopped": true, "finished": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b, r, s := heldCall(t, testConfig(t), 1)
				say(s, 1, 1, 3*time.Second)
				s.drop()
				dropped := time.Now()
				awaitGone(t, r, 1)
				elapse(7*time.Second - time.Since(dropped))
				if stopping {
					r.Stopping()
					elapse(2 * time.Second)
				}
				record := b.finish(r)
				if record.MissingMS != 7000 || record.AudioMS != 3000 {
					t.Errorf("sound %+v", record.Sound)
				}
				if diff := cmp.Diff([]string{AlarmShort}, record.Alarms); diff != "" {
					t.Errorf("alarms (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// A Disconnect in a hold keeps the time of what comes after it.
func TestRestartInAHold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, r, s := heldCall(t, testConfig(t), 1)
		say(s, 1, 1, 2*time.Second)
		elapse(time.Second)
		go s.answerClose(t, 1001)
		if err := r.Disconnect(context.Background()); err != nil {
			t.Fatal(err)
		}
		elapse(500*time.Millisecond - lastWait)
		s = b.connect(r)
		say(s, 1, 2, 2*time.Second)
		r.Stopping()
		s.hangUp()
		record := b.finish(r)
		checkGaps(t, record.Sound,
			track.Gap{AtMS: 2000, MS: 1005, Reason: track.GapNoFrames}, track.Gap{AtMS: 3005, MS: 495, Reason: track.GapReconnect})
		if record.AudioMS != 5500 {
			t.Errorf("the WAV lasts %d ms", record.AudioMS)
		}
	})
}
