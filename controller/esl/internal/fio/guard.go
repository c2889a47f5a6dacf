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

// What a command waits for.
const (
	awaitNothing int32 = iota
	awaitCommandReply
	awaitAnyReply // an api command is answered by api/response, or refused by command/reply
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
	listed   Names // what is left of replies and events
	awaiting atomic.Int32
}

// await is called before a command is sent, and after it was answered.
func (g *guard) await(kind int32) { g.awaiting.Store(kind) }

// judge decides about a frame, and removes from a reply or an event the headers that
// are not listed: the slices of the frame's header are not valid any more then. The
// reason says why it does not pass.
func (g *guard) judge(f *frame.Frame) (v verdict, reason string) {
	switch string(f.ContentType) {
	case "command/reply":
		v, reason = g.judgeReply(f.ReplyText, false)
		if v == forward && g.listed != nil {
			trimReply(f, g.listed)
		}
		return v, reason
	case "api/response":
		return g.judgeReply(f.Body, true)
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

// judgeReply lets a reply pass if a command waits for one of its kind. The
// library looks at its first two bytes, and behind "-E" at those from the sixth.
func (g *guard) judgeReply(text []byte, api bool) (verdict, string) {
	kind := g.awaiting.Load()
	if kind == awaitNothing || api && kind != awaitAnyReply {
		return drop, DropUnasked
	}
	if len(text) < 2 || bytes.HasPrefix(text, []byte("-E")) && len(text) < 5 {
		return distrust, frame.ReasonShortReply
	}
	return passIf(g.awaiting.CompareAndSwap(kind, awaitNothing), DropUnasked)
}

// judgeJSON says whether the library survives an event, and trims it.
func (g *guard) judgeJSON(f *frame.Frame) bool {
	members := listedMembers{names: g.listed}
	ok, sure := flatEvent(f.Body, &members)
	if !sure { // FreeSWITCH did not write it
		return anyEvent(f.Body)
	}
	if ok && g.listed != nil {
		members.trim(f)
	}
	return ok
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
