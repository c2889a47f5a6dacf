package sink

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tapdeck/sink/track"
)

// The silence of a gap counts towards the greatest length: it ends there, what comes after it is
// not recorded, and the recording is full.
func TestGapReachesTheGreatestLength(t *testing.T) {
	away := func(b *testbed, r *Recording, s *socket) *socket {
		s.drop()
		dropped := time.Now()
		awaitGone(b.t, r, 1)
		elapse(5*time.Second - time.Since(dropped))
		return b.connect(r)
	}
	for name, c := range map[string]struct {
		gap  func(b *testbed, r *Recording, s *socket) *socket
		want []track.Gap
	}{
		"stopped": {
			func(b *testbed, r *Recording, s *socket) *socket { return pause(b, r, s, 5060*time.Millisecond) },
			[]track.Gap{{AtMS: 2000, MS: 1000, Reason: track.GapStopped}},
		},
		"held": {
			func(_ *testbed, _ *Recording, s *socket) *socket { elapse(100 * time.Millisecond); return s },
			[]track.Gap{{AtMS: 2000, MS: 1000, Reason: track.GapNoFrames}},
		},
		"dropped": {away, nil}, // nothing came after it
		"dropped, with audio at once": {func(b *testbed, r *Recording, s *socket) *socket {
			s = away(b, r, s)
			s.audio(speech(2, 160))
			return s
		}, []track.Gap{{AtMS: 2000, MS: 1000, Reason: track.GapReconnect}}},
	} {
		t.Run(name, func(t *testing.T) {
			allPaces(t, func(t *testing.T, cfg Config, channels int) {
				cfg.MaxDuration = 3 * time.Second
				b, r, s := heldCall(t, cfg, channels)
				one := say(s, channels, 1, 2*time.Second)
				s = c.gap(b, r, s)
				s.answerClose(t, 1008)
				st := await(t, r, "full", func(st State) bool { return !st.Live })
				wantError(t, st.Err, ErrMaxDuration)
				record := b.finish(r)
				checkGaps(t, record.Sound, c.want...)
				pcm, _ := readWAV(t, b.path(record.WAV))
				if !bytes.HasPrefix(pcm, one) || len(pcm) > 16*3000*channels || record.AudioMS != r.format.Duration(int64(len(pcm)/2/channels)).Milliseconds() {
					t.Errorf("%d bytes, the recording lasts %d ms", len(pcm), record.AudioMS)
				}
			})
		})
	}
}

// A socket that comes after the recording is full is refused for just that.
func TestFullRecordingRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := testConfig(t)
		cfg.MaxDuration = 3 * time.Second
		b, r, s := heldCall(t, cfg, 1)
		say(s, 1, 1, 2*time.Second)
		s = pause(b, r, s, 5*time.Second)
		s.answerClose(t, 1008)
		awaitGone(t, r, 2)
		r.Stopping()
		r.Starting()
		if _, resp := b.request(strings.TrimPrefix(r.URL(), cfg.Advertise)); resp.StatusCode != 503 {
			t.Errorf("another socket: %s", resp.Status)
		}
		refused := b.logs.FilterMessage("stream refused").All()
		if len(refused) != 1 || refused[0].ContextMap()["cause"] != "max_duration" || !strings.Contains(fmt.Sprint(refused[0].ContextMap()["hint"]), "sink.max_duration") {
			t.Errorf("lines: %v", refused)
		}
		if record := b.finish(r); record.AudioMS != 3000 || record.MissingMS != 0 {
			t.Errorf("sound %+v", record.Sound)
		}
	})
}
