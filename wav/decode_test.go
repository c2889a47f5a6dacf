package wav

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"testing"

	"github.com/go-audio/audio"
	gowav "github.com/go-audio/wav"
	"github.com/google/go-cmp/cmp"
)

// encodedFmt returns the payload of a fmt chunk of an encoding.
func encodedFmt(f Format, tag, bits int) string {
	b, _ := binary.Append(nil, binary.LittleEndian, formatChunk{
		Tag: uint16(tag), Channels: uint16(f.Channels), SampleRate: uint32(f.SampleRate),
		ByteRate: uint32(f.SampleRate * f.Channels * bits / 8), FrameBytes: uint16(f.Channels * bits / 8), Bits: uint16(bits),
	})
	return string(b)
}

func samples16(samples ...int16) []byte {
	b, _ := binary.Append(nil, binary.LittleEndian, samples)
	return b
}

func packed(values any) string {
	b, _ := binary.Append(nil, binary.LittleEndian, values)
	return string(b)
}

// peoplesFile is a WAV as other programs write it, and what is heard in it.
type peoplesFile struct {
	name   string
	file   []byte
	format Format
	pcm    []byte
}

func peoplesFiles() []peoplesFile {
	pcm := noise(20, 60)
	text := string(pcm)
	file := riff("fmt ", fmtChunk(mono8), "data", text)
	put := func(b []byte, at int, n uint32) []byte {
		return with(b, at, string(binary.LittleEndian.AppendUint32(nil, n)))
	}
	unpadded := func(id, payload string) []byte { // an odd LIST before the chunk, without its pad byte
		b := append(riff(), "LIST\x05\x00\x00\x00INFOx"...)
		return append(b, riff("fmt ", fmtChunk(mono8), id, payload)[riffHeader:]...)
	}
	float := packed([]float32{0, 0.5, -0.5, 1, -1, 7, float32(math.NaN()), -1.0 / (1 << 15)})
	heard := samples16(0, 1<<14, -1<<14, math.MaxInt16, math.MinInt16, math.MaxInt16, 0, -1)
	extended := extensible(mono8, tagFloat)
	extended = string(with([]byte(extended), 0, "\xfe\xff\x01\x00\x40\x1f\x00\x00\x00\x7d\x00\x00\x04\x00\x20\x00"))
	return append([]peoplesFile{
		{"plain", file, mono8, pcm},
		{"odd LIST without its pad byte", unpadded("data", text), mono8, pcm},
		{"odd LIST with its pad byte", riff("LIST", "INFOx", "fmt ", fmtChunk(mono8), "data", text), mono8, pcm},
		{"odd LIST with a pad byte of another value", with(riff("LIST", "INFOx", "fmt ", fmtChunk(mono8), "data", text), 25, "x"), mono8, pcm},
		{"data of size 0", put(put(file, 4, 0), 40, 0), mono8, pcm},
		{"data of size 0, RIFF as it should be", put(file, 40, 0), mono8, pcm},
		{"data of size -1", put(file, 40, unknownSize), mono8, pcm},
		{"data of size 2 GiB", put(file, 40, 0x7fffffff), mono8, pcm},
		{"empty data before the data", riff("fmt ", fmtChunk(mono8), "data", "", "data", text), mono8, pcm},
		{"two data", riff("fmt ", fmtChunk(mono8), "data", text[:20], "LIST", "INFO", "data", text[20:]), mono8, pcm},
		{"two data, the second cut short", riff("fmt ", fmtChunk(mono8), "data", text[:20], "data", text[20:]+"abcd")[:44+20+8+40], mono8, pcm},
		{"two data, the second of size 0", put(riff("fmt ", fmtChunk(mono8), "data", "", "data", text), 48, 0), mono8, pcm},
		{"ID3 before it", append([]byte("ID3\x04\x00\x00\x00\x00\x01\x02"+string(noise(2, 130))), file...), mono8, pcm},
		{"ID3 with a footer", append([]byte("ID3\x04\x00\x10\x00\x00\x00\x02ab3DI\x04\x00\x10\x00\x00\x00\x02"), file...), mono8, pcm},
		{"44.1 kHz", riff("fmt ", fmtChunk(Format{44100, 2}), "data", text), Format{44100, 2}, pcm},
		{"no audio", riff("fmt ", fmtChunk(mono8), "data", "", "LIST", "INFO"), mono8, nil},
		{"8 bits", riff("fmt ", encodedFmt(mono8, tagPCM, 8), "data", "\x80\x00\xff\x81"), mono8, samples16(0, math.MinInt16, 127<<8, 1<<8)},
		{"24 bits", riff("fmt ", encodedFmt(stereo8, tagPCM, 24), "data", "\xff\x01\x00\x00\x00\x80\x12\x34\x56\xff\xff\xff"), stereo8, samples16(1, math.MinInt16, 0x5634, -1)},
		{"32 bits", riff("fmt ", encodedFmt(mono8, tagPCM, 32), "data", packed([]int32{1 << 16, -1 << 31, 1<<31 - 1})), mono8, samples16(1, math.MinInt16, math.MaxInt16)},
		{"float", riff("fmt ", encodedFmt(mono8, tagFloat, 32), "fact", "\x08\x00\x00\x00", "data", float), mono8, heard},
		{"double", riff("fmt ", encodedFmt(mono8, tagFloat, 64), "data", packed([]float64{0.25, math.Inf(-1)})), mono8, samples16(1<<13, math.MinInt16)},
		{"extensible float", riff("fmt ", extended, "data", float), mono8, heard},
		{"half a frame", riff("fmt ", encodedFmt(stereo8, tagPCM, 24), "data", "\x00\x01\x00\x00\x02\x00\x00\x03\x00"), stereo8, samples16(1, 2)},
	}, g711Files()...)
}

