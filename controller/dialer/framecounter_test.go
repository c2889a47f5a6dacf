package dialer

import (
	"bytes"
	"encoding/binary"
	"io"
	"slices"
	"testing"
	"testing/iotest"
)

// The frames are the same however they are cut into reads.
func TestFramesAreCounted(t *testing.T) {
	const frames = "\x89\x02hi" + "\x02\x00" + "\x00\x01a" + "\x00\x7e\x04\x00"
	text := frames + string(make([]byte, 1024)) + "\x80\x7f\x00\x00\x00\x00\x00\x00\x00\x01b" + "\x82\x81mask\x00" + "\x88\x02\x03\xe8"
	want := SeenFrames{Control: 2, Fragments: 2, Messages: 2}
	for name, r := range map[string]io.Reader{"whole": bytes.NewReader([]byte(text)), "byte by byte": iotest.OneByteReader(bytes.NewReader([]byte(text)))} {
		var got SeenFrames
		c := &FrameCounter{Seen: func(f SeenFrames) {
			got.Control, got.Fragments, got.Messages = got.Control+f.Control, got.Fragments+f.Fragments, got.Messages+f.Messages
		}}
		if all, err := io.ReadAll(&countedBody{readOnly{r}, c}); err != nil || string(all) != text || got != want || c.left != 0 {
			t.Errorf("%s: %d bytes, %v: %+v, want %+v", name, len(all), err, got, want)
		}
	}
}

type readOnly struct{ io.Reader }

func (readOnly) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }
func (readOnly) Close() error              { return nil }

// However a peer cuts what it sends, the same is counted, and nothing is kept but the header of a frame.
func FuzzFrameCounter(f *testing.F) {
	f.Add([]byte("\x89\x02hi\x02\x00\x00\x01a\x80\x00"), 3)
	f.Add([]byte("\x82\x7e\x00\x02ab\x88\x82mask\x03\xe8"), 1)
	f.Add([]byte("\x00\x7f\xff\xff\xff\xff\xff\xff\xff\xff"), 7)
	f.Fuzz(func(t *testing.T, sent []byte, size int) {
		size = max(1, size)
		var whole, cut FrameCounter
		want := whole.scan(sent)
		var got SeenFrames
		for part := range slices.Chunk(sent, size) {
			seen := cut.scan(part)
			got.Control, got.Fragments, got.Messages = got.Control+seen.Control, got.Fragments+seen.Fragments, got.Messages+seen.Messages
			if len(cut.header) >= 14 {
				t.Fatalf("%d bytes of a header are kept", len(cut.header))
			}
		}
		if got != want || whole.left != cut.left || !bytes.Equal(whole.header, cut.header) {
			t.Errorf("%+v in parts, %+v as a whole", got, want)
		}
		if n := want.Control + want.Fragments + want.Messages; n > len(sent)/2 {
			t.Errorf("%d frames in %d bytes", n, len(sent))
		}
	})
}

// Each frame is counted as what it is.
func FuzzFrames(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 16, 24, 32, 40, 48, 56}, 4)
	f.Fuzz(func(t *testing.T, frames []byte, size int) {
		sizes := [...]int{0, 1, 125, 126, smallFragment - 1, smallFragment, 1<<16 - 1, 1 << 16}
		var sent []byte
		var want SeenFrames
		for _, kind := range frames[:min(len(frames), 20)] {
			final, control, masked := kind&1 != 0, kind&2 != 0, kind&4 != 0
			payload := sizes[kind>>3%8]
			sent = appendFrame(sent, final, control, masked, payload)
			switch {
			case control:
				want.Control++
			case final:
				want.Messages++
			case payload < smallFragment:
				want.Fragments++
			}
		}
		var c FrameCounter
		var got SeenFrames
		for part := range slices.Chunk(sent, max(1, size)) {
			seen := c.scan(part)
			got.Control, got.Fragments, got.Messages = got.Control+seen.Control, got.Fragments+seen.Fragments, got.Messages+seen.Messages
		}
		if got != want || c.left != 0 || len(c.header) != 0 {
			t.Errorf("%+v, want %+v; %d bytes are missing", got, want, c.left)
		}
	})
}

func appendFrame(dst []byte, final, control, masked bool, payload int) []byte {
	bit := func(is bool, bit byte) byte { return map[bool]byte{true: bit}[is] }
	dst = append(dst, bit(final, 0x80)|bit(control, 8)|1)
	switch mask := bit(masked, 0x80); {
	case payload < 126:
		dst = append(dst, mask|byte(payload))
	case payload < 1<<16:
		dst = binary.BigEndian.AppendUint16(append(dst, mask|126), uint16(payload))
	default:
		dst = binary.BigEndian.AppendUint64(append(dst, mask|127), uint64(payload))
	}
	if masked {
		dst = append(dst, "mask"...)
	}
	return append(dst, make([]byte, payload)...)
}
