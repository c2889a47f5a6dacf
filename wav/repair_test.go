package wav

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// repairTo repairs a file and checks its audio, its cues, that the bytes behind the
// header are as they were, and that a second Repair changes nothing.
func repairTo(t *testing.T, f *memFile, fallback Format, audio []byte, cues int) (changed bool) {
	t.Helper()
	before := bytes.Clone(f.data)
	changed, err := Repair(f, f.size(), fallback)
	if err != nil {
		t.Fatalf("Repair = %v, %v", changed, err)
	}
	if got := pcm(t, f); !bytes.Equal(got, audio) {
		t.Errorf("%d bytes of audio after Repair, want %d", len(got), len(audio))
	}
	if changed == bytes.Equal(before, f.data) || (f.syncs > 0) != changed {
		t.Errorf("changed = %v, %d syncs", changed, f.syncs)
	}
	h, err := ReadHeader(f, f.size())
	if err != nil || len(h.Cues) != cues {
		t.Errorf("header %+v, %v", h, err)
	}
	if at := int(h.DataOffset); len(before) > at && !bytes.Equal(f.data[at:], before[at:]) {
		t.Error("Repair has touched more than the header")
	}
	checkRepaired(t, f, fallback)
	return changed
}

// checkRepaired checks that a second Repair changes nothing.
func checkRepaired(t *testing.T, f *memFile, fallback Format) {
	t.Helper()
	once := bytes.Clone(f.data)
	if again, err := Repair(f, f.size(), fallback); err != nil || again || !bytes.Equal(once, f.data) {
		t.Errorf("second Repair = %v, %v", again, err)
	}
}

// healthy resets what recording counted.
func (o form) healthy(t *testing.T, format Format, audio []byte, cues ...Cue) *memFile {
	return newMemFile(o.recording(t, format, audio, cues...).data)
}

// afterZeros is the audio of a file whose header lost its bytes between two offsets. If nothing
// is left that tells that it had room for ds64, the end of that is audio, too.
func (o form) afterZeros(file, audio []byte, from, to int) []byte {
	if o == plain || from > junkAt || to < roomBytes-4 {
		return audio
	}
	return append(bytes.Clone(file[plainBytes:roomBytes]), audio...)
}

func TestRepairHealthy(t *testing.T) { eachForm(t, testRepairHealthy) }

func testRepairHealthy(t *testing.T, form form) {
	for _, format := range []Format{mono8, stereo8} {
		for _, frames := range []int{0, 1, 100, 9_001} {
			audio := noise(1, frames*format.FrameBytes())
			for cues, f := range []*memFile{
				form.healthy(t, format, audio),
				form.healthy(t, format, audio, Cue{0, "odd"}),
				form.healthy(t, format, audio, Cue{0, "a"}, Cue{int64(frames), "even"}),
			} {
				if repairTo(t, f, Format{}, audio, cues) {
					t.Errorf("%v, %d frames, %d cues: changed", format, frames, cues)
				}
			}
		}
	}
}

// A killed writer's file gets back what had reached it after the last Flush.
func TestRepairKilled(t *testing.T) { eachForm(t, testRepairKilled) }

func testRepairKilled(t *testing.T, form form) {
	for _, format := range []Format{mono8, stereo8} {
		for _, flushed := range []int{0, 400} {
			for _, rest := range []int{0, 1, 3, 4, 16384, 100_003} {
				audio := noise(2, flushed+rest)
				f := form.killed(t, format, audio[:flushed], audio[flushed:])
				f.syncs = 0
				if got := pcm(t, f); len(got) != flushed {
					t.Errorf("%d bytes of audio before Repair, want %d", len(got), flushed)
				}
				repairTo(t, f, Format{}, audio[:format.whole(int64(len(audio)))], 0)
			}
		}
	}
}

// Killed in the middle of Finish: the cues never become audio.
func TestRepairKilledInFinish(t *testing.T) { eachForm(t, testRepairKilledInFinish) }

