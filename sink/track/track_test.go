package track

import (
	"bytes"
	"context"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tapdeck/wav"
)

var mono8 = wav.Format{SampleRate: 8000, Channels: 1}

// tone makes so many ms of a mono signal at 8 kHz.
func tone(ms int) []byte {
	pcm := make([]byte, 0, 16*ms)
	for i := range 8 * ms {
		pcm = binary.LittleEndian.AppendUint16(pcm, uint16(int16(8000*math.Sin(float64(i)*0.2))))
	}
	return pcm
}

func newTrack(t *testing.T, format wav.Format) (*Track, *os.File) {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "x.wav"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return New(diskOf(func() (File, error) { return f, nil }, format), format, 24*time.Hour), f
}

// diskOf is a disk that writes at once: tests feed it faster than time passes.
func diskOf(open func() (File, error), format wav.Format) Disk {
	return Disk{
		Open: func() (File, *wav.Writer, error) {
			f, err := open()
			if err != nil {
				return nil, nil, err
			}
			w, err := wav.NewWriter(f, format, format.Frames(time.Hour))
			return f, w, err
		},
		Go: func(write func()) { write() }, Began: func() {}, Wrote: func(time.Duration) {}, Room: NewRoom(1 << 30),
	}
}

// feed gives a track a stretch of audio as it comes: in frames of 20 ms, each when it is over.
func feed(t *testing.T, tr *Track, at time.Time, pcm []byte) time.Time {
	t.Helper()
	for ; len(pcm) > 0; pcm = pcm[320:] {
		at = at.Add(20 * time.Millisecond)
		tr.Empty(at)
		if err := tr.Audio(pcm[:320], at); err != nil {
			t.Fatal(err)
		}
		tr.Message(320)
		tr.EndBatch(at)
	}
	return at
}

// Two sockets become one file: the second one's audio has its place in time, though the first
// of it came in a burst, and is held back until that place is known.
func TestTwoSockets(t *testing.T) {
	tr, f := newTrack(t, mono8)
	began := time.Unix(1000, 0)
	one, two := tone(1000), tone(600)
	tr.Connect(began)
	at := feed(t, tr, began, one)
	if err := tr.Disconnect(at, true); err != nil {
		t.Fatal(err)
	}
	tr.Connect(at.Add(400 * time.Millisecond))
	at = at.Add(500 * time.Millisecond) // 100 ms of audio were queued meanwhile
	if err := tr.Audio(two[:1600], at); err != nil {
		t.Fatal(err)
	}
	if until := tr.HeldUntil(); !until.Equal(at.Add(holdTime)) || tr.written != 8000 {
		t.Errorf("held until %v, %d frames written", until, tr.written)
	}
	at = feed(t, tr, at, two[1600:])
	if err := tr.Disconnect(at, true); err != nil {
		t.Fatal(err)
	}
	if complete, err := tr.Finish([]Mark{{"here", began.Add(1200 * time.Millisecond)}}); !complete || err != nil {
		t.Fatal(complete, err)
	}
	want := Sound{
		AudioMS: 2000, MissingMS: 400, LargestPauseMS: 20, Gaps: []Gap{{AtMS: 1000, MS: 400, Reason: GapReconnect}}, Connections: 2, Bytes: 25600,
		RMSDBFS: tr.Sound().RMSDBFS, PeakDBFS: tr.Sound().PeakDBFS,
	}
	if diff := cmp.Diff(want, tr.Sound()); diff != "" {
		t.Errorf("sound (-want +got):\n%s", diff)
	}
	checkFile(t, tr, f, bytes.Join([][]byte{one, make([]byte, 6400), two}, nil))
}

// The time for which the call has stopped its stream is silence of its own kind, and not missing;
// what was lost before it is. Until audio comes again it is not missing either.
func TestStoppedTime(t *testing.T) {
	tr, _ := newTrack(t, mono8)
	began := time.Unix(1000, 0)
	after := func(ms int) time.Time { return began.Add(time.Duration(ms) * time.Millisecond) }
	check := func(what string, missing int64, gaps ...Gap) {
		t.Helper()
		s := tr.Sound()
		if diff := cmp.Diff(gaps, s.Gaps); diff != "" || s.MissingMS != missing {
			t.Errorf("%s: %d ms are missing, gaps (-want +got):\n%s", what, s.MissingMS, diff)
		}
	}
	tr.Connect(began)
	if err := tr.Disconnect(feed(t, tr, began, tone(1000)), false); err != nil {
		t.Fatal(err)
	}
	tr.CallEnded(after(1500))
	check("lost, then stopped", 500)
	tr.Stopped(Stop{From: after(1500), To: after(4000)})
	tr.CallEnded(after(4300))
	check("no socket since", 800)
	tr.Connect(after(4100))
	check("a socket, and no audio", 700)
	tr.CallEnded(time.Time{})
	if err := tr.Disconnect(feed(t, tr, after(4200), tone(1000)), true); err != nil {
		t.Fatal(err)
	}
	gaps := []Gap{{AtMS: 1000, MS: 500, Reason: GapReconnect}, {AtMS: 1500, MS: 2700, Reason: GapStopped}}
	check("started again", 500, gaps...)
	tr.CallEnded(after(5200))
	tr.Stopped(Stop{From: after(5200), To: after(6000)})
	tr.Connect(after(6000))
	if err := tr.Disconnect(feed(t, tr, after(6000), tone(1000)), true); err != nil {
		t.Fatal(err)
	}
	check("and once more", 500, append(gaps, Gap{AtMS: 5200, MS: 800, Reason: GapStopped})...)
}