// g711Files have values of G.711's own tables, and the sizes of their segments.
func g711Files() []peoplesFile {
	return []peoplesFile{
		{
			"µ-law", riff("fmt ", encodedFmt(mono8, tagMuLaw, 8)+"\x00\x00", "data", "\xff\x7f\x80\x00\x8f\x9f\xfe\x7e\xef"), mono8,
			samples16(0, 0, 32124, -32124, 16764, 8316, 8, -8, 132),
		},
		{
			"A-law", riff("fmt ", encodedFmt(mono8, tagALaw, 8), "data", "\xd5\x55\xaa\x2a\xa5\xc5\x80\x00"), mono8,
			samples16(8, -8, 32256, -32256, 16896, 264, 5504, -5504),
		},
	}
}

func TestDecode(t *testing.T) {
	for _, tc := range peoplesFiles() {
		t.Run(tc.name, func(t *testing.T) {
			format, pcm, err := Decode(tc.file)
			if err != nil || format != tc.format || !bytes.Equal(pcm, tc.pcm) {
				t.Errorf("%v, %v\n% x, want\n% x", format, err, pcm, tc.pcm)
			}
		})
	}
}

// The segments of both laws join: each code's distance to the next is its segment's step.
func TestG711(t *testing.T) {
	for name, law := range map[string]struct {
		decode func(byte) int16
		code   func(n int) byte // of the n-th smallest magnitude, positive
		steps  []int            // of the segments
	}{
		"µ-law": {muLaw, func(n int) byte { return ^byte(n) }, []int{8, 16, 32, 64, 128, 256, 512, 1024}},
		"A-law": {aLaw, func(n int) byte { return byte(n|0x80) ^ 0x55 }, []int{16, 16, 32, 64, 128, 256, 512, 1024}},
	} {
		for n := range 127 {
			low, high := int(law.decode(law.code(n))), int(law.decode(law.code(n+1)))
			step := law.steps[n/16]
			if n%16 == 15 { // from the last step of a segment to the first of the next
				step = (step + law.steps[n/16+1]) / 2
			}
			if high-low != step {
				t.Errorf("%s: %d follows %d, want a step of %d", name, high, low, step)
			}
			if negative := int(law.decode(law.code(n) ^ 0x80)); negative != -low {
				t.Errorf("%s: %d beside %d", name, negative, low)
			}
		}
	}
}

// An independent reader and writer agrees on what its files hold.
func TestDecodeByGoAudio(t *testing.T) {
	for _, bits := range []int{8, 16, 24, 32} {
		values := []int{0, 1, -1, 100, 1<<(bits-1) - 1, -1 << (bits - 1)}
		if bits == 8 {
			values = []int{128, 0, 255, 7} // unsigned
		}
		f := &memSeeker{memFile: newMemFile(nil)}
		e := gowav.NewEncoder(f, 8000, bits, 1, 1)
		noErr(t, e.Write(&audio.IntBuffer{Format: &audio.Format{SampleRate: 8000, NumChannels: 1}, Data: values, SourceBitDepth: bits}))
		noErr(t, e.Close())
		var want []int16
		for _, v := range values {
			if bits == 8 {
				v -= 128
			}
			want = append(want, int16(int64(v)<<16>>bits))
		}
		format, pcm, err := Decode(f.data)
		noErr(t, err)
		if diff := cmp.Diff(samples16(want...), pcm); diff != "" || format != mono8 {
			t.Errorf("%d bits: %v (-want +got):\n%s", bits, format, diff)
		}
	}
}

