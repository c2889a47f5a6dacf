package agent

import (
	"context"
	"time"

	"github.com/coder/websocket"
)

// Reach connects with the bot as a session does, tells it nothing, and closes. It returns how long the
// handshake took, or why there was none and what to do; no token is in either.
func Reach(ctx context.Context, c Config) (took time.Duration, todo string, err error) {
	began := time.Now()
	ws, _, err := dial(ctx, c, c.dialer(), &meter{})
	if err != nil {
		return 0, hintOf(err), c.redact(err)
	}
	took = time.Since(began)
	_ = ws.Close(websocket.StatusNormalClosure, "only asked whether it answers")
	return took, "", nil
}
