package sink

import (
	"os"
	"testing"
	"testing/synctest"
	"time"

	"tapdeck/sink/store"
)

// A recording's header is the plain one unless the recording can outgrow 4 GiB, and nothing
// follows its audio if cue points are not wanted.
func TestHeaderOfRecording(t *testing.T) {
	for name, tt := range map[string]struct {
		longest   time.Duration
		cuePoints bool
		rate      int
		header    int64
		cues      int
	}{
		"default":            {DefaultConfig().MaxDuration, true, 8000, 44, 1},
		"without cue points": {DefaultConfig().MaxDuration, false, 8000, 44, 0},
		"two days at 8 kHz":  {48 * time.Hour, true, 8000, 44, 1},
		"two days at 16 kHz": {48 * time.Hour, true, 16000, 80, 1},
		"a week":             {168 * time.Hour, false, 8000, 80, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := testConfig(t)
				cfg.MaxDuration, cfg.CuePoints = tt.longest, tt.cuePoints
				b := serve(t, cfg)
				record := b.recordMarked(tt.rate)
				pcm, h := readWAV(t, b.path(record.WAV))
				if h.DataOffset != tt.header || len(h.Cues) != tt.cues || len(pcm) != tt.rate {
					t.Errorf("%d bytes of audio at %d with cues %v, want %d at %d with %d", len(pcm), h.DataOffset, h.Cues, tt.rate, tt.header, tt.cues)
				}
				info, err := os.Stat(b.path(record.WAV))
				if end := tt.header + int64(tt.rate); err != nil || (info.Size() == end) == tt.cuePoints {
					t.Errorf("the file has %d bytes, and its audio ends at %d; %v", info.Size(), end, err)
				}
			})
		})
	}
}

// recordMarked records half a second with a mark in it.
func (b *testbed) recordMarked(rate int) store.Record {
	call := testCall(testID)
	call.SampleRate = rate
	r := b.expect(call)
	s := b.connect(r)
	for i := range 25 {
		elapse(frame)
		s.audio(speech(uint64(i), rate/50))
		if i == 10 {
			r.Mark("here")
		}
	}
	r.Stopping()
	s.hangUp()
	return b.finish(r)
}
