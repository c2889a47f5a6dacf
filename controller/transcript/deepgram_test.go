package transcript

import (
	"fmt"
	"testing"
)

func deepgramResult(channel int, final bool, start, duration float64) string {
	return fmt.Sprintf(`{"type":"Results","channel_index":[%d,2],"start":%v,"duration":%v,"is_final":%v,"channel":{"alternatives":[{"transcript":"a"}]}}`, channel, start, duration, final)
}

// What the service itself says that it has heard is answered, also if its last words came long before. It
// can't have heard more than it was sent.
func TestDeepgramHasHeard(t *testing.T) {
	for name, c := range map[string]struct {
		metadata string
		want     int64
	}{
		"nothing":     {`{"type":"UtteranceEnd"}`, 8000},
		"less":        {`{"type":"Metadata","duration":3}`, 24_000},
		"all":         {`{"type":"Metadata","duration":10}`, 80_000},
		"more":        {`{"type":"Metadata","duration":100}`, 80_000},
		"no duration": {`{"type":"Metadata"}`, 8000},
		"no time":     {`{"type":"Metadata","duration":-3}`, 8000},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWire(wireConfig(FormatDeepgram, ChannelCaller))
			w.finish()
			decodeAll(w, 80_000, deepgramResult(0, true, 0, 1), c.metadata)
			if got := w.end(); got != c.want {
				t.Errorf("answered up to %d, want %d", got, c.want)
			}
		})
	}
}

// What is answered is what the latest result has reached, of the channel that is furthest.
func TestDeepgramUnanswered(t *testing.T) {
	w := newWire(wireConfig(FormatDeepgram, ChannelCaller, ChannelCallee))
	decodeAll(w, 80_000, deepgramResult(0, false, 0, 4), deepgramResult(1, true, 0, 1))
	if got, _ := w.unanswered(); got != 80_000-32_000 {
		t.Errorf("%d frames are unanswered", got)
	}
}

// A word is as it is written, if the service says how.
func TestDeepgramPunctuates(t *testing.T) {
	got, errs := decodeAll(newWire(wireConfig(FormatDeepgram, ChannelCaller)), 8000,
		`{"type":"Results","channel_index":[0,1],"duration":1,"channel":{"alternatives":[{"transcript":"Yes, sir","words":[{"word":"yes","punctuated_word":"Yes,","end":0.5},{"word":"sir","start":0.5,"end":1}]}]}}`)
	if errs != nil {
		t.Error(errs)
	}
	compareAnswers(t, []answer{{news: true, text: "Yes, sir", to: 8000, words: []timedWord{{"Yes,", 0, 4000}, {"sir", 4000, 8000}}}}, got)
}
