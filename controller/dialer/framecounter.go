package dialer

import (
	"encoding/binary"
	"io"
	"net/http"
)

// FrameCounter counts the frames that a peer sends, once there is a WebSocket. The library answers control
// frames and joins fragments by itself, for as long as they come: only here are they seen. It serves one
// connection.
type FrameCounter struct {
	// Seen is told of what came, by whoever reads, who waits for as long as Seen does; nil until the
	// connection is used.
	Seen func(SeenFrames)

	header []byte // of the next frame, as far as it has come
	left   uint64 // bytes of the present frame that have not come yet
}

// SeenFrames are the frames that one read has brought.
type SeenFrames struct {
	Control   int // pings, pongs and closes
	Fragments int // small ones behind which their message goes on
	Messages  int // last frames of a message
}

// smallFragment is what a fragment is below, in bytes. The others are paid for by their length.
const smallFragment = 1 << 10

// scan counts the frames whose headers end in p.
func (c *FrameCounter) scan(p []byte) (f SeenFrames) {
	for len(p) > 0 {
		if c.left > 0 {
			n := min(c.left, uint64(len(p)))
			p, c.left = p[n:], c.left-n
			continue
		}
		c.header, p = append(c.header, p[0]), p[1:]
		if len(c.header) < 2 || len(c.header) < headerSize(c.header[1]) {
			continue
		}
		c.left = payloadSize(c.header)
		f.add(c.header[0], c.left)
		c.header = c.header[:0]
	}
	return f
}

// The first byte of a frame, RFC 6455 section 5.2.
const (
	frameFinal   = 0x80
	frameControl = 0x08
	frameMasked  = 0x80 // in the second byte
)

func (f *SeenFrames) add(first byte, size uint64) {
	switch {
	case first&frameControl != 0:
		f.Control++
	case first&frameFinal != 0:
		f.Messages++
	case size < smallFragment:
		f.Fragments++
	}
}

// headerSize is that of a header with this second byte.
func headerSize(second byte) int {
	size := 2
	switch second &^ frameMasked {
	case 126:
		size += 2
	case 127:
		size += 8
	}
	if second&frameMasked != 0 {
		size += 4
	}
	return size
}

func payloadSize(header []byte) uint64 {
	switch size := header[1] &^ frameMasked; size {
	case 126:
		return uint64(binary.BigEndian.Uint16(header[2:]))
	case 127:
		return binary.BigEndian.Uint64(header[2:])
	default:
		return uint64(size)
	}
}

// counted is a transport whose WebSocket has its frames counted.
type counted struct {
	http.RoundTripper
	counter *FrameCounter // nil counts nothing
}

func (t counted) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := t.RoundTripper.RoundTrip(r)
	if err != nil || t.counter == nil || response.StatusCode != http.StatusSwitchingProtocols {
		return response, err
	}
	if body, ok := response.Body.(io.ReadWriteCloser); ok {
		response.Body = &countedBody{body, t.counter}
	}
	return response, nil
}

// countedBody is what the library reads and writes once there is a WebSocket.
type countedBody struct {
	io.ReadWriteCloser
	counter *FrameCounter
}

func (b *countedBody) Read(p []byte) (int, error) {
	n, err := b.ReadWriteCloser.Read(p)
	if f := b.counter.scan(p[:n]); b.counter.Seen != nil && f != (SeenFrames{}) {
		b.counter.Seen(f)
	}
	return n, err
}
