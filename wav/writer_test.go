package wav

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	gowav "github.com/go-audio/wav"
	"github.com/google/go-cmp/cmp"
)

// The header byte by byte, for every format that is used.
func TestHeaderBytes(t *testing.T) { eachForm(t, testHeaderBytes) }

func testHeaderBytes(t *testing.T, form form) {
	for _, format := range []Format{mono8, stereo8, {16000, 1}, {16000, 2}, {48000, 3}} {
		t.Run(fmt.Sprint(format), func(t *testing.T) {
			audio := noise(1, 25*format.FrameBytes())
			f := form.recording(t, format, audio)
			le := binary.LittleEndian
			n, frame := uint32(len(audio)), uint32(2*format.Channels)
			var want []byte
			want = append(want, "RIFF"...)
			want = le.AppendUint32(want, uint32(form.header)-8+n)
			want = append(want, "WAVE"...)
			if form == roomy {
				want = append(want, "JUNK"...)
				want = le.AppendUint32(want, 28)
				want = append(want, make([]byte, 28)...)
			}
			want = append(want, "fmt "...)
			want = le.AppendUint32(want, 16)
			want = le.AppendUint16(want, 1)
			want = le.AppendUint16(want, uint16(format.Channels))
			want = le.AppendUint32(want, uint32(format.SampleRate))
			want = le.AppendUint32(want, uint32(format.SampleRate)*frame)
			want = le.AppendUint16(want, uint16(frame))
			want = le.AppendUint16(want, 16)
			want = append(want, "data"...)
			want = le.AppendUint32(want, n)
			want = append(want, audio...)
			if diff := cmp.Diff(want, f.data); diff != "" {
				t.Errorf("file (-want +got):\n%s", diff)
			}
			if at := bytes.Index(f.data, []byte("fmt ")); form == plain && (at != 12 || string(f.data[36:40]) != "data") {
				t.Errorf("fmt at %d, not at 12, or data not at 36", at)
			}
		})
	}
}

// A recording that may reach 4 GiB has room for its size; that depends on frames, not on time.
func TestHeaderRoom(t *testing.T) {
	for _, tc := range []struct {
		format Format
		frames int64
		header int64
	}{
		{mono8, 1, plainBytes},
		{mono8, mono8.Frames(4 * time.Hour), plainBytes},
		{Format{16000, 2}, Format{16000, 2}.Frames(4 * time.Hour), plainBytes},
		{mono8, 1<<31 - 40_000, plainBytes},
		{mono8, 1 << 31, roomBytes},
		{stereo8, 1<<30 - 1, roomBytes}, // with its cues
		{mono8, mono8.Frames(168 * time.Hour), roomBytes},
		{mono8, 0, roomBytes},
	} {
		f := newMemFile(nil)
		_, err := NewWriter(f, tc.format, tc.frames)
		noErr(t, err)
		if h, err := ReadHeader(f, f.size()); err != nil || h.DataOffset != tc.header || f.size() != tc.header {
			t.Errorf("%v, %d frames: %+v, %v; want audio at %d", tc.format, tc.frames, h, err, tc.header)
		}
	}
}

// An independent reader finds rate, channels, samples and cues.
func TestReadByGoAudio(t *testing.T) {
	for _, tc := range []struct {
		format Format
		frames int
	}{{mono8, 0}, {mono8, 1}, {mono8, 120_001}, {stereo8, 40_000}, {Format{16000, 1}, 16_000}, {Format{16000, 2}, 333}} {
		t.Run(fmt.Sprintf("%v/%d", tc.format, tc.frames), func(t *testing.T) {
			audio := noise(2, tc.frames*tc.format.FrameBytes())
			f := plain.recording(t, tc.format, audio, Cue{Frame: int64(tc.frames / 2), Label: "half"})
			d := gowav.NewDecoder(bytes.NewReader(f.data))
			buf, err := d.FullPCMBuffer()
			noErr(t, err)
			got := make([]byte, 0, len(audio))
			for _, s := range buf.Data {
				got = binary.LittleEndian.AppendUint16(got, uint16(int16(s)))
			}
			if !bytes.Equal(got, audio) {
				t.Errorf("go-audio reads %d bytes of other audio, want %d", len(got), len(audio))
			}
			said := Format{SampleRate: int(d.SampleRate), Channels: int(d.NumChans)}
			if said != tc.format || d.BitDepth != 16 || d.WavAudioFormat != 1 {
				t.Errorf("go-audio reads %v, %d bits, tag %d", said, d.BitDepth, d.WavAudioFormat)
			}
		})
	}
}

