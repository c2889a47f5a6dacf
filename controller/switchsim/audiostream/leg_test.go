package audiostream

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tapdeck/controller/switchsim/audio"
	"tapdeck/controller/switchsim/fault"
)

// bufferOf is a channel with a STREAM_BUFFER_SIZE.
type bufferOf struct {
	nobody
	ms string
}

func (b bufferOf) Variable(name string) string {
	if name == "STREAM_BUFFER_SIZE" {
		return b.ms
	}
	return ""
}

// A stream's frames in six seconds: which are sent, at what rate, and that those are the
// bytes which the report tells of.
func TestLeg(t *testing.T) {
	second := func(from, count int64, rate int) Part { return Part{From: 50 * from, Count: 50 * count, Rate: rate} }
	const s = time.Second
	for name, tc := range map[string]struct {
		leg     Leg
		rate    int
		buffer  string
		want    []Part
		samples int64
	}{
		"plain":                       {Leg{}, 8000, "20", []Part{second(0, 6, 8000)}, 48000},
		"held twice":                  {Leg{Holds: []Hold{{s, 2 * s}, {4 * s, 5 * s}}}, 8000, "20", []Part{second(0, 1, 8000), second(2, 2, 8000), second(5, 1, 8000)}, 32000},
		"to a wideband codec":         {Leg{Codecs: []Codec{{2 * s, 48000}, {3 * s, 8000}}}, 8000, "20", []Part{second(0, 2, 8000), second(2, 1, 48000), second(3, 3, 8000)}, 88000},
		"resampled, to half the rate": {Leg{Codecs: []Codec{{0, 16000}, {5 * s, 8000}}}, 8000, "20", []Part{second(0, 5, 8000), second(5, 1, 4000)}, 44000},
		"resampled, to more":          {Leg{Codecs: []Codec{{2 * s, 48000}}}, 16000, "20", []Part{second(0, 6, 16000)}, 96000},
		"packets of 40 ms":            {Leg{PacketTime: 40 * time.Millisecond}, 8000, "20", []Part{second(0, 6, 8000)}, 48000},
		"packets of 40 ms in 100 ms":  {Leg{PacketTime: 40 * time.Millisecond}, 8000, "100", nil, 0},
		"packets of 40 ms in 80 ms":   {Leg{PacketTime: 40 * time.Millisecond}, 8000, "80", []Part{second(0, 6, 8000)}, 48000},
	} {
		t.Run(name, func(t *testing.T) {
			r := pumped(tc.leg, tc.rate, tc.buffer)
			if diff := cmp.Diff(tc.want, r.Parts); diff != "" || r.Samples != tc.samples {
				t.Errorf("%d samples, want %d; parts (-want +got):\n%s", r.Samples, tc.samples, diff)
			}
			if got := int64(len(r.PCM())); got != 2*r.Samples {
				t.Errorf("%d bytes of PCM for %d samples", got, r.Samples)
			}
		})
	}
	for packet, want := range map[time.Duration]int64{20: 96000, 30: 64000, 40: 48000, 60: 32000} {
		if r := pumped(Leg{PacketTime: packet * time.Millisecond}, 16000, "20"); r.Samples != want {
			t.Errorf("%d samples of packets of %d ms are resampled, want %d", r.Samples, packet, want)
		}
	}
}

// pumped is the report of six seconds of a stream.
func pumped(leg Leg, rate int, buffer string) Report {
	now := time.Now()
	s := New(Options{
		Start: Start{URL: "ws://127.0.0.1/", Mix: "mono", Rate: rate}, Channel: bufferOf{nobody{now}, buffer},
		Voice: audio.ToneVoice(8000, 440, 0.5), Leg: &leg, Faults: &fault.Call{},
	})
	s.open, s.next, s.begin, s.report.first = true, 0, 0, 0
	for range 300 {
		now = now.Add(audio.FrameDuration)
		s.pump(now, false)
	}
	return s.Report()
}
