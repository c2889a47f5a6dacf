package recogniser

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/coder/websocket"
)

// vosk is the wire of the Vosk server.
type vosk struct {
	c       *Connection
	rate    int
	words   bool
	hearing *hearing // nil until there is audio: then the configuration can't be changed any more
	over    bool     // an utterance has ended that was not answered
	result  []tone   // the words of all such
}

func newVosk(c *Connection) *vosk { return &vosk{c: c, rate: 8000, words: true} }

func (v *vosk) duration(bytes int) time.Duration { return position(bytes/2, v.rate) }

// begin makes the recogniser, if there is none.
func (v *vosk) begin() {
	if v.hearing == nil {
		v.hearing = newHearing(v.rate, 1, false, v.c.server.Deaf)
	}
}

func (v *vosk) audio(b []byte, replaced bool) {
	if len(b)%2 != 0 {
		v.c.complain("audio of %d bytes", len(b))
	}
	v.begin()
	v.hearing.add(b[:len(b)&^1], v.step)
	switch {
	case replaced: // the words wait for the next answer
	case v.over:
		v.final()
	default:
		v.c.answer(fmt.Appendf(nil, "{\n  \"partial\" : %q\n}", transcript(v.hearing.channels[0].soFar())), false)
	}
}

// step is the end of a window.
func (v *vosk) step(_ int, c *channel) {
	now := c.ear.resolved()
	silent := !c.speaking && now-c.done >= samples(v.c.server.final(), v.rate)
	if silent || c.silentFor(samples(v.c.server.silence(), v.rate)) {
		v.cut(c, now)
	}
}

func (v *vosk) cut(c *channel, at int) {
	v.over, c.speaking = true, false
	v.result = append(v.result, c.cut(at)...)
}

// final answers with the words of the utterances that have ended.
func (v *vosk) final() {
	words := v.result
	v.over, v.result = false, nil
	v.c.answer(v.json(words), true)
}

// json is a result, written as vosk does.
func (v *vosk) json(words []tone) []byte {
	var b strings.Builder
	b.WriteString("{\n")
	if v.words && len(words) > 0 {
		var list []string
		for _, t := range words {
			list = append(list, fmt.Sprintf("{\n      \"conf\" : %f,\n      \"end\" : %f,\n      \"start\" : %f,\n      \"word\" : %q\n    }",
				1.0, position(t.to, v.rate).Seconds(), position(t.from, v.rate).Seconds(), vocabulary[t.word].word))
		}
		fmt.Fprintf(&b, "  \"result\" : [%s],\n", strings.Join(list, ", "))
	}
	fmt.Fprintf(&b, "  \"text\" : %q\n}", transcript(words))
	return []byte(b.String())
}

// text is a configuration if it has that word, or the end if it is exactly that; a real server raises an
// exception at any other.
func (v *vosk) text(b []byte) {
	switch text := string(b); {
	case strings.Contains(text, "config"):
		if err := v.configure(b); err != nil {
			v.fail("text %.200q: %v", b, err)
		}
	case text == `{"eof" : 1}`:
		v.c.note(func(r *Report) { r.EOFs++ })
		v.eof()
	default:
		v.fail(`text %.200q: neither a config nor {"eof" : 1}`, b)
	}
}

// fail is what an exception leads to.
func (v *vosk) fail(format string, args ...any) {
	v.c.complain(format, args...)
	v.c.finish(websocket.StatusInternalError, "")
}

func (v *vosk) configure(b []byte) error {
	var m struct {
		Config json.RawMessage `json:"config"`
	}
	var config struct {
		Rate  *float64 `json:"sample_rate"`
		Words *bool    `json:"words"`
	}
	if err := json.Unmarshal(b, &m); err != nil {
		return fmt.Errorf("read message: %w", err)
	}
	if err := json.Unmarshal(m.Config, &config); err != nil {
		return fmt.Errorf("read config: %w", err)
	}
	v.c.note(func(r *Report) { r.Config = m.Config })
	if v.hearing != nil {
		v.c.complain("config after audio, which changes nothing")
		return nil
	}
	if config.Words != nil {
		v.words = *config.Words
	}
	if config.Rate == nil {
		return nil
	}
	if *config.Rate < 8000 || *config.Rate > 48000 {
		return fmt.Errorf("sample_rate %v: not in 8000 to 48000", *config.Rate)
	}
	v.rate = int(*config.Rate)
	return nil
}

// eof answers with the rest, and closes.
func (v *vosk) eof() {
	if v.c.fault().NeverFinishes {
		return
	}
	v.begin()
	v.hearing.finish(func(_ int, c *channel) { v.cut(c, c.ear.at) })
	v.final()
	v.c.finish(websocket.StatusNormalClosure, "")
}
