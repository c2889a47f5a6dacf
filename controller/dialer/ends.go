package dialer

import (
	"errors"
	"net"
	"strings"
	"syscall"

	"github.com/coder/websocket"
)

// NormalEnd says that the peer has closed the connection as one does.
func NormalEnd(err error) bool {
	var closed websocket.CloseError
	if !errors.As(err, &closed) {
		return false
	}
	return closed.Code == websocket.StatusNormalClosure || closed.Code == websocket.StatusGoingAway || closed.Code == websocket.StatusNoStatusRcvd
}

// IsGone says that an error is of a connection that the other side, or the library, has closed.
func IsGone(err error) bool {
	return errors.Is(err, net.ErrClosed) || errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET)
}

// BrokenFrame says that the peer has sent what WebSocket does not know. The library has no type for it.
func BrokenFrame(err error) bool {
	for _, part := range []string{"unexpected rsv bits", "unknown opcode", "control frame payload", "fragmented control frame", "invalid close payload", "continuation frame", "without finishing the previous", "negative payload length"} {
		if strings.Contains(err.Error(), part) {
			return true
		}
	}
	return false
}
