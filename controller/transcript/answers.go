package transcript

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"tapdeck/controller/dialer"
)

// maxText bounds the text of a segment, in bytes.
const maxText = 4 << 10

// handle does what a message says. It returns true if nothing follows it.
func (c *connection) handle(binary bool, message []byte) (done bool) {
	if binary {
		c.wrong(wrongf(wrongMember, "a binary message"))
		return false
	}
	a, segment, err := c.decode(message)
	signal(c.progress)
	if err != nil {
		c.wrong(err)
	}
	if err == nil || asWrong(err).kind == wrongService {
		c.s.noteSpoke()
	}
	if a.news {
		c.say(a.channel, segment)
	}
	return a.done && c.concluded()
}

// decode finds what a message says, and what it answers.
func (c *connection) decode(message []byte) (answer, Segment, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a, err := c.wire.decode(message)
	segment := c.segment(a)
	c.s.noteAnswered(c.pending.answered(a.answered))
	return a, segment, err
}

// wrong counts a message that is not as it should be. Many of them are read slowly.
func (c *connection) wrong(err error) {
	c.s.countWrong(asWrong(err))
	c.Spend(dialer.CostSeldom)
}

// segment is what an answer says, on the recording's clock.
func (c *connection) segment(a answer) Segment {
	text := plain(a.text)
	s := Segment{
		Channel: c.config.Channels[a.channel], From: c.pending.position(a.from), To: c.pending.end(a.to),
		Text: c.s.conceal(text), Confidence: min(max(a.confidence, 0), 1), Final: a.final,
	}
	if s.Text != text { // and single words may have a part of the secret
		return s
	}
	for _, w := range a.words {
		s.Words = append(s.Words, Word{plain(w.text), c.pending.position(w.from), c.pending.end(w.to)})
	}
	return s
}

// noteSpoke notes that a message was as it should be.
func (s *Session) noteSpoke() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.spoke = true
}

// hasSpoken says that any message was as it should be.
func (s *Session) hasSpoken() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.spoke
}

// conceal leaves the key out of what is said, unless it is so short that it may be a word.
func (s *Session) conceal(text string) string {
	if len(s.config.Key) < leastSecret {
		return text
	}
	return s.target.Conceal(text)
}

// say makes a segment known that is new and has words.
func (c *connection) say(channel int, segment Segment) {
	segment = segment.After(c.before[channel])
	before := c.interim[channel]
	c.interim[channel] = ""
	switch {
	case segment.Text == "" && before == "":
		return
	case segment.Text == "": // the interim words turned out to be none
		segment.Final = false
	case segment.Final:
		c.s.metrics.said(c.delay(segment))
		defer c.Spend(dialer.CostSeldom) // more than 100 in a second are nonsense
	case !c.config.Interim:
		return
	default:
		if c.interim[channel] = segment.Text; segment.Text == before {
			return
		}
		defer func() { c.Spend(costInterim) }()
	}
	if !c.s.say(channel, segment) {
		c.wrong(wrongf(wrongTooMany, "more than %d segments at once", maxNews))
	}
}

// withdraw takes back the words that will not become final any more. The connection is over.
func (c *connection) withdraw() {
	for channel, text := range c.interim {
		if text != "" {
			c.s.say(channel, Segment{Channel: c.config.Channels[channel]})
		}
	}
}

// costInterim is that of words that may still change: 400 in a second.
const costInterim = dialer.CostSeldom / 4

// delay is the time since a segment was spoken, of a recording that is live.
func (c *connection) delay(segment Segment) time.Duration {
	if c.config.Position == nil {
		return 0
	}
	return c.config.Position(time.Now()) - segment.To
}

// plain is one line of valid UTF-8 without control characters, maxText bytes at most.
func plain(text string) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	if len(text) > maxText {
		cut := maxText - len("…")
		for !utf8.RuneStart(text[cut]) {
			cut--
		}
		text = text[:cut] + "…"
	}
	isSpace := func(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) }
	return strings.Join(strings.FieldsFunc(text, isSpace), " ")
}
