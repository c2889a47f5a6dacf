package esl

import (
	"fmt"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"tapdeck/controller/esl/internal/fio"
)

// What to do about what is logged.
const (
	hintAccept     = "tapdeck tries again; if it has no file descriptor left, raise LimitNOFILE of its service (ulimit -n)"
	hintLost       = "tapdeck could not connect to itself on 127.0.0.1: most often no file descriptor is left; raise LimitNOFILE of its service (ulimit -n)"
	hintUnanswered = "no FreeSWITCH's socket action, or one that is overloaded: health checks and port scans look like this"
	hintClosed     = "what came is not FreeSWITCH's event socket protocol: is something else connecting to esl.listen?"
	hintDropped    = "tapdeck does without them; if they go on, look for a module or script that sends them to this socket"
	hintOddLine    = "tapdeck does without them: FreeSWITCH writes some text of the caller as it is, such as a SIP user name with a line break, or the name of a SIP header"
	hintOddCaller  = "this call was over, and nothing of it is lost: FreeSWITCH writes the caller's SIP user name as it is behind the hangup, and one with line breaks looks like this"
	hintUnlisted   = "please report this: what the header says was not seen"
	hintPanic      = "please report this with its stack; the connection is over, the others go on"
	hintLibrary    = "please report this; the call is over, the others go on"
)

// refusalHint says what to do about a connection that was refused.
func (s *Server) refusalHint(reason string) string {
	cfg := s.cfg.Load()
	switch reason {
	case refuseAddress:
		return "if this is a FreeSWITCH, add its address to esl.allow: until then its calls go on with the dialplan's next action"
	case refuseConnections:
		return fmt.Sprintf("there may be %d at a time, esl.max_calls and some to spare: raise it, or send fewer calls to this tapdeck", cfg.MaxConnections)
	}
	return fmt.Sprintf("connections come faster than FreeSWITCH answers them: is its machine overloaded, or something else connecting? %d may wait at a time, which no key changes", cfg.MaxPending)
}

// dropHint says what to do about frames or lines that were dropped.
func dropHint(reason string) string {
	if reason == fio.DropLine {
		return hintOddLine
	}
	return hintDropped
}

func hint(text string) zap.Field { return zap.String("hint", text) }

// ratelog marks a line that strangers can cause, for the daemon's log, which limits the
// lines of the same message and kind. Encoders ignore the field.
func ratelog(kind string) zap.Field {
	return zap.Field{Key: "ratelog", Type: zapcore.SkipType, String: kind}
}