func testRepairKilledInFinish(t *testing.T, form form) {
	audio := noise(3, 5000)
	whole := form.recording(t, mono8, audio, Cue{5, "prompt start"}, Cue{900, "prompt end"}).data
	tail := len(whole) - form.header - len(audio)
	for n := range tail {
		f := form.killed(t, mono8, audio, whole[form.header+len(audio):][:n])
		f.syncs = 0
		want, cues := audio, 0
		if n >= chunkHeader+4+2*cueBytes { // without their labels
			cues = 2
		}
		if n < chunkHeader { // too little to tell it from audio
			want = append(bytes.Clone(audio), whole[form.header+len(audio):][:mono8.whole(int64(n))]...)
		}
		repairTo(t, f, Format{}, want, cues)
	}
	for _, flushed := range []int{0, 4000, 5000} { // also with a header from before the last Flush
		f := newMemFile(bytes.Clone(whole))
		f.data = append(form.killed(t, mono8, audio[:flushed], nil).data, whole[form.header+flushed:]...)
		repairTo(t, f, Format{}, audio, 2)
		if !bytes.Equal(f.data, whole) {
			t.Errorf("flushed %d: the file isn't what Finish would have made of it", flushed)
		}
	}
}

// The header's sizes reached the disk before the cues did.
func TestRepairCuesLost(t *testing.T) { eachForm(t, testRepairCuesLost) }

func testRepairCuesLost(t *testing.T, form form) {
	audio := noise(4, 5000)
	whole := form.recording(t, mono8, audio, Cue{5, "prompt start"}).data
	tail := len(whole) - form.header - len(audio)
	for lost := 1; lost <= tail; lost++ {
		f := newMemFile(bytes.Clone(whole[:len(whole)-lost]))
		cues := 0
		if tail-lost >= chunkHeader+4+cueBytes {
			cues = 1 // without its label
		}
		repairTo(t, f, Format{}, audio, cues)
	}
	for kept := range tail {
		f := newMemFile(bytes.Clone(whole))
		clear(f.data[form.header+len(audio)+kept:])
		_, err := Repair(f, f.size(), Format{})
		noErr(t, err)
		if got := pcm(t, f); !bytes.Equal(got, audio) {
			t.Errorf("%d bytes of cues kept, the others zeros: %d bytes of audio, want %d", kept, len(got), len(audio))
		}
		checkRepaired(t, f, Format{})
	}
}

// The header is there, the audio isn't.
func TestRepairCutShort(t *testing.T) { eachForm(t, testRepairCutShort) }

func testRepairCutShort(t *testing.T, form form) {
	audio := noise(5, 5000)
	for _, keep := range []int{0, 1, 2, 7, 4999} {
		f := form.healthy(t, stereo8, audio)
		f.data = f.data[:form.header+keep]
		repairTo(t, f, Format{}, audio[:stereo8.whole(int64(keep))], 0)
	}
}

// A header of which only the first bytes, or nothing, reached the disk.
func TestRepairHalfHeader(t *testing.T) { eachForm(t, testRepairHalfHeader) }

func testRepairHalfHeader(t *testing.T, form form) {
	audio := noise(6, 5000)
	for n := range form.header + 1 {
		for _, zeros := range []bool{true, false} {
			make := func() *memFile {
				f := form.healthy(t, stereo8, audio)
				if !zeros {
					f.data = f.data[:n]
				} else {
					clear(f.data[n:form.header])
				}
				return f
			}
			want := form.afterZeros(make().data, audio, n, form.header)
			if !zeros {
				want = nil
			}
			t.Run(fmt.Sprintf("%d/%v", n, zeros), func(t *testing.T) {
				repairTo(t, make(), stereo8, want, 0)
				f := make()
				before := bytes.Clone(f.data)
				_, err := Repair(f, f.size(), Format{})
				if n < form.header-chunkHeader-1 && (!errors.Is(err, ErrUnknownFormat) || !bytes.Equal(before, f.data)) {
					t.Errorf("Repair without a format = %v", err)
				}
				if n >= form.header-chunkHeader && err != nil {
					t.Errorf("Repair with the format in the file = %v", err)
				}
			})
		}
	}
}

