package frame

import (
	"bytes"
	"iter"
	"strconv"
	"strings"
)

// Header is what decides about a frame. If a header is there twice, the first one
// counts, as for net/textproto.
type Header struct {
	ContentType []byte
	ReplyText   []byte
	Disposition []byte // Content-Disposition
	Refused     int    // lines that are no headers for net/textproto
}

// note keeps the value of a header that matters.
func (h *Header) note(line []byte) {
	name, value, _ := bytes.Cut(line, []byte(":"))
	switch {
	case EqualFold(name, "Content-Type") && h.ContentType == nil:
		h.ContentType = trimValue(value)
	case EqualFold(name, "Reply-Text") && h.ReplyText == nil:
		h.ReplyText = trimValue(value)
	case EqualFold(name, "Content-Disposition") && h.Disposition == nil:
		h.Disposition = trimValue(value)
	}
}

// cut returns the frame in data, size bytes of it its header block, without the lines
// that are no headers.
func cut(data []byte, size int) Frame {
	f := Frame{Data: data}
	n, read := 0, 0
	for line, good := range headerLines(data[:size]) {
		if good {
			end := n + copy(data[n:], line)
			f.note(data[n:end])
			n = end + copy(data[end:], "\n")
		} else {
			f.Refused++
		}
		read += len(line) + 1
	}
	if f.Refused > 0 {
		f.Data = data[:n+copy(data[n:], data[read:])] // the blank line and the body
	}
	f.Body = f.Data[n+size-read:]
	return f
}

// contentLength returns the length of the body that a header block announces, or why
// that can't be trusted.
func contentLength(block []byte) (length int, reason string) {
	found := false
	for line, good := range headerLines(block) {
		name, value, _ := bytes.Cut(line, []byte(":"))
		switch {
		case good && !EqualFold(name, "Content-Length"):
			continue
		case good && !found:
			found = true
			length, reason = parseLength(trimValue(value))
		case good || EqualFold(bytes.TrimSpace(name), "Content-Length"):
			reason = ReasonLength
		}
		if reason != "" {
			return 0, reason
		}
	}
	return length, ""
}

// parseLength accepts digits only; no value is no body.
func parseLength(value []byte) (n int, reason string) {
	if len(value) == 0 {
		return 0, ""
	}
	for _, c := range value {
		if c < '0' || c > '9' {
			return 0, ReasonLength
		}
	}
	n, err := strconv.Atoi(string(value))
	if err != nil || n > maxBody {
		return 0, ReasonBodySize
	}
	return n, ""
}

// headerLines yields the lines of a block before its blank one, each with
// whether it is a header. A line that the next one continues is refused
// together with it: FreeSWITCH folds no lines.
func headerLines(block []byte) iter.Seq2[[]byte, bool] {
	return func(yield func([]byte, bool) bool) {
		for len(block) > 0 {
			line, rest, _ := bytes.Cut(block, []byte("\n"))
			if len(trimCR(line)) == 0 {
				return
			}
			folded := len(rest) > 0 && (rest[0] == ' ' || rest[0] == '\t')
			if !yield(line, !folded && isHeaderLine(trimCR(line))) {
				return
			}
			block = rest
		}
	}
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

// isNameByte says whether c may be in the name of a header: a token of RFC 9110.
func isNameByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0
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
