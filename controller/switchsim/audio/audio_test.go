package audio

import (
	"bytes"
	"encoding/binary"
	"testing"
	"time"
)

// A caller that sends no RTP is 0xFFFF (F48).
func TestNoRTP(t *testing.T) {
	m := Mix{Kind: "mono", Rate: 8000}
	b := make([]byte, m.FrameBytes())
	m.Frame(b, 7)
	if !bytes.Equal(b, bytes.Repeat([]byte{0xff}, 320)) {
		t.Errorf("frame %x", b)
	}
}

func TestStereoSides(t *testing.T) {
	tone, _, ok := Parse("tone_stream://%(40,20,1000)")
	if !ok || tone.Length != 60*time.Millisecond {
		t.Fatalf("tone %+v", tone)
	}
	played := &Playlist{}
	played.Begin("tone", 5, 0, tone)
	m := Mix{Voice: ToneVoice(8000, 440, 0.5), Kind: "stereo", Rate: 8000, Played: played}
	for k, loud := range map[int64]bool{4: false, 5: true, 6: true, 7: false, 8: false} {
		b := make([]byte, m.FrameBytes())
		m.Frame(b, k)
		left, right := false, false
		for i := 0; i < len(b); i += 4 {
			left = left || binary.LittleEndian.Uint16(b[i:]) != 0
			right = right || binary.LittleEndian.Uint16(b[i+2:]) != 0
		}
		if !left || right != loud {
			t.Errorf("frame %d: caller %v, switch %v, want %v", k, left, right, loud)
		}
	}
}

// Callers that share samples say different things.
func TestVoiceFrom(t *testing.T) {
	for _, tc := range []struct {
		voice Voice
		want  []byte
	}{
		{Voice{Rate: 8000, PCM: []int16{1, 2, 3}, Loop: true, From: 2}, []byte{3, 0, 1, 0, 2, 0, 3, 0}},
		{Voice{Rate: 8000, PCM: []int16{1, 2, 3}, From: 2}, []byte{3, 0, 0, 0, 0, 0, 0, 0}},
	} {
		if got := tc.voice.At(0, 4); !bytes.Equal(got, tc.want) {
			t.Errorf("%v, want %v", got, tc.want)
		}
	}
}

func TestSoundAsVoice(t *testing.T) {
	tone, _, _ := Parse("tone_stream://%(200,200,1000)")
	if v := tone.Voice(true); v.sample(1700) != 0 || v.sample(1) == 0 {
		t.Error("the voice is not the tone")
	}
	for name, want := range map[string]bool{"tone_stream://x": false, "silence_stream://x": false, "silence_stream://40": true} {
		if _, isStream, ok := Parse(name); !isStream || ok != want {
			t.Errorf("%s: a stream %v, good %v", name, isStream, ok)
		}
	}
}
