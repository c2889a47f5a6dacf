package app

import (
	"context"
	"os"
	"syscall"

	"go.uber.org/zap"
)

// actions are what the process's signals do.
type actions struct {
	reload func() // at SIGHUP
	drain  func() // at the first SIGTERM or SIGINT
	hurry  func() // at the second
}

// handleSignals handles signals until ctx is done.
func handleSignals(ctx context.Context, signals <-chan os.Signal, do actions, log *zap.Logger) {
	for terms := 0; ; {
		select {
		case <-ctx.Done():
			return
		case s := <-signals:
			if s == syscall.SIGHUP {
				do.reload()
				continue
			}
			terms++
			log.Info("signal", zap.String("signal", s.String()), zap.Int("count", terms))
			switch terms {
			case 1:
				do.drain()
			case 2:
				do.hurry()
			}
		}
	}
}

// next waits for a value of c; it returns false once ctx is done.
func next[T any](ctx context.Context, c <-chan T) bool {
	select {
	case <-c:
		return true
	case <-ctx.Done():
		return false
	}
}
