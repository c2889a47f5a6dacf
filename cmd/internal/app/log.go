package app

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"go.uber.org/zap"
	"go.uber.org/zap/buffer"
	"go.uber.org/zap/zapcore"
	"golang.org/x/term"

	"tapdeck/cmd/internal/logqueue"
	"tapdeck/cmd/internal/ratelog"
)

// NewLogger returns a logger that writes to w: JSON, or in the format console lines for
// a person, coloured if w is a terminal. Lines that strangers can cause are limited; Sync
// says what was suppressed of them. What a queue drops is a line of the log, too, whatever
// its level.
func NewLogger(w io.Writer, format string, level zap.AtomicLevel) *zap.Logger {
	enc, out := newEncoder(format, IsTerminal(w)), zapcore.AddSync(w)
	if q, ok := w.(*logqueue.Queue); ok {
		q.Note(dropNote(enc.Clone()))
	} else {
		out = zapcore.Lock(out) // which a queue must not have: its Sync takes time
	}
	return zap.New(ratelog.New(zapcore.NewCore(enc, out, level)), zap.ErrorOutput(out))
}

// dropNote makes the line that stands where lines were dropped.
func dropNote(enc zapcore.Encoder) func(lines int64) []byte {
	return func(lines int64) []byte {
		entry := zapcore.Entry{Level: zapcore.WarnLevel, Time: time.Now(), Message: "log lines dropped"}
		line, err := enc.EncodeEntry(entry, []zapcore.Field{
			zap.Int64("count", lines),
			zap.String("hint", "who reads tapdeck's stderr did not read it in time: a terminal that was stopped, or a log driver that blocks; the calls went on"),
		})
		if err != nil {
			return fmt.Appendf(nil, "%d log lines dropped: %v\n", lines, err)
		}
		return line.Bytes()
	}
}

// IsTerminal says whether w is a terminal, or a queue before one.
func IsTerminal(w io.Writer) bool {
	if q, ok := w.(*logqueue.Queue); ok {
		w = q.Unwrap()
	}
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

// console encodes log lines for a person: time, level, message, and then the
// fields as key=value, the hint last. One line of it is one line of JSON, so that
// grep for a call's UUID finds the same.
type console struct {
	zapcore.Encoder // of the fields, as one JSON object
	colour          bool
}

// Clone implements zapcore.Encoder.
func (c console) Clone() zapcore.Encoder { return console{c.Encoder.Clone(), c.colour} }

// ANSI colours.
const (
	dim    = "\x1b[2m"
	bold   = "\x1b[1m"
	blue   = "\x1b[34m"
	yellow = "\x1b[33m"
	red    = "\x1b[31m"
	plain  = "\x1b[0m"
)

// messageWidth is the width that messages are filled up to.
const messageWidth = 18

// EncodeEntry implements zapcore.Encoder.
func (c console) EncodeEntry(e zapcore.Entry, fields []zapcore.Field) (*buffer.Buffer, error) {
	line, err := c.Encoder.EncodeEntry(zapcore.Entry{}, fields)
	if err != nil {
		return nil, err
	}
	object := line.String()
	line.Reset()
	colour := map[zapcore.Level]string{zapcore.DebugLevel: dim, zapcore.InfoLevel: blue, zapcore.WarnLevel: yellow}[e.Level]
	line.AppendString(c.paint(dim, e.Time.Format("15:04:05.000")) + " " + c.paint(cmp.Or(colour, red), fmt.Sprintf("%-5s", e.Level.CapitalString())) + " ")
	line.AppendString(c.paint(bold, e.Message) + strings.Repeat(" ", max(0, messageWidth-utf8.RuneCountInString(e.Message))))
	line.AppendString(c.fields(object) + "\n")
	return line, nil
}

// fields writes the members of a JSON object in their order. What can't be
// read is written as it is: a log line is never lost.
func (c console) fields(object string) string {
	dec := json.NewDecoder(strings.NewReader(object))
	line, hint := "", ""
	_, err := dec.Token()
	for err == nil && dec.More() {
		var value json.RawMessage
		key, _ := dec.Token()
		err = dec.Decode(&value)
		if key == "hint" {
			hint = " " + c.paint(yellow, "hint=") + word(value)
			continue
		}
		line += " " + c.paint(dim, fmt.Sprint(key, "=")) + word(value)
	}
	if err != nil {
		return " " + object
	}
	return line + hint
}

// word is a JSON value, without its quotes if it needs none.
func word(value json.RawMessage) string {
	var text string
	if json.Unmarshal(value, &text) != nil {
		return string(value)
	}
	if text == "" || strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r == '"' || r == '=' || !strconv.IsPrint(r) }) {
		return strconv.Quote(text)
	}
	return text
}

func (c console) paint(colour, text string) string {
	if !c.colour {
		return text
	}
	return colour + text + plain
}
