package esl

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"
)

const (
	waitingBuffer = 1 << 10  // what a waiting connection holds, bytes
	frameBuffer   = 16 << 10 // what it has while a frame is read that needs more: an event has 6 KB
	maxBlankLines = 64       // in a row, before a header block
	quotedBytes   = 64       // of a frame in an error
)

// frameBuffers holds buffers of frameBuffer bytes: most connections wait most of the time.
var frameBuffers = sync.Pool{New: func() any { return new([frameBuffer]byte) }}

// frame is one frame of the switch. Its slices lie in the reader's buffer and
// are good until the next frame is read.
type frame struct {
	header
	data []byte // the frame as it goes on: without the lines that were dropped
	body []byte
}

// frameReader reads frames of bounded size from conn.
type frameReader struct {
	conn net.Conn
	cfg  Config

	waiting [waitingBuffer]byte
	buf     []byte // waiting, one of frameBuffers, or a larger one
	r, w    int    // buf[r:w] is read and not consumed
	last    int    // length of the frame that was handed out, consumed by the next call

	// Deadline state.
	armed bool // conn has a deadline for the frame that has begun
	stale bool // conn has a deadline, be it of a frame that is complete

	received func(n int)
}

func newFrameReader(conn net.Conn, cfg Config, received func(int)) *frameReader {
	f := &frameReader{conn: conn, cfg: cfg, received: received}
	f.buf = f.waiting[:]
	return f
}

// next reads one frame. Its error is a *FrameError, or that of the connection.
func (f *frameReader) next() (frame, error) {
	f.consume()
	if err := f.skipBlankLines(); err != nil {
		return frame{}, err
	}
	size, err := f.readHeader()
	if err != nil {
		return frame{}, err
	}
	h, reason := parseHeader(f.buf[f.r:f.r+size], f.cfg.MaxBody)
	if reason != "" {
		return frame{}, f.fail(reason)
	}
	f.last = size + h.length
	if f.w-f.r < f.last {
		if err := f.fill(f.last); err != nil {
			return frame{}, err
		}
		h, _ = parseHeader(f.buf[f.r:f.r+size], f.cfg.MaxBody) // the buffer may have moved
	}
	return f.cut(h, size), nil
}

// fill reads until size bytes are there.
func (f *frameReader) fill(size int) error {
	for f.w-f.r < size {
		if err := f.more(size); err != nil {
			return err
		}
	}
	return nil
}

// cut takes the frame, size bytes of it its header block, out of the buffer,
// without the lines that the library refuses.
func (f *frameReader) cut(h header, size int) frame {
	data := f.buf[f.r : f.r+f.last : f.r+f.last]
	body := data[size:]
	if h.refused > 0 {
		h.detach()
		n := dropRefused(data[:size])
		data = data[:n+copy(data[n:], body)]
		body = data[n:]
	}
	return frame{header: h, data: data, body: body}
}

// trimLines takes the header lines that names does not want out of a frame.
func (f *frame) trimLines(names []wantedName) {
	n := 0
	for line := range bytes.Lines(f.data[:len(f.data)-len(f.body)]) {
		name, _, isHeader := bytes.Cut(line, []byte(":"))
		if !isHeader || wants(names, name) { // without a colon: the blank line
			n += copy(f.data[n:], line)
		}
	}
	f.data = f.data[:n+copy(f.data[n:], f.body)]
	f.body = f.data[n:]
}

// consume gives up the frame that was handed out, and a buffer that grew for it.
func (f *frameReader) consume() {
	f.r += f.last
	f.last = 0
	f.armed = false
	if f.r == f.w {
		f.r, f.w = 0, 0
	}
	if len(f.buf) > waitingBuffer && f.w-f.r <= waitingBuffer {
		f.moveTo(f.waiting[:])
	}
}

// moveTo goes on in another buffer with what is read and not consumed.
func (f *frameReader) moveTo(buf []byte) {
	f.w = copy(buf, f.buf[f.r:f.w])
	f.r = 0
	if len(f.buf) == frameBuffer {
		frameBuffers.Put((*[frameBuffer]byte)(f.buf))
	}
	f.buf = buf
}

