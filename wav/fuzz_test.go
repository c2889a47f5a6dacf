package wav

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"testing"
)

// seeds returns files of every kind that Repair knows.
func seeds(f *testing.F) [][]byte {
	audio := noise(1, 400)
	var list [][]byte
	for _, form := range []form{plain, roomy} {
		whole := form.recording(f, stereo8, audio, Cue{7, "prompt start"}, Cue{90, "prompt end"}).data
		half := bytes.Clone(whole)
		clear(half[form.header-30 : form.header])
		list = append(list, whole, half, whole[:form.header-10], whole[:300], whole[:490],
			form.killed(f, mono8, audio[:100], audio[100:]).data,
			form.killed(f, stereo8, audio, whole[form.header+400:]).data)
	}
	rf64 := roomy.recording(f, stereo8, audio, Cue{7, "prompt start"}).data
	setSizes(rf64[:roomBytes], 4, 400, int64(len(rf64)), true)
	for _, tc := range peoplesFiles() {
		list = append(list, tc.file)
	}
	return append(
		list, nil, rf64, make([]byte, 300),
		riff("fmt ", fmtChunk(mono8), "data", string(audio[:99]), "LIST", "INFO"),
		riff("LIST", "INFO", "fmt ", extensible(stereo8, 1), "data", ""),
		append(riff("fmt ", fmtChunk(mono8), "data", ""), audio...),
	)
}

// Repair never makes a file worse, and a second one changes nothing.
func FuzzRepair(f *testing.F) {
	for _, b := range seeds(f) {
		f.Add(b, uint32(0), byte(0))
		f.Add(b, uint32(8000), byte(2))
	}
	f.Fuzz(func(t *testing.T, b []byte, rate uint32, channels byte) {
		before := bytes.Clone(b)
		was, errBefore := ReadHeader(bytes.NewReader(before), int64(len(before)))
		file := newMemFile(b)
		fallback := Format{SampleRate: int(rate), Channels: int(channels)}
		if fallback.Validate() != nil {
			fallback = Format{}
		}
		changed, err := Repair(file, file.size(), fallback)
		if err != nil || !changed {
			if !bytes.Equal(before, file.data) {
				t.Fatalf("changed, but %v, %v", changed, err)
			}
			if errBefore == nil && err != nil {
				t.Fatalf("a readable file: %v", err)
			}
			return
		}
		now, err := ReadHeader(file, file.size())
		if errors.Is(err, ErrFormat) {
			r, start, _ := afterTag(file)
			var l layout
			l, err = readLayout(r, file.size()-start)
			now.DataOffset = start + l.DataOffset
		}
		if err != nil {
			t.Fatalf("not readable after Repair: %v", err)
		}
		if errBefore == nil {
			sameAudio(t, before, file.data, was, now)
		}
		if int64(len(before)) > now.DataOffset && !bytes.Equal(before[now.DataOffset:], file.data[now.DataOffset:]) {
			t.Fatal("bytes behind the header have changed")
		}
		once := bytes.Clone(file.data)
		if again, err := Repair(file, file.size(), fallback); err != nil || again || !bytes.Equal(once, file.data) {
			t.Fatalf("second Repair = %v, %v", again, err)
		}
	})
}

func sameAudio(t *testing.T, before, after []byte, was, now Header) {
	if now.Format != was.Format || now.DataOffset != was.DataOffset || now.DataBytes < was.DataBytes {
		t.Fatalf("was %+v, is %+v", was, now)
	}
	end := was.DataOffset + was.DataBytes
	if !bytes.Equal(before[was.DataOffset:end], after[was.DataOffset:end]) {
		t.Fatal("other audio")
	}
}

// A header that is read declares audio that is there.
func FuzzReadHeader(f *testing.F) {
	for _, b := range seeds(f) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := ReadHeader(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return
		}
		if h.Format.Validate() != nil || h.DataBytes < 0 || h.DataBytes%int64(h.Format.FrameBytes()) != 0 ||
			h.DataOffset+h.DataBytes > int64(len(b)) || len(h.Cues) > maxCues {
			t.Fatalf("%+v of %d bytes", h, len(b))
		}
	})
}

// What is decoded is whole frames of a good format, and at least what the header declares.
func FuzzDecode(f *testing.F) {
	for _, b := range seeds(f) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		format, pcm, err := Decode(b)
		r, errReader := NewReader(bytes.NewReader(b), int64(len(b)))
		if fmt.Sprint(err) != fmt.Sprint(errReader) {
			t.Fatalf("Decode: %v, NewReader: %v", err, errReader)
		}
		if err != nil {
			return
		}
		if read := readAll(t, r, 100); r.Format() != format || !bytes.Equal(read, pcm) {
			t.Fatalf("%v, %d bytes, but a Reader has %v, %d bytes", format, len(pcm), r.Format(), len(read))
		}
		if format.Validate() != nil || len(pcm)%format.FrameBytes() != 0 || len(pcm) > 2*len(b) {
			t.Fatalf("%v, %d bytes of %d", format, len(pcm), len(b))
		}
		if _, declared, err := Parse(b); err == nil && !bytes.HasPrefix(pcm, declared) {
			t.Fatalf("the %d declared bytes are not the first of the %d decoded", len(declared), len(pcm))
		}
	})
}

// Whatever the split, and wherever flushed, the file holds the whole frames.
func FuzzWriterSplits(f *testing.F) {
	f.Add(noise(1, 1000), byte(1), []byte{1, 2, 3, 255, 0})
	f.Add(noise(2, 40_000), byte(2), []byte{254, 255, 254})
	f.Fuzz(func(t *testing.T, audio []byte, channels byte, splits []byte) {
		format := Format{SampleRate: 8000, Channels: 1 + int(channels%maxChannels)}
		file := newMemFile(nil)
		w := newWriter(t, file, format)
		rest := audio
		for i, s := range splits {
			n := min(len(rest), int(s)*100+i)
			write(t, w, rest[:n])
			rest = rest[n:]
			if s%2 == 0 {
				noErr(t, w.Flush())
				written := len(audio) - len(rest)
				if !bytes.Equal(pcm(t, file), audio[:format.whole(int64(written))]) {
					t.Fatalf("other audio after a Flush at %d", written)
				}
			}
		}
		write(t, w, rest)
		noErr(t, w.Finish())
		want := audio[:format.whole(int64(len(audio)))]
		if !bytes.Equal(pcm(t, file), want) || w.Sum() != sha256.Sum256(want) {
			t.Fatal("other audio or sum at the end")
		}
	})
}
