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
	return zap.New(zapcore.NewCore(newEncoder(w, format), zapcore.Lock(zapcore.AddSync(w)), level))
}

func newEncoder(w io.Writer, format string) zapcore.Encoder {
	c := zap.NewProductionEncoderConfig()
	c.TimeKey = "ts"
	c.EncodeTime = func(t time.Time, enc zapcore.PrimitiveArrayEncoder) {
		enc.AppendString(t.UTC().Format("2006-01-02T15:04:05.000Z"))
	}
	if format != "console" {
		return zapcore.NewJSONEncoder(c)
	}
	c.EncodeTime = zapcore.TimeEncoderOfLayout("15:04:05.000")
	c.EncodeLevel = zapcore.CapitalLevelEncoder
	if isTerminal(w) {
		c.EncodeLevel = zapcore.CapitalColorLevelEncoder
	}
	c.ConsoleSeparator = "  "
	return zapcore.NewConsoleEncoder(c)
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
