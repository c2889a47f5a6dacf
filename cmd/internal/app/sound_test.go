package app

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	goaudio "github.com/go-audio/wav"
	"github.com/google/go-cmp/cmp"

	"tapdeck/cmd/internal/verify"
	"tapdeck/controller/switchsim"
)

// sound is a WAV file as a reader sees it that is none of ours.
type sound struct {
	rate, channels int
	samples        []int // interleaved
	cues           map[uint32]uint32
}

func readSound(t testing.TB, path string) sound {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	d := goaudio.NewDecoder(f)
	pcm, err := d.FullPCMBuffer()
	if err != nil {
		t.Fatalf("read %s: %v", path, err)
	}
	s := sound{rate: int(d.SampleRate), channels: int(d.NumChans), samples: pcm.Data, cues: map[uint32]uint32{}}
	if d.BitDepth != 16 || d.WavAudioFormat != 1 {
		t.Fatalf("%s: %d bits, format %d", path, d.BitDepth, d.WavAudioFormat)
	}
	d.ReadMetadata()
	if d.Metadata != nil {
		for i, c := range d.Metadata.CuePoints {
			s.cues[uint32(i)] = c.SampleOffset
		}
	}
	return s
}

// bytes are the samples as they stand in the file.
func (s sound) bytes() []byte {
	pcm := make([]byte, 0, 2*len(s.samples))
	for _, v := range s.samples {
		pcm = binary.LittleEndian.AppendUint16(pcm, uint16(int16(v)))
	}
	return pcm
}

// channel is one channel of a stretch of frames.
func (s sound) channel(n, from, to int) []int {
	var list []int
	for i := from; i < min(to, len(s.samples)/s.channels); i++ {
		list = append(list, s.samples[i*s.channels+n])
	}
	return list
}

// share is how much of the energy of samples lies at a frequency in Hz, 0 to 1
// (Goertzel's algorithm).
func share(samples []int, rate int, frequency float64) float64 {
	w := 2 * math.Cos(2*math.Pi*frequency/float64(rate))
	var a, b, energy float64
	for _, v := range samples {
		x := float64(v)
		a, b = x+w*a-b, a
		energy += x * x
	}
	if energy == 0 {
		return 0
	}
	power := a*a + b*b - w*a*b
	return 2 * power / (energy * float64(len(samples)))
}

// hears is the pitch, of those given in Hz, that a stretch of samples consists
// of; 0 is none of them, or silence.
func hears(samples []int, rate int, pitches ...float64) float64 {
	for _, p := range pitches {
		if share(samples, rate, p) > 0.9 {
			return p
		}
	}
	return 0
}

// TestSimultaneousCallsKeepTheirVoices places many calls at once, each with a
// pitch of its own, and reads every file with another's reader.
func TestSimultaneousCallsKeepTheirVoices(t *testing.T) {
	const calls = simultaneousCalls
	s := newTestDaemon(t, shortCalls)
	placed := make([]*switchsim.Call, calls)
	voices := make([]*switchsim.Voice, calls)
	for i := range calls {
		voices[i] = switchsim.ToneVoice(8000, 200+17*i, 0.5)
		placed[i] = s.place(switchsim.CallSpec{
			Caller: fmt.Sprint(1000 + i), Voice: voices[i], Variables: map[string]string{"tapdeck_listen": "1s"},
		})
	}
	for i, call := range placed {
		report := call.Wait()
		if len(report.Streams) != 1 {
			t.Fatalf("call %d had %d streams", i, len(report.Streams))
		}
		stream := report.Streams[0]
		record := s.record(report.UUID)
		got := readSound(t, filepath.Join(s.dir, record.WAV))
		want := voices[i].At(stream.Offset, stream.Samples)
		if record.Result != "completed" || filepath.Base(record.WAV) != report.UUID+".wav" {
			t.Errorf("call %d: result %q in %q, err %q", i, record.Result, record.WAV, record.Err)
		}
		if got.rate != 8000 || got.channels != 1 || !bytes.Equal(verify.WithoutGaps(got.bytes(), want, record), want) {
			t.Errorf("call %d: the WAV holds %d samples at %d Hz that are not the %d that were said", i, len(got.samples), got.rate, stream.Samples)
		}
		if stream.Samples < 7200 || record.Caller != fmt.Sprint(1000+i) {
			t.Errorf("call %d of %q has %d samples of a second", i, record.Caller, stream.Samples)
		}
	}
}

