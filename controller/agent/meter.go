package agent

import (
	"encoding/binary"
	"io"
	"net/http"
)

// meter is what the WebSocket library reads and writes once there is a WebSocket. The library answers control
// frames and joins fragments by itself, for as long as they come: only here are they seen.
type meter struct {
	io.ReadWriteCloser
	// seen is told, by whoever reads, of what came; nil until the connection is used.
	seen func(seenFrames)

	header []byte // of the next frame, as far as it has come
	left   uint64 // bytes of the present frame that have not come yet
}

// seenFrames are the frames that one read has brought.
type seenFrames struct {
	control   int // pings, pongs and closes
	fragments int // small ones behind which their message goes on
	messages  int // last frames of a message
}

// smallFragment is what a fragment is below, in bytes. The others are paid for by their length.
const smallFragment = 1 << 10

func (m *meter) Read(p []byte) (int, error) {
	n, err := m.ReadWriteCloser.Read(p)
	if f := m.scan(p[:n]); m.seen != nil && f != (seenFrames{}) {
		m.seen(f)
	}
	return n, err
}

// scan counts the frames whose headers end in p.
func (m *meter) scan(p []byte) (f seenFrames) {
	for len(p) > 0 {
		if m.left > 0 {
			n := min(m.left, uint64(len(p)))
			p, m.left = p[n:], m.left-n
			continue
		}
		m.header, p = append(m.header, p[0]), p[1:]
		if len(m.header) < 2 || len(m.header) < headerSize(m.header[1]) {
			continue
		}
		m.left = payloadSize(m.header)
		f.add(m.header[0], m.left)
		m.header = m.header[:0]
	}
	return f
}

// The first byte of a frame, RFC 6455 section 5.2.
const (
	frameFinal   = 0x80
	frameControl = 0x08
	frameMasked  = 0x80 // in the second byte
)

func (f *seenFrames) add(first byte, size uint64) {
	switch {
	case first&frameControl != 0:
		f.control++
	case first&frameFinal != 0:
		f.messages++
	case size < smallFragment:
		f.fragments++
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

// metered is a transport whose WebSocket has a meter.
type metered struct {
	http.RoundTripper
	meter *meter
}

func (t metered) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := t.RoundTripper.RoundTrip(r)
	if err != nil || response.StatusCode != http.StatusSwitchingProtocols {
		return response, err
	}
	if body, ok := response.Body.(io.ReadWriteCloser); ok {
		t.meter.ReadWriteCloser = body
		response.Body = t.meter
	}
	return response, nil
}
