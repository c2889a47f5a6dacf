package agent

import (
	"context"
	"time"
)

// Reach connects with the bot as a session does, tells it nothing, and closes. It returns how long the
// handshake took, or why there was none and what to do; no token is in either.
func Reach(ctx context.Context, c Config) (took time.Duration, todo string, err error) {
	return c.target().Reach(ctx)
}
