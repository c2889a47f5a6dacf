package dialer

import (
	"bytes"
	"io"
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
