package verify

import (
	"bytes"
	"slices"
	"testing"

	"tapdeck/cmd/internal/callview"
	"tapdeck/sink/track"
)

// The silence of gaps is taken out to the sample, though records have ms; nothing else is.
func TestWithoutGaps(t *testing.T) {
	said := make([]byte, 0, 16000)
	for i := range 8000 {
		v := int16(i*7919%20000 - 10000)
		if i > 3000 && i < 3100 {
			v = 0 // silence of the caller's own
		}
		said = append(said, byte(v), byte(v>>8))
	}
	one, two := make([]byte, 2*1603), make([]byte, 2*2405)
	pcm := slices.Concat(said[:6100], one, said[6100:10000], two, said[10000:])
	record := callview.Record{SampleRate: 8000, Channels: 1}
	record.Gaps = []track.Gap{{AtMS: 381, MS: 200}, {AtMS: 826, MS: 301}}
	if got := WithoutGaps(pcm, said, record); !bytes.Equal(got, said) {
		t.Errorf("%d bytes are not the %d that were said", len(got), len(said))
	}
	pcm[7000]++ // in the silence
	if got := WithoutGaps(pcm, said, record); bytes.Equal(got, said) {
		t.Error("sound in a gap passes")
	}
	if got := WithoutGaps(said[2:], said, record); bytes.Equal(got, said) {
		t.Error("a sample less passes")
	}
	record.Gaps = nil
	if got := WithoutGaps(pcm, said, record); bytes.Equal(got, said) {
		t.Error("silence that is in no record passes")
	}
}
