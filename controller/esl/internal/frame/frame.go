// Package frame reads the frames of a switch's event socket within bounds, whichever
// library works with them then: a frame is a header block, a blank line, and a body of
// the announced length.
//
// It never waits for a frame longer than a timeout once it has begun, never holds more
// memory than has come, and hands on no line that is not a header. It starts no
// goroutines.
package frame

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

	// The bounds of one frame.
	maxHeader  = 1 << 20  // bytes of its header block
	maxHeaders = 4096     // lines of its header block
	maxBody    = 16 << 20 // bytes of its body
)

// frameBuffers holds buffers of frameBuffer bytes: most connections wait most of the time.
var frameBuffers = sync.Pool{New: func() any { return new([frameBuffer]byte) }}

// Frame is one frame of the switch. Its slices lie in the reader's buffer and
// are valid until the next frame is read.
type Frame struct {
	Header
	Data []byte // the whole frame, without the lines that were dropped
	Body []byte // the end of Data
}

// Reader reads frames of bounded size from a connection.
type Reader struct {
	conn     net.Conn
	timeout  time.Duration
	received func(n int)

	waiting    [waitingBuffer]byte
	buf        []byte // waiting, one of frameBuffers, or a larger one
	begin, end int    // buf[begin:end] is read and not consumed
	last       int    // length of the frame that was handed out, consumed by the next call

	// Deadline state.
	armed bool // conn has a deadline for the frame that has begun
	stale bool // conn has a deadline, perhaps of a frame that is complete
}

// NewReader returns a reader of conn that allows timeout from a frame's first byte to its
// last, and reports to received how many bytes each read has brought.
func NewReader(conn net.Conn, timeout time.Duration, received func(int)) *Reader {
	r := &Reader{conn: conn, timeout: timeout, received: received}
	r.buf = r.waiting[:]
	return r
}

// Next reads one frame. Its error is an *Error, or wraps ErrPeerClosed.
func (r *Reader) Next() (Frame, error) {
	r.consume()
	if err := r.skipBlankLines(); err != nil {
		return Frame{}, err
	}
	size, err := r.readHeader()
	if err != nil {
		return Frame{}, err
	}
	length, reason := contentLength(r.buf[r.begin : r.begin+size])
	if reason != "" {
		return Frame{}, r.fail(reason)
	}
	r.last = size + length
	for r.end-r.begin < r.last {
		if err := r.more(r.last); err != nil {
			return Frame{}, err
		}
	}
	return cut(r.buf[r.begin:r.begin+r.last:r.begin+r.last], size), nil
}

// consume gives up the frame that was handed out, and a buffer that grew for it.
func (r *Reader) consume() {
	r.begin += r.last
	r.last = 0
	r.armed = false
	if r.begin == r.end {
		r.begin, r.end = 0, 0
	}
	if len(r.buf) > waitingBuffer && r.end-r.begin <= waitingBuffer {
		r.moveTo(r.waiting[:])
	}
}

// moveTo goes on in another buffer with what is read and not consumed.
func (r *Reader) moveTo(buf []byte) {
	r.end = copy(buf, r.buf[r.begin:r.end])
	r.begin = 0
	if len(r.buf) == frameBuffer {
		frameBuffers.Put((*[frameBuffer]byte)(r.buf))
	}
	r.buf = buf
}

// skipBlankLines leaves the buffer at the first byte of a header block.
func (r *Reader) skipBlankLines() error {
	for blank := 0; ; {
		for r.begin == r.end { // a read may bring nothing, and no error
			if err := r.more(0); err != nil {
				return err
			}
		}
		switch c := r.buf[r.begin]; {
		case c == '\n':
			blank++
		case c == '\r':
		case isNameByte(c):
			return nil
		default:
			return r.fail(ReasonNotAFrame)
		}
		if blank > maxBlankLines {
			return r.fail(ReasonBlankLines)
		}
		r.begin++
	}
}

// readHeader reads a header block to its blank line and returns its size.
func (r *Reader) readHeader() (int, error) {
	start, lines := 0, 0 // start of the line, from r.begin
	for scan := 0; ; {
		i := bytes.IndexByte(r.buf[r.begin+scan:r.end], '\n')
		if i < 0 {
			scan = r.end - r.begin
			if scan > maxHeader {
				return 0, r.fail(ReasonHeaderSize)
			}
			if err := r.more(0); err != nil {
				return 0, err
			}
			continue
		}
		end := scan + i
		line := trimCR(r.buf[r.begin+start : r.begin+end])
		start, scan = end+1, end+1
		lines++
		switch {
		case start > maxHeader:
			return 0, r.fail(ReasonHeaderSize)
		case len(line) == 0:
			return start, nil
		case lines > maxHeaders:
			return 0, r.fail(ReasonHeaderCount)
		case lines == 1 && !isHeaderLine(line):
			return 0, r.fail(ReasonNotAFrame)
		}
	}
}

// more reads on, at least one byte. A full buffer grows.
func (r *Reader) more(need int) error {
	r.makeRoom(need)
	if err := r.setDeadline(); err != nil {
		return err
	}
	n, err := r.conn.Read(r.buf[r.end:])
	r.end += n
	r.received(n)
	switch {
	case n > 0:
		return nil
	case errors.Is(err, os.ErrDeadlineExceeded) && r.armed:
		return r.fail(ReasonSlow)
	case err != nil:
		return fmt.Errorf("%w (%w)", ErrPeerClosed, err)
	}
	return nil
}

// makeRoom leaves room behind r.end. A full buffer becomes one of frameBuffer bytes,
// and that doubles, or grows to need bytes if that is less: it grows with what has
// come, never with what a length only promises.
func (r *Reader) makeRoom(need int) {
	if r.end < len(r.buf) {
		return
	}
	if r.begin > 0 {
		r.end = copy(r.buf, r.buf[r.begin:r.end])
		r.begin = 0
		return
	}
	if len(r.buf) < frameBuffer {
		r.moveTo(frameBuffers.Get().(*[frameBuffer]byte)[:])
		return
	}
	size := 2 * len(r.buf)
	if len(r.buf) < need && need < size {
		size = need
	}
	r.moveTo(make([]byte, size))
}

// setDeadline gives a frame that has begun its deadline, and takes that of the
// frame before away.
func (r *Reader) setDeadline() error {
	begun := r.end > r.begin
	var deadline time.Time
	switch {
	case begun && !r.armed:
		deadline = time.Now().Add(r.timeout)
	case begun || !r.stale:
		return nil
	}
	r.armed, r.stale = begun, begun
	if err := r.conn.SetReadDeadline(deadline); err != nil {
		return fmt.Errorf("%w (%w)", ErrPeerClosed, err)
	}
	return nil
}

// fail makes the error for the frame at hand.
func (r *Reader) fail(reason string) error {
	return NewError(r.conn, reason, r.buf[r.begin:r.end])
}
