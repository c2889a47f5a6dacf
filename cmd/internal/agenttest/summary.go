package agenttest

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"tapdeck/cmd/internal/finding"
	"tapdeck/controller/pcm"
	"tapdeck/controller/player"
)

// media is all audio of the bot.
func (x *examination) media() {
	const check = "media"
	h := x.mouth.state()
	if h.messages == 0 {
		return // answer has said so
	}
	mean := h.audio / time.Duration(h.messages)
	switch {
	case h.ahead > player.DefaultLimit:
		x.report(finding.Fail, check, "have the bot wait for its marks, or send its audio in real time: what is more than player.limit is lost",
			"%v of audio waited to be heard; a call keeps %v", short(h.ahead), player.DefaultLimit)
	case h.messages > 10 && mean < frame/2:
		x.report(finding.Warn, check, "have the bot send at least 20 ms in a message: each costs as much as a long one",
			"%d messages of %v each", h.messages, mean.Round(100*time.Microsecond))
	default:
		x.pass(check, "%d messages, %v of audio, the longest %v (%d bytes as PCM of %d Hz); at most %v waited to be heard",
			h.messages, short(h.audio), short(h.longest), pcm.Bytes(h.longest, x.Rate), x.Rate, short(h.ahead))
	}
}

// marks says what the bot did with them.
func (x *examination) marks() {
	const check = "marks"
	h := x.mouth.state()
	switch {
	case x.flooded() == "marks":
		x.report(finding.Fail, check, "a mark follows the audio whose end the bot wants to know: one for each thing that it says", "%d marks, %d of them waiting at once", h.marks, h.waiting)
	case x.flooded() == "clears":
		x.report(finding.Fail, check, "one clear drops all that has not been heard: send it once", "%d clears", h.clears)
	case h.marks == 0:
		x.report(finding.Unknown, check, "a bot that wants to know what was heard sends a mark behind its audio", "the bot has sent none")
	default:
		x.pass(check, "%d, of which %d came back before the end", h.marks, h.back)
	}
}

// todos say what to do about wrong messages, by what the session calls them.
var todos = map[string]string{
	"no JSON object":     "each text message of a bot is one JSON object",
	"unknown event":      "this wire has no such event: is --format the bot's?",
	"wrong member":       "send the message with the members that the wire has",
	"no base64":          "media.payload is standard base64 of µ-law at 8000 Hz, with its padding and without a header",
	"half a sample":      "a binary message holds whole samples of 16 bits: keep an odd byte for the next one",
	"binary":             "the twilio wire has text messages only; --format pcm is the one of bots that send binary audio",
	"another stream":     "answer with the streamSid of this connection's start message",
	"long mark name":     "a mark's name has at most 1024 bytes",
	"too big":            "a message has at most 1 MiB: send audio in several",
	"too many requests":  "ask for less at once",
	"too many frames":    "a ping every few seconds is enough, and a message belongs into one frame",
	"no WebSocket frame": "what came is no WebSocket frame: does a proxy change it?",
	"":                   "the daemon could not use it",
}

// messages are those that were wrong.
func (x *examination) messages() {
	const check = "messages"
	counts := x.session.State().Wrong
	for _, kind := range slices.Sorted(maps.Keys(counts)) {
		x.report(finding.Fail, check, cmp.Or(todos[kind], todos[""]), "%s (%d times)", x.first(kind), counts[kind])
	}
	if len(counts) == 0 {
		x.pass(check, "none was wrong")
	}
}

// first is what is known of the first wrong message of a kind.
func (x *examination) first(kind string) string {
	for _, e := range x.wrong {
		if strings.HasPrefix(e.Err.Error(), kind) {
			return e.Err.Error()
		}
	}
	return kind
}
