package frame

import (
	"bytes"
	"strconv"
)

// Header is what decides about a frame. If a header is there twice, the first one
// counts, as for net/textproto.
type Header struct {
	ContentType []byte
	ReplyText   []byte
	Disposition []byte // Content-Disposition
	Refused     int    // lines that are no headers for net/textproto
	length      int    // of the body, bytes
}

// detach makes the header's slices independent of the buffer.
func (h *Header) detach() {
	h.ContentType = bytes.Clone(h.ContentType)
	h.ReplyText = bytes.Clone(h.ReplyText)
	h.Disposition = bytes.Clone(h.Disposition)
}

// parseHeader reads a header block including its blank line. A reason is
// returned for a block that does not say how long its frame is.
func parseHeader(block []byte, maxBody int) (h Header, reason string) {
	lengths := 0
	for line, good := range headerLines(block) {
		if !good {
			h.Refused++
			if isLength(line) {
				return h, ReasonLength
			}
			continue
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		value = trimValue(value)
		switch {
		case EqualFold(name, "Content-Length"):
			lengths++
			h.length, reason = parseLength(value, maxBody)
			if lengths > 1 {
				reason = ReasonLength
			}
			if reason != "" {
				return h, reason
			}
		case EqualFold(name, "Content-Type") && h.ContentType == nil:
			h.ContentType = value
		case EqualFold(name, "Reply-Text") && h.ReplyText == nil:
			h.ReplyText = value
		case EqualFold(name, "Content-Disposition") && h.Disposition == nil:
			h.Disposition = value
		}
	}
	return h, ""
}

// parseLength accepts digits only; no value is no body.
func parseLength(value []byte, most int) (n int, reason string) {
	if len(value) == 0 {
		return 0, ""
	}
	for _, c := range value {
		if c < '0' || c > '9' {
			return 0, ReasonLength
		}
	}
	n, err := strconv.Atoi(string(value))
	if err != nil || n > most {
		return 0, ReasonBodySize
	}
	return n, ""
}

// headerLines yields the lines of a block before its blank one, each with
// whether it is a header. A line that the next one continues is refused
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

// dropRefused moves the lines that are headers to the front of the block,
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

// isHeaderLine says whether net/textproto accepts a line, given without its end.
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
	return EqualFold(bytes.TrimSpace(name), "Content-Length")
}

// isNameByte says whether c may be in the name of a header: a token of RFC 9110.
func isNameByte(c byte) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		return true
	}
	return c != 0 && bytes.IndexByte([]byte("!#$%&'*+-.^_`|~"), c) >= 0
}

// trimValue removes the blanks around a value. Even of an empty value it
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

// EqualFold compares the name of a header in any case.
func EqualFold(b []byte, s string) bool {
	return len(b) == len(s) && bytes.EqualFold(b, []byte(s))
}
