package transcript

import (
	"errors"
	"testing"

	"github.com/coder/websocket"
)

// A service that closes has said its last words if it was asked for them, but not if it goes away.
func TestCloseOfTheService(t *testing.T) {
	for _, c := range []struct {
		code  websocket.StatusCode
		asked bool
		want  error
	}{
		{websocket.StatusNormalClosure, true, errAnswered},
		{websocket.StatusNoStatusRcvd, true, errAnswered},
		{websocket.StatusGoingAway, true, errClosed},
		{websocket.StatusNormalClosure, false, errClosed},
		{websocket.StatusNoStatusRcvd, false, errClosed},
		{websocket.StatusGoingAway, false, errClosed},
	} {
		bubble(t, FormatVosk, 1, func(b *testbed) {
			conn := b.connected()
			conn.asked = c.asked
			if err := conn.readError(websocket.CloseError{Code: c.code}); !errors.Is(err, c.want) {
				b.Errorf("%v, asked for the last words: %v: %v", c.code, c.asked, err)
			}
		})
	}
}