func TestCuesByGoAudio(t *testing.T) {
	f := plain.recording(t, mono8, noise(3, 16000), Cue{4000, "prompt end"}, Cue{1, "prompt start"}, Cue{90_000, "late"}, Cue{-5, "early"})
	d := gowav.NewDecoder(bytes.NewReader(f.data))
	d.ReadMetadata()
	noErr(t, d.Err())
	var got []uint32
	for _, c := range d.Metadata.CuePoints {
		got = append(got, c.SampleOffset)
	}
	if diff := cmp.Diff([]uint32{0, 1, 4000, 8000}, got); diff != "" {
		t.Errorf("cue points (-want +got):\n%s", diff)
	}
	h, err := ReadHeader(f, f.size())
	noErr(t, err)
	want := []Cue{{0, "early"}, {1, "prompt start"}, {4000, "prompt end"}, {8000, "late"}}
	if diff := cmp.Diff(want, h.Cues); diff != "" {
		t.Errorf("cues (-want +got):\n%s", diff)
	}
	if riff := int64(binary.LittleEndian.Uint32(f.data[4:])) + 8; riff != f.size() {
		t.Errorf("RIFF ends at %d of %d bytes", riff, f.size())
	}
}

func TestCueLabels(t *testing.T) {
	long := string(bytes.Repeat([]byte("é"), 200))
	f := newMemFile(nil)
	w := newWriter(t, f, mono8)
	for range 2 * maxCues {
		w.CueAt(0, long)
	}
	w.cues[0].Label, w.cues[1].Label = cleanLabel("a\x00b\nc"), cleanLabel("\xff")
	noErr(t, w.Finish())
	if tail := f.size() - plainBytes; tail > cueTailBytes {
		t.Errorf("cues take %d bytes, more than the %d that Repair looks at", tail, cueTailBytes)
	}
	h, err := ReadHeader(f, f.size())
	noErr(t, err)
	if len(h.Cues) != maxCues || h.Cues[0].Label != "abc" || h.Cues[1].Label != "?" || h.Cues[2].Label != long[:maxLabel] {
		t.Errorf("%d cues: %+v", len(h.Cues), h.Cues[:3])
	}
}

// Whole frames go to the file, whatever the split; the rest is never counted.
func TestWriteSplits(t *testing.T) {
	audio := noise(4, 100_003)
	for _, format := range []Format{mono8, stereo8, {8000, 3}} {
		for _, split := range []int{1, 2, 3, 7, 320, 321, bufferBytes - 1, bufferBytes, bufferBytes + 1, len(audio)} {
			f := newMemFile(nil)
			w := newWriter(t, f, format)
			for at := 0; at < len(audio); at += split {
				write(t, w, audio[at:min(at+split, len(audio))])
			}
			whole := audio[:format.whole(int64(len(audio)))]
			if w.Frames() != int64(len(whole)/format.FrameBytes()) || w.Sum() != sha256.Sum256(whole) {
				t.Errorf("%v by %d: %d frames, or another sum", format, split, w.Frames())
			}
			noErr(t, w.Finish())
			if !bytes.Equal(pcm(t, f), whole) || f.size() != plainBytes+int64(len(whole)) {
				t.Errorf("%v by %d: the file holds something else", format, split)
			}
			if w.Sum() != sha256.Sum256(whole) {
				t.Errorf("%v by %d: another sum after Finish", format, split)
			}
		}
	}
}

// After every Flush the file is playable to its last whole frame.
func TestFlushPlayable(t *testing.T) {
	f := newMemFile(nil)
	w := newWriter(t, f, stereo8)
	if got := pcm(t, f); len(got) != 0 {
		t.Errorf("a new file has %d bytes of audio", len(got))
	}
	audio := noise(5, 70_000)
	for at := 0; at < len(audio); at += 777 {
		write(t, w, audio[at:min(at+777, len(audio))])
		noErr(t, w.Flush())
		want := audio[:stereo8.whole(int64(min(at+777, len(audio))))]
		if !bytes.Equal(pcm(t, f), want) || f.size() != plainBytes+int64(len(want)) {
			t.Fatalf("after %d bytes the file holds something else", at+777)
		}
	}
}

