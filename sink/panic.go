package sink

import (
	"errors"
	"fmt"

	"go.uber.org/zap"
)

// errPanic is wrapped by the error of work that has panicked.
var errPanic = errors.New("a defect of tapdeck")

// guarded does work for a recording. It stands at the beginning of every goroutine, so that a panic
// hurts its own recording only.
func guarded(log *zap.Logger, work func() error) error {
	return recoverPanic(log, "recording panicked", hintWorkPanic, work)
}

// recoverPanic does work whose panic is an error, and is logged with its stack.
func recoverPanic(log *zap.Logger, message, hint string, work func() error) (err error) {
	defer func() {
		if panicked := recover(); panicked != nil {
			err = fmt.Errorf("%w: %v", errPanic, panicked)
			log.Error(message, zap.Any("err", panicked), zap.Stack("stack"), zap.String("hint", hint))
		}
	}()
	return work()
}

const hintWorkPanic = "a defect: please report it with the stack; what was recorded is kept, if need be as a .part, which tapdeck repair publishes"
