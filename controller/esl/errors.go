package esl

import (
	"errors"
	"fmt"
	"io"
)

// What callers branch on. All but ErrUnsafe and ErrTooLong end the connection.
var (
	// ErrUnsafe is a CR, LF or NUL in a command or its argument, or a command
	// that is empty. Nothing was sent; the connection stays as it was.
	ErrUnsafe = errors.New("command is empty or holds CR, LF or NUL")
	// ErrTooLong is a command that the switch would cut in two. Nothing was
	// sent; the connection stays as it was.
	ErrTooLong = errors.New("command too long")
	// ErrPeerClosed is the end of the connection from the switch's side.
	ErrPeerClosed = fmt.Errorf("event socket closed by the switch: %w", io.EOF)
	// ErrClosed is the end of the connection from our side: its handler has returned.
	ErrClosed = errors.New("event socket connection closed")
	// ErrQueueFull is a handler that left more than Config.EventQueue events unread.
	ErrQueueFull = errors.New("event queue full")
	// ErrConnectTimeout is a peer that did not answer connect in time.
	ErrConnectTimeout = errors.New("no answer to connect in time")
	// ErrReplyTimeout is a command whose reply did not come in time.
	ErrReplyTimeout = errors.New("no reply in time")
	// ErrWrongJob is a reply to a bgapi command that names another job.
	ErrWrongJob = errors.New("reply belongs to another job")
	// ErrAuth is an inbound event socket that does not take the password.
	ErrAuth = errors.New("event socket password refused")
	// ErrRejected is an inbound event socket whose access list refuses us.
	ErrRejected = errors.New("event socket refuses this address")

	// errLibrary is the library's reader ending by itself: the guard let
	// something pass that it should not have.
	errLibrary = errors.New("library stopped reading")
)

// ReplyError is a reply of -ERR. It has ended its connection.
type ReplyError struct {
	// Command is the command's name without its arguments, which may hold secrets.
	Command string
	// Reply is the text of the reply after "-ERR ".
	Reply string
}

// Error gives command and reply.
func (e *ReplyError) Error() string {
	return fmt.Sprintf("send %s: switch replied -ERR %s", e.Command, e.Reply)
}

// FrameError is a frame that cannot be trusted. It has ended its connection.
type FrameError struct {
	// Peer is the address that sent it.
	Peer string
	// Reason is what is wrong with it, from a short list; also a metric's label.
	Reason string
	// Bytes are the first of the frame, at most 64.
	Bytes []byte
}

// Error gives peer, reason and bytes.
func (e *FrameError) Error() string {
	return fmt.Sprintf("read frame of %s: %s: %q", e.Peer, e.Reason, e.Bytes)
}

// The reasons of a FrameError.
const (
	reasonNotAFrame   = "not an event socket frame"
	reasonBlankLines  = "too many blank lines"
	reasonHeaderSize  = "header block too large"
	reasonHeaderCount = "too many header lines"
	reasonLength      = "bad content length"
	reasonBodySize    = "body too large"
	reasonSlow        = "frame not complete in time"
	reasonNoType      = "no content type"
	reasonShortReply  = "reply too short"
	reasonNoAuth      = "no auth/request"
)

// The reasons for which a frame or a line of it is dropped.
const (
	dropType    = "unknown content type"
	dropLine    = "header line"
	dropUnasked = "unasked reply"
	dropJSON    = "bad JSON event"
	dropPlain   = "bad plain event"
)

// The reasons for which a connection is refused before it is read.
const (
	refuseAddress     = "address"
	refuseConnections = "too many connections"
	refusePending     = "too many unanswered"
)