// A Flush is one write and one pwrite; one without news is neither.
func TestFlushCost(t *testing.T) {
	f := newMemFile(nil)
	w := newWriter(t, f, mono8)
	write(t, w, noise(6, 321))
	noErr(t, w.Flush())
	noErr(t, w.Flush())
	write(t, w, []byte{1}) // completes the frame
	noErr(t, w.Flush())
	if f.writes != 1+2 || f.pwrite != 2 {
		t.Errorf("%d writes, %d pwrites; want the header's and 2, 2", f.writes, f.pwrite)
	}
}

func TestWriteSilence(t *testing.T) {
	f := newMemFile(nil)
	w := newWriter(t, f, stereo8)
	noErr(t, w.WriteSilence(0))
	write(t, w, []byte{1, 2, 3, 4, 5})
	noErr(t, w.WriteSilence(0))
	write(t, w, []byte{6, 7, 8, 9})
	noErr(t, w.WriteSilence(-3))
	noErr(t, w.WriteSilence(20_000))
	write(t, w, []byte{1, 1, 1, 1, 1})
	want := []byte{1, 2, 3, 4, 5, 0, 0, 0, 6, 7, 8, 9}
	want = append(append(want, make([]byte, 80_000)...), 1, 1, 1, 1)
	if w.Frames() != int64(len(want)/4) || w.Sum() != sha256.Sum256(want) {
		t.Errorf("%d frames, want %d; or another sum", w.Frames(), len(want)/4)
	}
	noErr(t, w.Finish())
	if !bytes.Equal(pcm(t, f), want) {
		t.Error("the file holds something else")
	}
}

func TestFinished(t *testing.T) {
	f := newMemFile(nil)
	w := newWriter(t, f, mono8)
	write(t, w, []byte{1, 2, 3})
	noErr(t, w.Finish())
	before := bytes.Clone(f.data)
	_, err := w.Write([]byte{4})
	for _, err := range []error{err, w.Flush(), w.WriteSilence(1), w.Finish()} {
		if !errors.Is(err, ErrFinished) {
			t.Errorf("after Finish: %v", err)
		}
	}
	if w.Frames() != 1 || f.syncs != 1 || !bytes.Equal(before, f.data) {
		t.Errorf("%d frames, %d syncs, or the file has changed", w.Frames(), f.syncs)
	}
}

func TestFormat(t *testing.T) {
	for _, f := range []Format{{}, {8000, 0}, {999, 1}, {8000, 9}, {384001, 1}, {-8000, -1}} {
		if _, err := NewWriter(newMemFile(nil), f, 0); !errors.As(err, new(*FieldError)) {
			t.Errorf("NewWriter(%v) = %v", f, err)
		}
	}
	want := "check format: sample rate 0: must be 1000 to 384000 Hz\nchannels 0: must be 1 to 8"
	if _, err := NewWriter(newMemFile(nil), Format{}, 0); err == nil || err.Error() != want {
		t.Errorf("error %q, want %q", err, want)
	}
	const year = 365 * 24 * time.Hour
	for _, d := range []time.Duration{0, 125 * time.Microsecond, 20 * time.Millisecond, time.Hour, 200 * year} {
		if got := mono8.Duration(mono8.Frames(d)); got != d {
			t.Errorf("%v becomes %v", d, got)
		}
	}
	if n := mono8.Frames(124 * time.Microsecond); n != 0 {
		t.Errorf("%d frames in less than one", n)
	}
}

// Write doesn't allocate, and neither does Flush.
func TestWriteAllocs(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "a.wav"))
	noErr(t, err)
	defer f.Close()
	w := newWriter(t, f, mono8)
	frame := noise(7, 320)
	allocs := testing.AllocsPerRun(1000, func() {
		_, err = w.Write(frame[:161])
		err = errors.Join(err, w.WriteSilence(7), w.Flush())
	})
	noErr(t, err)
	if allocs != 0 {
		t.Errorf("%v allocations per Write, WriteSilence and Flush", allocs)
	}
	if w.buf != nil {
		t.Errorf("a Writer that has flushed keeps a buffer of %d bytes", len(w.buf))
	}
}

