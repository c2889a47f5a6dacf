package fio

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/textproto"
	"strconv"
	"strings"
)

// errLethal is what ends the library's process or its reader.
var errLethal = errors.New("lethal")

// modelFrame reads one frame as the library does, and returns what it makes of
// it: "reply", "error", "event" or "notice". It returns io.EOF at the
// clean end of the stream and errLethal for what the library doesn't survive.
func modelFrame(in *bufio.Reader) (string, error) {
	if _, err := in.Peek(1); err != nil {
		return "", io.EOF
	}
	head, body, err := modelBlock(in)
	if err != nil {
		return "", fmt.Errorf("%w: %w", errLethal, err)
	}
	switch kind := head.Get("Content-Type"); kind {
	case "command/reply":
		return modelReply(head.Get("Reply-Text"))
	case "text/event-plain":
		if _, _, err := modelBlock(bufio.NewReader(bytes.NewReader(body))); err != nil {
			return "", fmt.Errorf("%w: %w", errLethal, err)
		}
		return "event", nil
	case "text/event-json":
		return "event", modelJSON(body)
	case "text/disconnect-notice":
		return "notice", nil
	default:
		return "", fmt.Errorf("%w: content type %q", errLethal, kind)
	}
}

// modelBlock reads a header block and the body that it announces.
func modelBlock(in *bufio.Reader) (textproto.MIMEHeader, []byte, error) {
	head, err := textproto.NewReader(in).ReadMIMEHeader()
	if err != nil {
		return nil, nil, err
	}
	length := 0
	if v := head.Get("Content-Length"); v != "" {
		if length, err = strconv.Atoi(v); err != nil || length < 0 || length > 16<<20 {
			return nil, nil, fmt.Errorf("length %q", v)
		}
	}
	body := make([]byte, length)
	_, err = io.ReadFull(in, body)
	return head, body, err
}

// modelReply looks at the bytes of a reply that the library looks at.
func modelReply(text string) (string, error) {
	switch {
	case len(text) < 2, strings.HasPrefix(text, "-E") && len(text) < 5:
		return "", fmt.Errorf("%w: reply %q", errLethal, text)
	case strings.HasPrefix(text, "-E"):
		return "error", nil
	}
	return "reply", nil
}

// modelJSON decodes a JSON event and looks at its keys as the library does.
func modelJSON(body []byte) error {
	keys := make(map[string]any)
	if err := json.Unmarshal(body, &keys); err != nil {
		return fmt.Errorf("%w: %w", errLethal, err)
	}
	if _, ok := keys[""]; ok {
		return fmt.Errorf("%w: empty key", errLethal)
	}
	if text, ok := keys["_body"]; ok && text != nil {
		if _, ok := text.(string); !ok {
			return fmt.Errorf("%w: _body", errLethal)
		}
	}
	return nil
}
