package app

import (
	"io"
	"os"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"golang.org/x/term"

	"tapdeck/cmd/internal/ratelog"
)

// NewLogger returns a logger that writes to w: JSON, or in the format console lines for
// a person, coloured if w is a terminal. Lines that strangers can cause are limited; Sync
// says what was suppressed of them.
func NewLogger(w io.Writer, format string, level zap.AtomicLevel) *zap.Logger {
	return zap.New(ratelog.New(zapcore.NewCore(newEncoder(format, IsTerminal(w)), zapcore.Lock(zapcore.AddSync(w)), level)))
}

// IsTerminal says whether w is a terminal.
func IsTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

func newEncoder(format string, colour bool) zapcore.Encoder {
	if format == "console" {
		fields := zapcore.EncoderConfig{EncodeDuration: zapcore.StringDurationEncoder, EncodeTime: zapcore.ISO8601TimeEncoder, SkipLineEnding: true}
		return console{zapcore.NewJSONEncoder(fields), colour}
	}
	c := zap.NewProductionEncoderConfig()
	c.TimeKey = "ts"
	c.EncodeTime = func(t time.Time, enc zapcore.PrimitiveArrayEncoder) {
		enc.AppendString(t.UTC().Format("2006-01-02T15:04:05.000Z"))
	}
	c.EncodeDuration = zapcore.StringDurationEncoder
	return zapcore.NewJSONEncoder(c)
}