// Past 4 GiB the JUNK chunk becomes ds64, and the file RF64. The file is sparse.
func TestLarge(t *testing.T) {
	const limit = int64(1) << 32
	for _, tc := range []struct {
		name string
		data int64
		rf64 bool
	}{{"below", limit - 80, false}, {"above", limit, true}, {"far above", 5 << 30, true}} {
		t.Run(tc.name, func(t *testing.T) {
			f, err := os.Create(filepath.Join(t.TempDir(), "large.wav"))
			noErr(t, err)
			defer f.Close()
			w := roomy.writer(t, f, mono8)
			end, audio := noise(8, 4000), tc.data-4000
			_, err = f.Seek(roomBytes+audio, io.SeekStart)
			noErr(t, err)
			w.bytes = audio // as if it had been written
			write(t, w, end)
			noErr(t, w.Flush())
			checkLarge(t, f, tc.data, tc.rf64, nil)
			w.CueAt(70_000, "prompt end")
			noErr(t, w.Finish())
			checkLarge(t, f, tc.data, tc.rf64 || tc.data+roomBytes+60 > limit, []Cue{{70_000, "prompt end"}})
		})
	}
}

// A recording whose header has no room for more than 4 GiB ends before, with all that it has
// accepted, and its cues.
func TestPlainFull(t *testing.T) {
	for _, format := range []Format{mono8, {8000, 3}} {
		f, err := os.Create(filepath.Join(t.TempDir(), "full.wav"))
		noErr(t, err)
		defer f.Close()
		w := newWriter(t, f, format)
		most := format.whole(maxPlainAudio)
		_, err = f.Seek(plainBytes+most-6000, io.SeekStart)
		noErr(t, err)
		w.bytes = most - 6000 // as if it had been written
		audio := noise(8, 6001)
		write(t, w, audio[:4001])
		if n, err := w.Write(audio[4001:]); n != 1999 || !errors.Is(err, ErrTooLarge) {
			t.Errorf("%v: Write = %d, %v", format, n, err)
		}
		if n, err := w.Write(audio); n != 0 || !errors.Is(err, ErrTooLarge) {
			t.Errorf("%v: second Write = %d, %v", format, n, err)
		}
		if err := w.WriteSilence(1000); !errors.Is(err, ErrTooLarge) {
			t.Errorf("%v: WriteSilence = %v", format, err)
		}
		for range 2 * maxCues {
			w.CueAt(70_000, string(bytes.Repeat([]byte("x"), maxLabel)))
		}
		noErr(t, w.Finish())
		st, err := f.Stat()
		noErr(t, err)
		h, err := ReadHeader(f, st.Size())
		if err != nil || h.DataBytes != most || h.DataOffset != plainBytes || len(h.Cues) != maxCues || st.Size() >= 1<<32 {
			t.Errorf("%v: %d bytes at %d, %d cues, %v", format, h.DataBytes, h.DataOffset, len(h.Cues), err)
		}
		end := make([]byte, 6000)
		noErr(t, readFull(f, end, plainBytes+most-6000))
		if changed, err := Repair(f, st.Size(), Format{}); err != nil || changed || !bytes.Equal(end, audio[:6000]) {
			t.Errorf("%v: Repair = %v, %v; or other audio", format, changed, err)
		}
	}
}

func checkLarge(t *testing.T, f *os.File, data int64, rf64 bool, cues []Cue) {
	t.Helper()
	st, err := f.Stat()
	noErr(t, err)
	got, err := ReadHeader(f, st.Size())
	noErr(t, err)
	want := Header{Format: mono8, DataOffset: 80, DataBytes: data, Cues: cues}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("header (-want +got):\n%s", diff)
	}
	var b [roomBytes]byte
	noErr(t, readFull(f, b[:], 0))
	le := binary.LittleEndian
	riff := int64(le.Uint32(b[4:]))
	if (string(b[:4]) == "RF64") != rf64 {
		t.Errorf("header % x", b)
	}
	if rf64 {
		riff = int64(le.Uint64(b[20:]))
		if string(b[12:16]) != "ds64" || le.Uint32(b[4:]) != unknownSize ||
			le.Uint32(b[76:]) != unknownSize || le.Uint64(b[28:]) != uint64(data) || le.Uint64(b[36:]) != uint64(data/2) {
			t.Errorf("header % x", b)
		}
	}
	if riff+8 != st.Size() {
		t.Errorf("RIFF ends at %d of %d", riff+8, st.Size())
	}
	changed, err := Repair(f, st.Size(), Format{})
	if err != nil || changed {
		t.Errorf("Repair = %v, %v", changed, err)
	}
}
