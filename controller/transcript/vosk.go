package transcript

import (
	"encoding/json"
	"strings"
)

// vosk is the wire of Vosk's server, which hears one channel: one configuration, then binary audio. Each
// message of audio has exactly one answer, so that it is known how far the service has come.
type vosk struct {
	config   Config
	ends     []int64 // of the messages that are not answered yet, in frames
	sentTo   int64
	answered int64
	final    int64 // where the last final result ended
	asked    bool  // for the last words
}

func (v *vosk) open() []byte {
	members := map[string]any{}
	for name, text := range v.config.Parameters {
		members[name] = parameterValue(text)
	}
	members["sample_rate"], members["words"] = v.config.Rate, true
	if v.config.Model != "" {
		members["model"] = v.config.Model
	}
	message, _ := json.Marshal(map[string]any{"config": members}) // which has nothing that can't be encoded
	return message
}

// parameterValue is a parameter as JSON: a list, a number or a word of JSON is that, all else a text.
func parameterValue(text string) any {
	if json.Valid([]byte(text)) {
		return json.RawMessage(text)
	}
	return text
}

func (v *vosk) idle() []byte { return nil }

func (v *vosk) sent(end int64) { v.ends, v.sentTo = append(v.ends, end), end }

func (v *vosk) unanswered() int64 { return v.sentTo - v.answered }

// finish is the text that Vosk's server compares with, blanks and all.
func (v *vosk) finish() []byte {
	v.asked = true
	return []byte(`{"eof" : 1}`)
}

type voskResult struct {
	Partial *string `json:"partial"`
	voskText
	// Alternatives are there if the parameter max_alternatives asks for them, the best first.
	Alternatives []voskText `json:"alternatives"`
}

type voskText struct {
	Text   *string    `json:"text"`
	Result []voskWord `json:"result"`
}

type voskWord struct {
	Word       string  `json:"word"`
	Start      float64 `json:"start"`
	End        float64 `json:"end"`
	Confidence float64 `json:"conf"`
}

func (v *vosk) decode(message []byte) (answer, error) {
	a := answer{done: v.answer(), from: v.final, to: v.answered, answered: v.final}
	var r voskResult
	if err := json.Unmarshal(message, &r); err != nil {
		return a, err
	}
	if r.Text == nil && len(r.Alternatives) > 0 {
		r.voskText = r.Alternatives[0]
	}
	switch {
	case r.Text != nil:
	case r.Partial != nil:
		a.words, a.text = true, *r.Partial
		return a, nil
	default:
		return a, wrongf(wrongMember, "neither partial nor text")
	}
	v.final = v.answered
	a.words, a.final, a.text, a.answered = true, true, *r.Text, v.answered
	if len(r.Result) == 0 {
		return a, nil
	}
	return a, v.place(&a, r.Result)
}

// answer notes that one more message is answered, whatever by, and says whether that was the last.
func (v *vosk) answer() (last bool) {
	if len(v.ends) > 0 {
		v.answered, v.ends = v.ends[0], v.ends[1:]
		return false
	}
	return v.asked
}

// place finds where the words were spoken.
func (v *vosk) place(a *answer, words []voskWord) (err error) {
	if a.from, a.to, err = v.config.span(words[0].Start, words[len(words)-1].End, v.sentTo); err != nil {
		a.from, a.to, a.words = 0, 0, false
		return err
	}
	sum := 0.0
	for _, w := range words {
		sum += w.Confidence
	}
	a.confidence = sum / float64(len(words))
	if strings.TrimSpace(a.text) == "" {
		for _, w := range words {
			a.text += " " + w.Word
		}
	}
	return nil
}
