package esl

import (
	"bytes"
	"strconv"
)

// header is what decides about a frame: of each header the first one counts,
// as in the library.
type header struct {
	contentType []byte
	replyText   []byte
	disposition []byte
	length      int // of the body, bytes
	refused     int // lines that the library refuses
}

// detach makes the header's slices independent of the buffer.
func (h *header) detach() {
	h.contentType = bytes.Clone(h.contentType)
	h.replyText = bytes.Clone(h.replyText)
	h.disposition = bytes.Clone(h.disposition)
}

// parseHeader reads a header block including its blank line. A reason is
// returned for a block that does not say how long its frame is.
func parseHeader(block []byte, maxBody int) (h header, reason string) {
	lengths := 0
	for line, good := range headerLines(block) {
		if !good {
			h.refused++
			if isLength(line) {
				return h, reasonLength
			}
			continue
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		value = trimValue(value)
		switch {
		case equalFold(name, "Content-Length"):
			lengths++
			h.length, reason = parseLength(value, maxBody)
			if lengths > 1 {
				reason = reasonLength
			}
			if reason != "" {
				return h, reason
			}
		case equalFold(name, "Content-Type") && h.contentType == nil:
			h.contentType = value
		case equalFold(name, "Reply-Text") && h.replyText == nil:
			h.replyText = value
		case equalFold(name, "Content-Disposition") && h.disposition == nil:
			h.disposition = value
		}
	}
	return h, ""
}

// parseLength takes digits only; no value is no body, as in the library.
func parseLength(value []byte, most int) (n int, reason string) {
	if len(value) == 0 {
		return 0, ""
	}
	for _, c := range value {
		if c < '0' || c > '9' {
			return 0, reasonLength
		}
	}
	n, err := strconv.Atoi(string(value))
	if err != nil || n > most {
		return 0, reasonBodySize
	}
	return n, ""
}

// headerLines yields the lines of a block before its blank one, each with
// whether the library takes it. A line that the next one continues is refused
// together with it: FreeSWITCH folds no lines.
func headerLines(block []byte) func(yield func(line []byte, good bool) bool) {
	return func(yield func([]byte, bool) bool) {
		for len(block) > 0 {
			line, rest, _ := bytes.Cut(block, []byte("\n"))
			if len(trimCR(line)) == 0 {
				return
			}
			folded := isFolded(rest)
			if !yield(line, !folded && isHeaderLine(trimCR(line))) {
				return
			}
			block = rest
		}
	}
}

// dropRefused moves the lines that the library takes to the front of the block,
// with the blank line behind them, and returns their size.
func dropRefused(block []byte) int {
	n, read := 0, 0
	for line, good := range headerLines(block) {
		read += len(line) + 1
		if good {
			n += copy(block[n:], block[read-len(line)-1:read])
		}
	}
	return n + copy(block[n:], block[read:])
}

// isFolded says whether the line that begins rest continues the one before.
func isFolded(rest []byte) bool {
	return len(rest) > 0 && (rest[0] == ' ' || rest[0] == '\t')
}

// isHeaderLine says whether net/textproto takes a line, given without its end.
func isHeaderLine(line []byte) bool {
	name, value, ok := bytes.Cut(line, []byte(":"))
	if !ok || len(name) == 0 || name[0] == ' ' {
		return false
	}
	for _, c := range name {
		if c != ' ' && !isNameByte(c) {
			return false
		}
	}
	for _, c := range value {
		if c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

// isLength says whether a refused line may have been meant to give the length.
func isLength(line []byte) bool {
	name, _, _ := bytes.Cut(line, []byte(":"))
	return equalFold(bytes.TrimSpace(name), "Content-Length")
}

// isNameByte says whether c may be in the name of a header: a token of RFC 9110.
func isNameByte(c byte) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		return true
	}
	return c != 0 && bytes.IndexByte([]byte("!#$%&'*+-.^_`|~"), c) >= 0
}

// trimValue takes the blanks around a value away. Even of an empty value it
// returns a slice that is not nil: an empty first header hides a second one.
func trimValue(value []byte) []byte {
	if value = bytes.Trim(trimCR(value), " \t"); value == nil {
		return []byte{}
	}
	return value
}

func trimCR(line []byte) []byte {
	return bytes.TrimSuffix(line, []byte("\r"))
}

func equalFold(b []byte, s string) bool {
	return len(b) == len(s) && bytes.EqualFold(b, []byte(s))
}