// A stop before the recording's first audio is over with that: what a later drop loses is missing.
func TestStoppedBeforeAnyAudio(t *testing.T) {
	tr, _ := newTrack(t, mono8)
	began := time.Unix(1000, 0)
	tr.Connect(began)
	if err := tr.Disconnect(began.Add(time.Second), true); err != nil {
		t.Fatal(err)
	}
	tr.Stopped(Stop{From: began.Add(time.Second), To: began.Add(3 * time.Second)})
	tr.Connect(began.Add(3 * time.Second))
	at := feed(t, tr, began.Add(3*time.Second), tone(1000))
	if err := tr.Disconnect(at, false); err != nil {
		t.Fatal(err)
	}
	tr.Connect(at.Add(500 * time.Millisecond))
	if err := tr.Disconnect(feed(t, tr, at.Add(500*time.Millisecond), tone(1000)), true); err != nil {
		t.Fatal(err)
	}
	s := tr.Sound()
	if diff := cmp.Diff([]Gap{{AtMS: 1000, MS: 500, Reason: GapReconnect}}, s.Gaps); diff != "" || s.MissingMS != 500 {
		t.Errorf("%d ms are missing, gaps (-want +got):\n%s", s.MissingMS, diff)
	}
}

// checkFile compares a finished file's audio with what was sent, and what Measure says of it
// with what the track says.
func checkFile(t *testing.T, tr *Track, f *os.File, want []byte) {
	t.Helper()
	file, err := os.ReadFile(f.Name())
	if err != nil {
		t.Fatal(err)
	}
	h, pcm, err := wav.Parse(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(pcm, want) {
		t.Errorf("%d bytes are not the %d that were sent", len(pcm), len(want))
	}
	if diff := cmp.Diff([]wav.Cue{{Frame: 9600, Label: "here"}}, h.Cues); diff != "" {
		t.Errorf("cues (-want +got):\n%s", diff)
	}
	var s Sound
	sha, err := s.Measure(context.Background(), f, h)
	if err != nil || sha != tr.SHA256() || s.AudioMS != tr.Sound().AudioMS || s.PeakDBFS != tr.Sound().PeakDBFS {
		t.Errorf("measured %+v, %s, %v", s, sha, err)
	}
}

// The levels of a stereo track are of both channels, its silence is of the caller's alone.
func TestLevels(t *testing.T) {
	for name, c := range map[string]struct {
		format      wav.Format
		left, right int16 // magnitude of a square wave
		rms, peak   float64
		silent      bool
	}{
		"nothing":         {mono8, 0, 0, -100, -100, true},
		"the least":       {mono8, 1, 0, -90.31, -90.31, false},
		"full":            {mono8, math.MaxInt16, 0, 0, 0, false},
		"caller":          {wav.Format{SampleRate: 8000, Channels: 2}, 16384, 0, -9.03, -6.02, false},
		"the other party": {wav.Format{SampleRate: 8000, Channels: 2}, 0, 16384, -9.03, -6.02, true},
	} {
		t.Run(name, func(t *testing.T) {
			tr, _ := newTrack(t, c.format)
			now := time.Unix(1000, 0)
			tr.Connect(now)
			var pcm []byte
			for i := range 800 {
				sign := int16(1 - 2*(i%2))
				pcm = binary.LittleEndian.AppendUint16(pcm, uint16(sign*c.left))
				if c.format.Channels == 2 {
					pcm = binary.LittleEndian.AppendUint16(pcm, uint16(sign*c.right))
				}
			}
			if err := tr.Audio(pcm, now); err != nil {
				t.Fatal(err)
			}
			s := tr.Sound()
			if s.RMSDBFS != c.rms || s.PeakDBFS != c.peak || s.DigitalSilence != c.silent {
				t.Errorf("%v, %v, %v", s.RMSDBFS, s.PeakDBFS, s.DigitalSilence)
			}
			if tr.OnlySilence(100*time.Millisecond) != c.silent || tr.OnlySilence(time.Second) {
				t.Error("OnlySilence is wrong")
			}
		})
	}
}

func TestRoundedZeroHasNoSign(t *testing.T) {
	if got := round2(-0.004); math.Signbit(got) || got != 0 {
		t.Errorf("%v", got)
	}
}