// skipBlankLines leaves the buffer at the first byte of a header block.
func (f *frameReader) skipBlankLines() error {
	for blank := 0; ; {
		for f.r == f.w { // a read may bring nothing, and no error
			if err := f.more(0); err != nil {
				return err
			}
		}
		switch c := f.buf[f.r]; {
		case c == '\n':
			blank++
		case c == '\r':
		case isNameByte(c):
			return nil
		default:
			return f.fail(reasonNotAFrame)
		}
		if blank > maxBlankLines {
			return f.fail(reasonBlankLines)
		}
		f.r++
	}
}

// readHeader reads a header block to its blank line and returns its size.
func (f *frameReader) readHeader() (int, error) {
	start, lines := 0, 0 // start of the line, from f.r
	for scan := 0; ; {
		i := bytes.IndexByte(f.buf[f.r+scan:f.w], '\n')
		if i < 0 {
			scan = f.w - f.r
			if scan > f.cfg.MaxHeader {
				return 0, f.fail(reasonHeaderSize)
			}
			if err := f.more(0); err != nil {
				return 0, err
			}
			continue
		}
		end := scan + i
		line := trimCR(f.buf[f.r+start : f.r+end])
		start, scan = end+1, end+1
		lines++
		switch {
		case start > f.cfg.MaxHeader:
			return 0, f.fail(reasonHeaderSize)
		case len(line) == 0:
			return start, nil
		case lines > f.cfg.MaxHeaders:
			return 0, f.fail(reasonHeaderCount)
		case lines == 1 && !isHeaderLine(line):
			return 0, f.fail(reasonNotAFrame)
		}
	}
}

// more reads on, at least one byte. A full buffer grows.
func (f *frameReader) more(need int) error {
	f.makeRoom(need)
	if err := f.setDeadline(); err != nil {
		return err
	}
	n, err := f.conn.Read(f.buf[f.w:])
	f.w += n
	f.received(n)
	switch {
	case n > 0:
		return nil
	case errors.Is(err, os.ErrDeadlineExceeded) && f.armed:
		return f.fail(reasonSlow)
	case err != nil:
		return fmt.Errorf("%w (%w)", ErrPeerClosed, err)
	}
	return nil
}

// makeRoom leaves room behind f.w. A full buffer becomes one of frameBuffer bytes,
// and that doubles, or grows to need bytes if that is less: it grows with what has
// come, never with what a length only promises.
func (f *frameReader) makeRoom(need int) {
	if f.w < len(f.buf) {
		return
	}
	if f.r > 0 {
		f.w = copy(f.buf, f.buf[f.r:f.w])
		f.r = 0
		return
	}
	if len(f.buf) < frameBuffer {
		f.moveTo(frameBuffers.Get().(*[frameBuffer]byte)[:])
		return
	}
	size := 2 * len(f.buf)
	if len(f.buf) < need && need < size {
		size = need
	}
	f.moveTo(make([]byte, size))
}

// setDeadline gives a frame that has begun its deadline, and takes that of the
// frame before away.
func (f *frameReader) setDeadline() error {
	begun := f.w > f.r
	var deadline time.Time
	switch {
	case begun && !f.armed:
		deadline = time.Now().Add(f.cfg.FrameTimeout)
	case begun || !f.stale:
		return nil
	}
	f.armed, f.stale = begun, begun
	if err := f.conn.SetReadDeadline(deadline); err != nil {
		return fmt.Errorf("%w (%w)", ErrPeerClosed, err)
	}
	return nil
}

// fail makes the error for the frame at hand.
func (f *frameReader) fail(reason string) error {
	return newFrameError(f.conn, reason, f.buf[f.r:f.w])
}

func newFrameError(conn net.Conn, reason string, data []byte) *FrameError {
	data = bytes.Clone(data[:min(len(data), quotedBytes)])
	return &FrameError{Peer: conn.RemoteAddr().String(), Reason: reason, Bytes: data}
}
