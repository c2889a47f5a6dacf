package fio

import (
	"bufio"
	"bytes"
	"net/textproto"
	"strconv"
	"sync/atomic"

	"tapdeck/controller/esl/internal/frame"
)

// The reasons for which a frame or a line of it is kept from the library.
const (
	DropType    = "unknown content type"
	DropLine    = "header line"
	DropUnasked = "unasked reply"
	DropJSON    = "bad JSON event"
	DropPlain   = "bad plain event"
)

// verdict is what becomes of a frame.
type verdict int

const (
	forward     verdict = iota
	forwardLast         // the switch's last frame
	drop
	distrust // the connection ends
)

// guard decides which frames of one connection the library may see.
type guard struct {
	listed   Names       // what is left of replies and events
	inLine   bool        // the command has begun a line
	awaiting atomic.Bool // a command waits for its reply
}

// pass takes note of a part of a command that is on its way to the switch. A reply passes
// once all of it is: the blank line at its end says so.
func (g *guard) pass(part []byte) {
	for _, b := range part {
		if b == '\n' && !g.inLine {
			g.awaiting.Store(true)
		}
		g.inLine = b != '\n' && (g.inLine || b != '\r')
	}
}

// judge decides about a frame, and removes from a reply or an event the headers that
// are not listed: the slices of the frame's header are not valid any more then. The
// reason says why it does not pass.
func (g *guard) judge(f *frame.Frame) (v verdict, reason string) {
	switch string(f.ContentType) {
	case "command/reply":
		v, reason = g.judgeReply(f.ReplyText)
		if v == forward && g.listed != nil {
			trimReply(f, g.listed)
		}
		return v, reason
	case "text/event-json":
		return passIf(g.judgeJSON(f), DropJSON)
	case "text/event-plain":
		return passIf(plainEvent(f.Body), DropPlain)
	case "text/disconnect-notice":
		if string(f.Disposition) == "linger" {
			return forward, ""
		}
		return forwardLast, ""
	case "":
		return distrust, frame.ReasonNoType
	}
	return drop, DropType
}

func passIf(ok bool, reason string) (verdict, string) {
	if ok {
		return forward, ""
	}
	return drop, reason
}

// judgeReply lets a reply pass if a command waits for one. The library looks at its
// first two bytes, and behind "-E" at those from the sixth.
func (g *guard) judgeReply(text []byte) (verdict, string) {
	switch {
	case !g.awaiting.CompareAndSwap(true, false):
		return drop, DropUnasked
	case len(text) < 2 || bytes.HasPrefix(text, []byte("-E")) && len(text) < 5:
		return distrust, frame.ReasonShortReply
	}
	return forward, ""
}

// judgeJSON says whether the library survives an event, and trims it if FreeSWITCH wrote it.
func (g *guard) judgeJSON(f *frame.Frame) bool {
	var room [32][2]int
	members, flat := flatEvent(f.Body, g.listed, room[:0])
	if !flat {
		return anyEvent(f.Body)
	}
	if g.listed != nil {
		trimEvent(f, members)
	}
	return true
}

// plainEvent says whether the library survives the body of a text/event-plain frame.
func plainEvent(body []byte) bool {
	in := bufio.NewReader(bytes.NewReader(body))
	h, err := textproto.NewReader(in).ReadMIMEHeader()
	if err != nil {
		return false
	}
	v := h.Get("Content-Length")
	if v == "" {
		return true
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 0 || n > len(body) {
		return false
	}
	got, _ := in.Discard(n)
	return got == n
}