// Any run of zeros within the header is repaired; the format that is there wins.
func TestRepairZeroFilled(t *testing.T) { eachForm(t, testRepairZeroFilled) }

func testRepairZeroFilled(t *testing.T, form form) {
	audio := noise(7, 5000)
	for from := range form.header {
		for to := from + 1; to <= form.header; to++ {
			f := form.healthy(t, stereo8, audio, Cue{7, "x"})
			if bytes.Equal(f.data[from:to], make([]byte, to-from)) {
				continue
			}
			clear(f.data[from:to])
			repairTo(t, f, stereo8, form.afterZeros(f.data, audio, from, to), 1)
		}
	}
	f := form.healthy(t, stereo8, audio)
	clear(f.data[:form.header-chunkHeader-fmtBytes])
	repairTo(t, f, mono8, audio, 0)
	if h, err := ReadHeader(f, f.size()); err != nil || h.Format != stereo8 {
		t.Errorf("header %+v, %v", h, err)
	}
}

// Damage of the header, and something behind the audio that it declares.
func TestRepairDamagedAndUnfinished(t *testing.T) { eachForm(t, testRepairDamagedAndUnfinished) }

func testRepairDamagedAndUnfinished(t *testing.T, form form) {
	audio := noise(12, 5000)
	whole := form.recording(t, stereo8, audio, Cue{7, "x"}).data
	half := newMemFile(bytes.Clone(whole[:form.header+5000+20])) // half a cue chunk
	clear(half.data[:8])
	repairTo(t, half, Format{}, audio, 0)

	more := form.killed(t, stereo8, audio[:400], audio[400:]) // more audio
	clear(more.data[riffHeader : riffHeader+4])
	more.syncs = 0
	repairTo(t, more, Format{}, audio, 0)

	if form == plain {
		return
	}
	large := newMemFile(bytes.Clone(whole))
	setSizes(large.data[:form.header], 4, 5000, large.size(), true)
	clear(large.data[:3])
	repairTo(t, large, Format{}, audio, 1)
}

// Files that no Writer wrote.
func TestRepairForeign(t *testing.T) {
	audio := string(noise(8, 600))
	plain := riff("fmt ", fmtChunk(mono8), "data", audio)
	listed := riff("LIST", "INFO", "fmt ", fmtChunk(mono8), "data", audio, "LIST", "INFOabc")
	size := func(b []byte, at int, n uint32) []byte {
		return with(b, at, string(binary.LittleEndian.AppendUint32(nil, n)))
	}
	for _, tc := range []struct {
		name    string
		file    []byte
		changed bool
		data    int
	}{
		{"healthy", plain, false, 600},
		{"healthy with chunks behind", listed, false, 600},
		{"something behind", append(with(plain, 0, ""), "TAG 123"...), false, 600},
		{"sizes zero", size(size(plain, 4, 0), 40, 0), true, 600},
		{"sizes unknown", size(size(plain, 4, unknownSize), 40, unknownSize), true, 600},
		{"empty with chunks behind", riff("fmt ", fmtChunk(mono8), "data", "", "LIST", "INFO"), false, 0},
		{"cut short", plain[:300], true, 256},
		{"wrong RIFF size", size(listed, 4, 17), true, 600},
		{"RIFF ends before the last chunk", size(listed, 4, uint32(len(listed)-8-16)), true, 600},
		{"odd", size(plain, 40, 599), true, 600},
		{"odd with chunks behind", riff("fmt ", fmtChunk(mono8), "data", audio[:599], "LIST", "INFO"), false, 598},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := newMemFile(bytes.Clone(tc.file))
			changed, err := Repair(f, f.size(), stereo8)
			noErr(t, err)
			if got := pcm(t, f); changed != tc.changed || changed == bytes.Equal(f.data, tc.file) || len(got) != tc.data {
				t.Errorf("changed = %v, %d bytes of audio", changed, len(got))
			}
			checkRepaired(t, f, stereo8)
		})
	}
}

