package esl

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
// it: "reply", "error", "api", "event" or "notice". It returns io.EOF at the
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
		return modelReply(head.Get("Reply-Text"), "reply")
	case "api/response":
		return modelReply(string(body), "api")
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
		if length, err = strconv.Atoi(v); err != nil || length < 0 || length > 1<<20 {
			return nil, nil, fmt.Errorf("length %q", v)
		}
	}
	body := make([]byte, length)
	_, err = io.ReadFull(in, body)
	return head, body, err
}

// modelReply looks at the bytes of a reply that the library looks at.
func modelReply(text, kind string) (string, error) {
	switch {
	case len(text) < 2, strings.HasPrefix(text, "-E") && len(text) < 5:
		return "", fmt.Errorf("%w: reply %q", errLethal, text)
	case strings.HasPrefix(text, "-E"):
		return "error", nil
	}
	return kind, nil
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

// packet is a command as FreeSWITCH takes it apart.
type packet struct {
	Command string
	Headers map[string]string // names in lower case
}

// modelPacket reads one command as FreeSWITCH's event socket does: up to two
// line feeds with nothing but carriage returns between them; the parts end at
// the first carriage return that is left, or at a line feed where none is.
func modelPacket(in *bufio.Reader) (packet, error) {
	var raw []byte
	for feeds := 0; feeds < 2; {
		c, err := in.ReadByte()
		if err != nil {
			return packet{}, err
		}
		if len(raw) == 0 && (c == '\r' || c == '\n') {
			continue
		}
		raw = append(raw, c)
		switch c {
		case '\n':
			feeds++
		case '\r':
		default:
			feeds = 0
		}
	}
	p := packet{Headers: make(map[string]string)}
	p.Command = cutLine(string(raw))
	for rest := nextPart(string(raw)); rest != ""; rest = nextPart(rest) {
		if name, value, ok := strings.Cut(cutLine(rest), ":"); ok {
			p.Headers[strings.ToLower(name)] = strings.TrimLeft(value, " ")
		}
	}
	return p, nil
}

// nextPart returns what is behind the first part of a command.
func nextPart(s string) string {
	i := strings.IndexByte(s, '\r')
	if i < 0 {
		i = strings.IndexByte(s, '\n')
	}
	if i < 0 {
		return ""
	}
	return strings.TrimLeft(s[i:], "\r\n")
}

func cutLine(s string) string {
	if i := strings.IndexAny(s, "\r\n"); i >= 0 {
		return s[:i]
	}
	return s
}
