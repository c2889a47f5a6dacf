package esl

import (
	"errors"
	"syscall"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// What to do about what is logged.
const (
	hintDescriptors = "tapdeck has no file descriptor left: raise LimitNOFILE of its service (ulimit -n)"
	hintLost        = "tapdeck could not connect to itself on 127.0.0.1: most often no file descriptor is left; raise LimitNOFILE of its service (ulimit -n)"
	hintUnanswered  = "no FreeSWITCH's socket action, or one that is overloaded: health checks and port scans look like this"
	hintClosed      = "what came is not FreeSWITCH's event socket protocol: is something else connecting to esl.listen?"
	hintDropped     = "tapdeck does without them; if they go on, look for a module or script that sends them to this socket"
	hintLibrary     = "please report this; the call is over, the others go on"
	hintUnlisted    = "please report this; the value counts as empty"
)

func hint(text string) zap.Field { return zap.String("hint", text) }

// ratelog marks a line that strangers can cause, for the daemon's log, which limits the
// lines of the same message and kind. Encoders ignore the field.
func ratelog(kind string) zap.Field {
	return zap.Field{Key: "ratelog", Type: zapcore.SkipType, String: kind}
}

// acceptHint says what to do about a failure to accept.
func acceptHint(err error) string {
	if errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) {
		return hintDescriptors
	}
	return "tapdeck tries again; the kernel's log may say more"
}

// refusalHint says what to do about a connection that was refused.
func refusalHint(reason string) string {
	switch reason {
	case refuseConnections:
		return "there are far more calls than esl.max_calls allows: raise it, or send fewer to this tapdeck"
	case refusePending:
		return "connections come faster than FreeSWITCH answers them: is its machine overloaded, or something else connecting? Otherwise raise esl.max_calls"
	}
	return "if this is a FreeSWITCH, add its address to esl.allow: its calls are parked unanswered otherwise"
}
