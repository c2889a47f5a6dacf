package frame

import (
	"bytes"
	"fmt"
	"io"
	"net"
)

// ErrPeerClosed is the end of the connection from the switch's side.
var ErrPeerClosed = fmt.Errorf("event socket closed by the switch: %w", io.EOF)

const quotedBytes = 64 // of a frame in an error

// Error is a frame that cannot be trusted: the connection has to end.
type Error struct {
	// Peer is the address that sent it.
	Peer string
	// Reason is what is wrong with it, from a short list; also a metric's label.
	Reason string
	// Bytes are the first of the frame, at most 64.
	Bytes []byte
}

// NewError returns the error for a frame of conn that is wrong for one of the reasons below.
func NewError(conn net.Conn, reason string, data []byte) *Error {
	data = bytes.Clone(data[:min(len(data), quotedBytes)])
	return &Error{Peer: conn.RemoteAddr().String(), Reason: reason, Bytes: data}
}

// Error gives peer, reason and bytes.
func (e *Error) Error() string {
	return fmt.Sprintf("read frame of %s: %s: %q", e.Peer, e.Reason, e.Bytes)
}

// The reasons of an Error.
const (
	ReasonNotAFrame   = "not an event socket frame"
	ReasonBlankLines  = "too many blank lines"
	ReasonHeaderSize  = "header block too large"
	ReasonHeaderCount = "too many header lines"
	ReasonLength      = "bad content length"
	ReasonBodySize    = "body too large"
	ReasonSlow        = "frame not complete in time"
	ReasonNoType      = "no content type"
	ReasonShortReply  = "reply too short"
	ReasonNoAuth      = "no auth/request"
)
