package agent

import (
	"errors"

	"tapdeck/controller/dialer"

	"github.com/coder/websocket"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// How a connection can be lost that neither side has closed, beside what package dialer has.
var (
	errNoRead = errors.New("the bot reads too slowly: 16384 messages wait for it")
	errPanic  = errors.New("panic")
)

const (
	hintSlow   = "the bot does not read its socket: it works too long in the loop that reads, or hangs; look at its log"
	hintTooBig = "the bot has sent a message of more than 1 MiB: let it send its audio in several"
	hintFrames = "a ping every few seconds is enough, and a message belongs into one frame: look at what the bot's library is told to send"
	hintReport = "please report this with its stack; this conversation is over, the call and all others go on"
)

// hintOf says what to do about a bot that was not reached or was lost.
func (s *Session) hintOf(err error) string {
	for _, known := range []struct {
		is   error
		hint string
	}{
		{dialer.ErrNoWrite, hintSlow},
		{dialer.ErrNoPong, hintSlow},
		{errNoRead, hintSlow},
		{dialer.ErrOnlyFrames, hintFrames},
		{errPanic, hintReport},
		{websocket.ErrMessageTooBig, hintTooBig},
	} {
		if errors.Is(err, known.is) {
			return known.hint
		}
	}
	return s.target.Hint(err)
}

func hint(text string) zap.Field { return zap.String("hint", text) }

// ratelog marks a line that a bot can cause, for the daemon's log, which limits the lines of the
// same message and kind. Encoders ignore the field.
func ratelog(kind string) zap.Field {
	return zap.Field{Key: "ratelog", Type: zapcore.SkipType, String: kind}
}
