package main

import (
	"io"
	"os"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"golang.org/x/term"
)

// newLogger returns a logger that writes to w: JSON, or on the console format
// lines for a person, coloured where w is a terminal.
func newLogger(w io.Writer, format string, level zap.AtomicLevel) *zap.Logger {
	return zap.New(zapcore.NewCore(newEncoder(format, isTerminal(w)), zapcore.Lock(zapcore.AddSync(w)), level))
}

func newEncoder(format string, colour bool) zapcore.Encoder {
	if format == "console" {
		return newConsole(colour)
	}
	c := zap.NewProductionEncoderConfig()
	c.TimeKey = "ts"
	c.EncodeTime = func(t time.Time, enc zapcore.PrimitiveArrayEncoder) {
		enc.AppendString(t.UTC().Format("2006-01-02T15:04:05.000Z"))
	}
	c.EncodeDuration = zapcore.StringDurationEncoder
	return zapcore.NewJSONEncoder(c)
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
