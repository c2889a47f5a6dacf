package recogniser

import (
	"encoding/json"
	"strings"
)

// kind is what a result of deepgram is: final, at the end of an utterance, asked for.
type kind struct{ final, speech, finalize bool }

// confidence is that of every word.
const confidence = 0.98

// results is deepgram's message.
type results struct {
	Type         string  `json:"type"`
	Index        [2]int  `json:"channel_index"`
	Duration     float64 `json:"duration"`
	Start        float64 `json:"start"`
	IsFinal      bool    `json:"is_final"`
	SpeechFinal  bool    `json:"speech_final"`
	FromFinalize bool    `json:"from_finalize"`
	Channel      struct {
		Alternatives [1]alternative `json:"alternatives"`
	} `json:"channel"`
	Metadata metadata `json:"metadata"`
}

type alternative struct {
	Transcript string     `json:"transcript"`
	Confidence float64    `json:"confidence"`
	Words      []wordJSON `json:"words"`
}

type wordJSON struct {
	Word       string  `json:"word"`
	Start      float64 `json:"start"`
	End        float64 `json:"end"`
	Confidence float64 `json:"confidence"`
	Punctuated string  `json:"punctuated_word"`
}

type metadata struct {
	ID    string `json:"request_id"`
	Model struct {
		Name string `json:"name"`
	} `json:"model_info"`
}

// send sends a result of one channel about the audio between two positions.
func (d *deepgram) send(n, from, to int, words []tone, k kind) {
	m := results{
		Type: "Results", Index: [2]int{n, len(d.hearing.channels)}, Start: d.seconds(from), Duration: d.seconds(to - from),
		IsFinal: k.final, SpeechFinal: k.speech, FromFinalize: k.finalize,
	}
	a := alternative{Transcript: transcript(words), Words: []wordJSON{}}
	for _, t := range words {
		w := vocabulary[t.word].word
		a.Words = append(a.Words, wordJSON{w, d.seconds(t.from), d.seconds(t.to), confidence, w})
		a.Confidence = confidence
	}
	m.Channel.Alternatives[0] = a
	m.Metadata.ID, m.Metadata.Model.Name = d.c.id(), d.p.model
	d.c.answer(marshal(m), k.final)
}

func (d *deepgram) seconds(samples int) float64 { return float64(samples) / float64(d.p.rate) }

func transcript(words []tone) string {
	texts := make([]string, len(words))
	for i, t := range words {
		texts[i] = vocabulary[t.word].word
	}
	return strings.Join(texts, " ")
}

// events are deepgram's of one channel.
type events struct {
	started bool // words have come in this utterance
	waiting bool // the last words may have an UtteranceEnd
}

// speechStarted sends the message of that name, if it was asked for and it is time.
func (d *deepgram) speechStarted(n int, c *channel) {
	e := &d.events[n]
	talks := c.talks() || c.speaking
	if talks && !e.started && d.p.vadEvents {
		d.c.answer(marshal(struct {
			Type    string  `json:"type"`
			Channel [2]int  `json:"channel"`
			At      float64 `json:"timestamp"`
		}{"SpeechStarted", [2]int{n, len(d.events)}, d.seconds(c.soFar()[0].from)}), false)
	}
	e.started = talks
	e.waiting = e.waiting || c.speaking
}

// utteranceEnd sends the message of that name, if it was asked for and it is time.
func (d *deepgram) utteranceEnd(n int, c *channel) {
	e := &d.events[n]
	if d.p.utteranceEnd == 0 || !e.waiting || c.ear.resolved()-c.last < d.samples(d.p.utteranceEnd) {
		return
	}
	e.waiting = false
	d.c.answer(marshal(struct {
		Type    string  `json:"type"`
		Channel [2]int  `json:"channel"`
		At      float64 `json:"last_word_end"`
	}{"UtteranceEnd", [2]int{n, len(d.events)}, d.seconds(c.last)}), false)
}

// marshal is json.Marshal of what can't fail.
func marshal(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic("recogniser: " + err.Error())
	}
	return b
}
