package esl

import (
	"bufio"
	"bytes"
	"net/textproto"
	"strconv"
	"sync/atomic"
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
	wanted   []wantedName // Config.wanted
	awaiting atomic.Int32
}

// await notes that a command is about to be sent.
func (g *guard) await(kind int32) { g.awaiting.Store(kind) }

// judge decides about a frame, and takes out of a reply or an event what nobody wants:
// the slices of the frame's header are not good any more then. The reason says why it
// does not pass.
func (g *guard) judge(f *frame) (v verdict, reason string) {
	switch string(f.contentType) {
	case "command/reply":
		v, reason = g.judgeReply(f.replyText, false)
		if v == forward && g.wanted != nil {
			f.trimLines(g.wanted)
		}
		return v, reason
	case "api/response":
		return g.judgeReply(f.body, true)
	case "text/event-json":
		return passIf(g.judgeJSON(f), dropJSON)
	case "text/event-plain":
		return passIf(plainEvent(f.body), dropPlain)
	case "text/disconnect-notice":
		if string(f.disposition) == "linger" {
			return forward, ""
		}
		return forwardLast, ""
	case "":
		return distrust, reasonNoType
	}
	return drop, dropType
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
		return drop, dropUnasked
	}
	if len(text) < 2 || bytes.HasPrefix(text, []byte("-E")) && len(text) < 5 {
		return distrust, reasonShortReply
	}
	return passIf(g.awaiting.CompareAndSwap(kind, awaitNothing), dropUnasked)
}

// judgeJSON says whether the library takes an event, and leaves of it what is wanted.
func (g *guard) judgeJSON(f *frame) bool {
	if g.wanted == nil {
		return jsonEvent(f.body)
	}
	members := wantedMembers{names: g.wanted}
	ok, sure := flatEvent(f.body, &members)
	if !sure { // FreeSWITCH did not write it
		return anyEvent(f.body)
	}
	if ok {
		members.trim(f)
	}
	return ok
}

// plainEvent says whether the library takes the body of a text/event-plain frame.
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
