package esl

import (
	"errors"

	"tapdeck/controller/esl/internal/fio"
	"tapdeck/controller/esl/internal/frame"
)

// What callers branch on. All but ErrUnsafe and ErrTooLong end the connection.
var (
	// ErrUnsafe is a CR, LF or NUL in a command or its argument, or a command
	// that is empty. Nothing was sent; the connection stays as it was.
	ErrUnsafe = errors.New("command is empty or holds CR, LF or NUL")
	// ErrTooLong is a command that the switch would cut in two (F12). Nothing was
	// sent; the connection stays as it was.
	ErrTooLong = errors.New("command too long")
	// ErrPeerClosed is the end of the connection from the switch's side.
	ErrPeerClosed = frame.ErrPeerClosed
	// ErrClosed is the end of the connection from our side: its handler has returned.
	ErrClosed = errors.New("event socket connection closed")
	// ErrQueueFull is a handler that left too many events unread.
	ErrQueueFull = errors.New("event queue full")
	// ErrConnectTimeout is a peer that did not answer connect in time.
	ErrConnectTimeout = errors.New("no answer to connect in time")
	// ErrReplyTimeout is a command whose reply did not come in time.
	ErrReplyTimeout = fio.ErrReplyTimeout
	// ErrPanic is a panic while the connection's bytes were handled.
	ErrPanic = fio.ErrPanic
	// ErrWrongJob is a reply to a bgapi command that names another job.
	ErrWrongJob = errors.New("reply belongs to another job")
	// ErrAuth is an inbound event socket that does not accept the password.
	ErrAuth = errors.New("event socket password refused")
	// ErrRejected is an inbound event socket whose access list refuses us.
	ErrRejected = errors.New("event socket refuses this address")
)

// ReplyError is a reply of -ERR, with the fields Command (its name, without arguments)
// and Reply (the text after "-ERR "). It has ended its connection.
type ReplyError = fio.ReplyError

// FrameError is a frame that cannot be trusted, with the fields Peer (its address),
// Reason (from a short list; also a metric's label) and Bytes (the first of the frame,
// at most 64). It has ended its connection.
type FrameError = frame.Error