// memSeeker is a memFile whose Write goes where Seek says.
type memSeeker struct{ *memFile }

func (f memSeeker) Seek(offset int64, whence int) (int64, error) {
	f.at = offset + []int64{0, f.at, f.size()}[whence]
	return f.at, nil
}

func TestDecodeNot(t *testing.T) {
	for _, tc := range []struct {
		name string
		file []byte
		err  error
		says string
	}{
		{"ADPCM", riff("fmt ", encodedFmt(mono8, 0x11, 4), "data", "abcd"), ErrFormat, "IMA ADPCM of 4 bits"},
		{"µ-law of 16 bits", riff("fmt ", encodedFmt(mono8, tagMuLaw, 16), "data", "abcd"), ErrFormat, "µ-law of 16 bits"},
		{"MP3", append([]byte("ID3\x04\x00\x00\x00\x00\x00\x02ab"), 0xff, 0xfb, 0x90, 0x64), ErrNotWAV, ""},
		{"an ID3 tag that is longer than the file", []byte("ID3\x04\x00\x00\x7f\x7f\x7f\x7fab"), ErrNotWAV, ""},
		{"nothing", nil, ErrNotWAV, ""},
	} {
		_, _, err := Decode(tc.file)
		if !errors.Is(err, tc.err) || !bytes.Contains([]byte(err.Error()), []byte(tc.says)) {
			t.Errorf("%s: %v", tc.name, err)
		}
	}
}

// A header of every kind is repaired, whatever its audio is, and healthy ones are left alone.
func TestRepairPeoplesFiles(t *testing.T) {
	for _, tc := range peoplesFiles() {
		t.Run(tc.name, func(t *testing.T) {
			f := newMemFile(bytes.Clone(tc.file))
			_, err := Repair(f, f.size(), Format{})
			noErr(t, err)
			checkRepaired(t, f, Format{})
			format, pcm, err := Decode(f.data)
			if err != nil || format != tc.format || !bytes.Equal(pcm, tc.pcm) {
				t.Errorf("after Repair: %v, %d bytes, %v", format, len(pcm), err)
			}
		})
	}
}

func TestRepairOtherEncodings(t *testing.T) {
	sizes := func(b []byte, at int, riff, data uint32) []byte {
		b = with(b, 4, string(binary.LittleEndian.AppendUint32(nil, riff)))
		return with(b, at, string(binary.LittleEndian.AppendUint32(nil, data)))
	}
	odd := riff("fmt ", encodedFmt(mono8, tagMuLaw, 8), "data", string(noise(1, 61)))
	float := riff("fmt ", encodedFmt(stereo8, tagFloat, 32), "data", string(noise(1, 64)))
	tagged := append([]byte("ID3\x04\x00\x00\x00\x00\x00\x02ab"), sizes(float, 40, 0, 0)...)
	for name, tc := range map[string]struct {
		file []byte
		want []byte // nil: as it is
	}{
		"healthy, odd, with its pad byte":    {odd, nil},
		"healthy, odd, without its pad byte": {sizes(odd[:len(odd)-1], 40, 97, 61), nil},
		"µ-law of size 0":                    {sizes(odd[:len(odd)-2], 40, 0, 0), sizes(odd[:len(odd)-2], 40, 96, 60)},
		"float of size 0":                    {sizes(float, 40, 0, 0), float},
		"float cut short":                    {float[:44+62], sizes(float[:44+62], 40, 36+56, 56)},
		"float of size 0 behind a tag":       {tagged, append(bytes.Clone(tagged[:12]), float...)},
		"more behind than declared":          {sizes(float, 40, 36+32, 32), nil},
	} {
		f := newMemFile(bytes.Clone(tc.file))
		changed, err := Repair(f, f.size(), mono8)
		if tc.want == nil && (changed || err != nil) {
			t.Errorf("%s: Repair = %v, %v", name, changed, err)
		}
		if tc.want != nil {
			if diff := cmp.Diff(tc.want, f.data); diff != "" || !changed || err != nil {
				t.Errorf("%s: Repair = %v, %v (-want +got):\n%s", name, changed, err, diff)
			}
		}
		checkRepaired(t, f, mono8)
	}
}