// TestStereoKeepsTheSidesApart listens to a stereo recording at 16 kHz: left is
// the caller alone, right what the switch played, at the time it was played.
func TestStereoKeepsTheSidesApart(t *testing.T) {
	const voice, prompt = 1200, 700
	s := newTestDaemon(t, shortCalls)
	report := s.place(switchsim.CallSpec{
		Voice: switchsim.ToneVoice(16000, voice, 0.5),
		Variables: map[string]string{
			"tapdeck_stream_mix": "stereo", "tapdeck_stream_sample_rate": "16000", "tapdeck_listen": "500ms",
			"tapdeck_prompt": fmt.Sprintf("tone_stream://%%(600,0,%d)", prompt),
		},
	}).Wait()
	record := s.record(report.UUID)
	got := readSound(t, filepath.Join(s.dir, record.WAV))
	if got.rate != 16000 || got.channels != 2 {
		t.Fatalf("%d channels at %d Hz", got.channels, got.rate)
	}
	if !bytes.Equal(got.bytes(), report.Streams[0].PCM()) {
		t.Error("the WAV is not what was streamed")
	}
	const window = 800 // 50 ms
	var left, right []float64
	for at := 0; at+window <= len(got.samples)/2; at += window {
		left = append(left, hears(got.channel(0, at, at+window), got.rate, voice, prompt))
		right = append(right, hears(got.channel(1, at, at+window), got.rate, voice, prompt))
	}
	for i, pitch := range left {
		if pitch != voice {
			t.Errorf("left at %d ms is %v Hz", 50*i, pitch)
		}
	}
	// Windows that hold only a part of the tone may go either way.
	begin, end := int(got.cues[0])/window, int(got.cues[1])/window
	if len(got.cues) != 2 || end-begin < 11 || end-begin > 13 {
		t.Fatalf("cues %v do not mark a prompt of 600 ms", got.cues)
	}
	for i, pitch := range right {
		want := 0.0
		if i > begin && i < end-1 {
			want = prompt
		}
		if pitch != want && (i < begin-1 || i > begin+1) && (i < end-1 || i > end+1) {
			t.Errorf("right at %d ms is %v Hz, not %v; cues at %v", 50*i, pitch, want, got.cues)
		}
	}
}

// TestMixedHoldsBothSides listens to both directions in one channel.
func TestMixedHoldsBothSides(t *testing.T) {
	const voice, prompt = 1200, 700
	s := newTestDaemon(t, shortCalls)
	report := s.place(switchsim.CallSpec{
		Voice: switchsim.ToneVoice(8000, voice, 0.25),
		Variables: map[string]string{
			"tapdeck_stream_mix": "mixed", "tapdeck_listen": "400ms",
			"tapdeck_prompt": fmt.Sprintf("tone_stream://%%(400,0,%d)", prompt),
		},
	}).Wait()
	record := s.record(report.UUID)
	got := readSound(t, filepath.Join(s.dir, record.WAV))
	middle := int(got.cues[0]+got.cues[1]) / 2
	during := got.channel(0, middle-800, middle+800)
	after := got.channel(0, int(got.cues[1])+800, int(got.cues[1])+2400)
	sides := []bool{share(during, 8000, voice) > 0.4, share(during, 8000, prompt) > 0.4, share(after, 8000, voice) > 0.95, share(after, 8000, prompt) > 0.05}
	if diff := cmp.Diff([]bool{true, true, true, false}, sides); diff != "" {
		t.Errorf("voice and prompt during the prompt, voice and prompt after it (-want +got):\n%s", diff)
	}
}
