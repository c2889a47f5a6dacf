package esl

import (
	"bufio"
	"strings"
)

// packet is a command as FreeSWITCH takes it apart.
type packet struct {
	Command string
	Headers map[string]string // names in lower case
}

// modelPacket reads one command as FreeSWITCH's event socket does: up to two
// line feeds with nothing but carriage returns between them; the parts end at
// the first carriage return that is left, or at a line feed if none is (F12).
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
