package transcript

import (
	"encoding/json"
	"time"
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
	ended    bool  // the last words have come
	strange  int   // messages that are no answer, or are one that we do not know
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

// unanswered takes what is no answer for one.
func (v *vosk) unanswered() (frames int64, most time.Duration) {
	answered := v.answered
	if n := min(v.strange, len(v.ends)); n > 0 {
		answered = v.ends[n-1]
	}
	return v.sentTo - answered, 10 * time.Second
}

// finish is the text that Vosk's server compares with, blanks and all.
func (v *vosk) finish() []byte {
	v.asked = true
	return []byte(`{"eof" : 1}`)
}

type voskResult struct {
	Partial *string    `json:"partial"`
	Text    *string    `json:"text"`
	Result  []voskWord `json:"result"`
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
	var r voskResult
	if err := json.Unmarshal(message, &r); err != nil {
		v.strange++
		return answer{answered: v.final}, err
	}
	if r.Text == nil && len(r.Alternatives) > 0 {
		r.Text, r.Result = r.Alternatives[0].Text, r.Alternatives[0].Result
	}
	if r.Text == nil && r.Partial == nil {
		v.strange++
		return answer{answered: v.final}, wrongf(wrongMember, "neither partial nor text")
	}
	last := v.answer()
	a := answer{news: true, from: v.final, to: v.answered, answered: v.final}
	if r.Text == nil {
		a.text = *r.Partial
		return a, nil
	}
	v.final, v.ended = v.answered, v.asked && len(v.ends) <= v.strange
	a.final, a.text, a.answered, a.done = true, *r.Text, v.answered, last
	return a, v.locate(&a, r.Result)
}

// answer notes that one more message is answered, and says whether that was the one for the last words.
func (v *vosk) answer() (last bool) {
	if len(v.ends) > 0 {
		v.answered, v.ends = v.ends[0], v.ends[1:]
		return false
	}
	return v.asked
}

// locate finds where the words were spoken, if the service tells it as it should. Words whose times are wrong
// were spoken since the last final result, as are those that have none.
func (v *vosk) locate(a *answer, result []voskWord) (err error) {
	if len(result) == 0 {
		return nil
	}
	var list []spoken
	sum := 0.0
	for _, w := range result {
		list = append(list, spoken{w.Word, w.Start, w.End})
		sum += w.Confidence
	}
	if a.words, err = v.config.spans(list, v.sentTo); err != nil {
		return err
	}
	a.confidence = sum / float64(len(result))
	a.from, a.to = a.words[0].from, max(a.words[0].from, a.words[len(a.words)-1].to)
	return nil
}

// end is what it has answered message by message, or all if it has said its last words, whatever answers before
// them were none that we know.
func (v *vosk) end() int64 {
	if v.ended {
		return v.sentTo
	}
	return v.answered
}
