package audiostream

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"strconv"
	"syscall"
	"time"
)

const (
	opContinuation = 0
	opText         = 1
	opBinary       = 2
	opClose        = 8
	opPing         = 9
	opPong         = 10
	finBit         = 0x80
	maskBit        = 0x80
	maxServerFrame = 32 << 20
)

// appendFrame appends a masked frame with room for n payload bytes, which
// fill writes before they are masked.
func appendFrame(buf []byte, first byte, n int, fill func(payload []byte)) []byte {
	buf = append(buf, first)
	switch {
	case n < 126:
		buf = append(buf, maskBit|byte(n))
	case n < 1<<16:
		buf = append(buf, maskBit|126, byte(n>>8), byte(n))
	default:
		buf = append(buf, maskBit|127)
		buf = binary.BigEndian.AppendUint64(buf, uint64(n))
	}
	key := rand.Uint32()
	buf = binary.LittleEndian.AppendUint32(buf, key)
	at := len(buf)
	for cap(buf)-at < n {
		buf = append(buf[:cap(buf)], 0)
	}
	buf = buf[:at+n]
	fill(buf[at:])
	mask(buf[at:], key)
	return buf
}

// mask applies the key, whose first byte on the wire is the lowest, eight
// bytes at a time.
func mask(b []byte, key uint32) {
	wide := uint64(key)<<32 | uint64(key)
	for len(b) >= 8 {
		binary.LittleEndian.PutUint64(b, binary.LittleEndian.Uint64(b)^wide)
		b = b[8:]
	}
	for i := range b {
		b[i] ^= byte(wide >> (8 * i))
	}
}

// frame writes one control or text frame. It needs s.mu.
func (s *Stream) frame(op byte, payload []byte) {
	s.write(appendFrame(nil, finBit|op, len(payload), func(p []byte) { copy(p, payload) }))
}

// write gives the socket what it accepts without blocking; the rest waits for
// the media clock. It needs s.mu.
func (s *Stream) write(b []byte) {
	if len(s.pending) > 0 {
		s.pending = append(s.pending, b...)
		return
	}
	if n := s.offer(b); n < len(b) {
		s.pending = append(s.pending, b[n:]...)
	}
}

// flush offers what waits. It returns whether nothing does. It needs s.mu.
func (s *Stream) flush() bool {
	if len(s.pending) == 0 {
		return true
	}
	n := s.offer(s.pending)
	s.pending = append(s.pending[:0], s.pending[n:]...)
	return len(s.pending) == 0
}

// offer writes once without blocking and returns how much was accepted. After
// an error everything counts as accepted: the reader finds out why.
func (s *Stream) offer(b []byte) int {
	if s.conn == nil || s.faults.dropped {
		return len(b)
	}
	if s.raw == nil {
		s.conn.SetWriteDeadline(time.Now().Add(CloseTimeout))
		s.conn.Write(b)
		return len(b)
	}
	var n int
	var failed error
	err := s.raw.Write(func(fd uintptr) bool {
		n, failed = syscall.Write(int(fd), b)
		return true
	})
	switch {
	case err != nil:
		return len(b)
	case errors.Is(failed, syscall.EAGAIN) || errors.Is(failed, syscall.EINTR):
		return 0
	case failed != nil:
		s.reset = true // the reader will only see the end
		return len(b)
	}
	return n
}

// read reads the server's frames until TCP is over. nil is an end in order:
// after a Close of either side.
func (s *Stream) read(r *bufio.Reader) *streamError {
	for {
		op, payload, err := readFrame(r)
		if err != nil {
			return s.readEnded(err)
		}
		switch op {
		case opPing:
			s.mu.Lock()
			s.frame(opPong, payload)
			s.mu.Unlock()
		case opText:
			s.serverText(string(payload))
		case opClose:
			s.serverClose(payload)
		}
	}
}

// readEnded sorts out why TCP is over.
func (s *Stream) readEnded(err error) *streamError {
	s.mu.Lock()
	broken, reset := s.faults.broken, s.reset
	ordered := !broken && (s.peerClose || !s.closing.IsZero() || s.muted || s.report.End != "")
	s.mu.Unlock()
	if ordered {
		s.finish("stop")
		return nil
	}
	switch {
	case broken:
		return &wsAbnormal
	case reset:
		return &wsReset
	}
	return readError(err)
}

// serverText is a text frame of the server: an event (F45), or audio to be played (F85).
func (s *Stream) serverText(text string) {
	s.mu.Lock()
	muted := s.muted
	s.mu.Unlock()
	if muted {
		return
	}
	if body, ok := s.streamAudio(text); ok {
		s.options.Channel.Event("play", body)
		return
	}
	s.options.Channel.Event("json", text)
}

// serverClose echoes the Close at once (F63); the media bug stays where it is (F43).
func (s *Stream) serverClose(payload []byte) {
	s.mu.Lock()
	if s.peerClose || !s.closing.IsZero() {
		s.mu.Unlock()
		return
	}
	s.peerClose, s.open = true, false
	s.closing = time.Now()
	code, reason := 1005, ""
	if len(payload) >= 2 {
		code, reason = int(binary.BigEndian.Uint16(payload)), string(payload[2:])
	}
	s.report.End = "server close " + strconv.Itoa(code)
	s.frame(opClose, payload)
	s.endPart()
	muted := s.muted
	s.mu.Unlock()
	if !muted {
		s.options.Channel.Event("disconnect", `{"status":"disconnected","message":{"code":`+strconv.Itoa(code)+`,"reason":"`+reason+`"}}`)
	}
}

var errFrameSize = errors.New("server frame is too large")

// readFrame reads one frame of the server. Fragments come as they are.
func readFrame(r *bufio.Reader) (op byte, payload []byte, err error) {
	var head [10]byte
	if _, err = io.ReadFull(r, head[:2]); err != nil {
		return 0, nil, err
	}
	n := uint64(head[1] & 0x7f)
	switch n {
	case 126:
		_, err = io.ReadFull(r, head[2:4])
		n = uint64(binary.BigEndian.Uint16(head[2:]))
	case 127:
		_, err = io.ReadFull(r, head[2:10])
		n = binary.BigEndian.Uint64(head[2:])
	}
	if err != nil {
		return 0, nil, err
	}
	if n > maxServerFrame {
		return 0, nil, errFrameSize
	}
	payload = make([]byte, n)
	_, err = io.ReadFull(r, payload)
	return head[0] & 0x0f, payload, err
}