// What isn't understood stays as it is.
func TestRepairNotUnderstood(t *testing.T) {
	bits24 := []byte(plain.recording(t, mono8, noise(9, 600)).data)
	bits24[34] = 24
	for _, tc := range []struct {
		name string
		file []byte
		err  error
	}{
		{"text", []byte("this is no recording, but a text of which nobody knows how it came here, quite a long one"), ErrNotWAV},
		{"noise", noise(9, 500), ErrNotWAV},
		{"mp3", append([]byte("ID3\x03"), make([]byte, 500)...), ErrNotWAV},
		{"24 bits", bits24, ErrFormat},
		{"foreign, half a header", riff("fmt ", fmtChunk(mono8), "data", "abcdef")[:30], ErrNotWAV},
		{"header of other format than the fallback", with(plain.recording(t, mono8, noise(9, 60)).data, 32, "\x00"), ErrFormat},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := newMemFile(bytes.Clone(tc.file))
			if changed, err := Repair(f, f.size(), stereo8); !errors.Is(err, tc.err) || changed {
				t.Errorf("Repair = %v, %v; want %v", changed, err, tc.err)
			}
			if !bytes.Equal(f.data, tc.file) {
				t.Error("the file has changed")
			}
		})
	}
	f := plain.healthy(t, mono8, nil)
	if _, err := Repair(f, f.size(), Format{SampleRate: 5}); !errors.As(err, new(*FieldError)) {
		t.Errorf("Repair with a bad fallback = %v", err)
	}
}

// A sparse file of 5 GiB whose header still says 100 bytes, or nothing at all.
func TestRepairLarge(t *testing.T) {
	const size = 5<<30 + roomBytes
	for name, head := range map[string][]byte{
		"behind":  roomy.killed(t, mono8, noise(10, 100), nil).data,
		"zeros":   nil,
		"foreign": append(riff("JUNK", string(make([]byte, 28)), "LIST", "INFO", "fmt ", fmtChunk(mono8)), "data\x00\x00\x00\x00"...),
	} {
		t.Run(name, func(t *testing.T) {
			f, err := os.Create(filepath.Join(t.TempDir(), "large.wav.part"))
			noErr(t, err)
			defer f.Close()
			_, err = f.Write(head)
			noErr(t, err)
			noErr(t, f.Truncate(size))
			changed, err := Repair(f, size, mono8)
			noErr(t, err)
			l, err := readLayout(f, size)
			if err != nil || !changed || !l.rf64 || l.DataBytes != size-l.DataOffset || l.declared != l.DataBytes {
				t.Errorf("changed = %v, %+v, %v", changed, l, err)
			}
			if again, err := Repair(f, size, mono8); err != nil || again {
				t.Errorf("second Repair = %v, %v", again, err)
			}
		})
	}
}

func TestRepairTooLarge(t *testing.T) {
	head := append(riff("fmt ", fmtChunk(mono8)), "data\x00\x00\x00\x00"...)
	f, err := os.Create(filepath.Join(t.TempDir(), "large.wav"))
	noErr(t, err)
	defer f.Close()
	_, err = f.Write(head)
	noErr(t, err)
	noErr(t, f.Truncate(5<<30))
	if changed, err := Repair(f, 5<<30, mono8); !errors.Is(err, ErrTooLarge) || changed {
		t.Errorf("Repair = %v, %v", changed, err)
	}
	got := make([]byte, len(head))
	noErr(t, readFull(f, got, 0))
	if diff := cmp.Diff(head, got); diff != "" {
		t.Errorf("header (-want +got):\n%s", diff)
	}
}

func TestRepairWriteFails(t *testing.T) {
	for _, f := range []*memFile{plain.killed(t, mono8, nil, noise(11, 100)), newMemFile(make([]byte, 500))} {
		before := bytes.Clone(f.data)
		f.failWriteAt = errDisk
		if changed, err := Repair(f, f.size(), mono8); !errors.Is(err, errDisk) || changed || !bytes.Equal(before, f.data) {
			t.Errorf("Repair = %v, %v", changed, err)
		}
		f.failWriteAt, f.failSync = nil, errDisk
		if _, err := Repair(f, f.size(), mono8); !errors.Is(err, errDisk) {
			t.Errorf("Repair without sync = %v", err)
		}
	}
}
