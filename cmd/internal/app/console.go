package app

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"go.uber.org/zap/buffer"
	"go.uber.org/zap/zapcore"
)

// console encodes log lines for a person: time, level, message, and then the
// fields as key=value, the hint last. One line of it is one line of JSON, so that
// grep for a call's UUID finds the same.
type console struct {
	zapcore.Encoder // of the fields, as one JSON object
	colour          bool
	pool            buffer.Pool
}

func newConsole(colour bool) console {
	fields := zapcore.EncoderConfig{EncodeDuration: zapcore.StringDurationEncoder, EncodeTime: zapcore.ISO8601TimeEncoder, SkipLineEnding: true}
	return console{Encoder: zapcore.NewJSONEncoder(fields), colour: colour, pool: buffer.NewPool()}
}

// Clone implements zapcore.Encoder.
func (c console) Clone() zapcore.Encoder {
	c.Encoder = c.Encoder.Clone()
	return c
}

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
	object, err := c.Encoder.EncodeEntry(zapcore.Entry{}, fields)
	if err != nil {
		return nil, err
	}
	defer object.Free()
	line := c.pool.Get()
	line.AppendString(c.paint(dim, e.Time.Format("15:04:05.000")) + " " + c.level(e.Level) + " ")
	line.AppendString(c.paint(bold, e.Message) + strings.Repeat(" ", max(0, messageWidth-len([]rune(e.Message)))))
	c.appendFields(line, object.Bytes())
	line.AppendByte('\n')
	return line, nil
}

func (c console) level(l zapcore.Level) string {
	colour := map[zapcore.Level]string{zapcore.DebugLevel: dim, zapcore.InfoLevel: blue, zapcore.WarnLevel: yellow}[l]
	return c.paint(cmp.Or(colour, red), fmt.Sprintf("%-5s", l.CapitalString()))
}

// appendFields writes the members of a JSON object in their order. What can't be
// read is written as it is: a log line is never lost.
func (c console) appendFields(line *buffer.Buffer, object []byte) {
	dec := json.NewDecoder(bytes.NewReader(object))
	hint := ""
	_, err := dec.Token()
	for err == nil && dec.More() {
		var name json.Token
		var value json.RawMessage
		if name, err = dec.Token(); err == nil {
			err = dec.Decode(&value)
		}
		if key, ok := name.(string); ok && err == nil {
			if key == "hint" {
				hint = c.field(yellow, key, value)
				continue
			}
			line.AppendString(c.field(dim, key, value))
		}
	}
	if err != nil {
		line.AppendString(" " + string(object))
		return
	}
	line.AppendString(hint)
}

func (c console) field(colour, key string, value json.RawMessage) string {
	return " " + c.paint(colour, key+"=") + word(value)
}

// word is a JSON value, without its quotes if it needs none.
func word(value json.RawMessage) string {
	var text string
	if json.Unmarshal(value, &text) != nil {
		var compact bytes.Buffer
		if json.Compact(&compact, value) != nil {
			return string(value)
		}
		return compact.String()
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
