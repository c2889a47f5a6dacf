package recogniser

import (
	"fmt"
	"slices"
	"strings"

	"github.com/coder/websocket"
)

// Nonsense is an answer that no recogniser gives.
type Nonsense string

// The kinds of nonsense.
const (
	NotJSON     Nonsense = "not-json"
	Truncated   Nonsense = "truncated"   // JSON without its end
	Empty       Nonsense = "empty"       // a message of no bytes
	Null        Nonsense = "null"        // JSON that is no object
	Deep        Nonsense = "deep"        // a hundred thousand arrays, each in another
	WrongTypes  Nonsense = "wrong-types" // texts for numbers, and the other way round
	NoFields    Nonsense = "no-fields"
	UnknownType Nonsense = "unknown-type" // a message that a later version may have
	OwnError    Nonsense = "own-error"    // the service says that it has an error
	Binary      Nonsense = "binary"       // a good result in a binary message
	Huge        Nonsense = "huge"         // a transcript of 10 MB
	ManyWords   Nonsense = "many-words"   // a result of 20,000 words
	// The following are final results of which one thing is wrong.
	NegativeTimes     Nonsense = "negative-times"
	BeyondAudio       Nonsense = "beyond-audio"   // a million seconds on
	EndBeforeStart    Nonsense = "end-first"      // each word ends before it starts
	NotNumbers        Nonsense = "not-numbers"    // NaN, which is no JSON
	TooLarge          Nonsense = "too-large"      // 1e999, which is no float64
	LargeNumbers      Nonsense = "large-numbers"  // 1e300, which is no time
	ControlCharacters Nonsense = "control"        // also what means something in logs, on terminals and pages, and in WebVTT
	InvalidUTF8       Nonsense = "invalid-utf8"   // a text message may not have it
	Confident         Nonsense = "confident"      // a confidence of 1000
	ChannelOutOfRange Nonsense = "channel"        // the eighth of two, as the next three on deepgram only
	NegativeChannel   Nonsense = "minus-channel"  // the one before the first
	NoChannel         Nonsense = "no-channel"     // an empty channel_index
	NoAlternatives    Nonsense = "no-alternative" // a channel without any
	// Flood is five thousand good messages a second, until the fault ends.
	Flood Nonsense = "flood"
)

// Nonsenses are all kinds.
func Nonsenses() []Nonsense {
	all := []Nonsense{Huge, ManyWords, Deep, Binary, NoAlternatives, Flood}
	for kind := range raw {
		all = append(all, kind)
	}
	for kind := range odd {
		all = append(all, kind)
	}
	slices.Sort(all)
	return all
}

// raw are messages that are no result, on deepgram and on vosk.
var raw = map[Nonsense][2]string{
	NotJSON:     {"simulated: this is no JSON", "simulated: this is no JSON"},
	Truncated:   {`{"type":"Results","channel_index":[0,`, `{"text" : "on`},
	Empty:       {"", ""},
	Null:        {"null", "null"},
	NoFields:    {`{"type":"Results"}`, `{}`},
	UnknownType: {`{"type":"Simulated","start":1}`, `{"simulated" : true}`},
	OwnError:    {`{"type":"Error","code":"SIM-0001","description":"simulated","message":"error"}`, `{"error" : "simulated"}`},
	WrongTypes: {
		`{"type":"Results","channel_index":"0","start":"soon","duration":{},"is_final":"yes","channel":[{"alternatives":7}]}`,
		`{"result" : "one", "text" : 7, "partial" : [1]}`,
	},
}

// result is a final one as JSON, value by value.
type result struct{ channel, start, duration, from, to, text, confidence string }

// good is one of which nothing is wrong.
var good = result{channel: "[0,1]", start: "0.0", duration: "0.5", from: "0.1", to: "0.3", text: `"one"`, confidence: "0.98"}

// odd are the values that are wrong.
var odd = map[Nonsense]result{
	NegativeTimes:     {start: "-5.0", duration: "-1.0", from: "-3.0", to: "-2.0"},
	BeyondAudio:       {start: "1000000.0", duration: "3600.0", from: "1000001.0", to: "1000002.0"},
	EndBeforeStart:    {from: "0.3", to: "0.1"},
	NotNumbers:        {start: "NaN", duration: "NaN", from: "NaN", to: "NaN", confidence: "NaN"},
	TooLarge:          {start: "1e999", duration: "1e999", from: "1e999", to: "1e999"},
	LargeNumbers:      {start: "1e300", duration: "1e300", from: "1e300", to: "1e300", confidence: "1e300"},
	ControlCharacters: {text: `"one\u0000\u0007\u001b[2J\r\nlevel=error <b>&\u202e --> two"`},
	InvalidUTF8:       {text: "\"one \xff\xfe\xc3\""},
	Confident:         {confidence: "1000"},
	ChannelOutOfRange: {channel: "[7,2]"},
	NegativeChannel:   {channel: "[-1,1]"},
	NoChannel:         {channel: "[]"},
}

// message is what is sent.
func (n Nonsense) message(f Format) (websocket.MessageType, []byte) {
	if texts, ok := raw[n]; ok {
		if f == Vosk {
			return websocket.MessageText, []byte(texts[1])
		}
		return websocket.MessageText, []byte(texts[0])
	}
	r := good
	switch n {
	case Deep:
		return websocket.MessageText, []byte(strings.Repeat("[", 100_000))
	case NoAlternatives:
		return websocket.MessageText, []byte(`{"type":"Results","channel_index":[0,1],"start":0.0,"duration":0.5,"is_final":true,"speech_final":true,"channel":{"alternatives":[]}}`)
	case Huge:
		r.text = `"` + strings.Repeat("one ", 10_000_000/4) + `"`
	}
	times := 1
	if n == ManyWords {
		times = 20_000
	}
	b := []byte(r.but(odd[n]).json(f, times))
	if n == Binary {
		return websocket.MessageBinary, b
	}
	return websocket.MessageText, b
}

// but is r with the values that o has.
func (r result) but(o result) result {
	values, others := []*string{&r.channel, &r.start, &r.duration, &r.from, &r.to, &r.text, &r.confidence},
		[]string{o.channel, o.start, o.duration, o.from, o.to, o.text, o.confidence}
	for i, v := range others {
		if v != "" {
			*values[i] = v
		}
	}
	return r
}

// json is the message, with its word so many times.
func (r result) json(f Format, times int) string {
	if f == Vosk {
		word := fmt.Sprintf(`{"conf" : %s, "end" : %s, "start" : %s, "word" : %s}`, r.confidence, r.to, r.from, r.text)
		return fmt.Sprintf(`{"result" : [%s], "text" : %s}`, repeat(word, times), r.text)
	}
	word := fmt.Sprintf(`{"word":%s,"start":%s,"end":%s,"confidence":%s,"punctuated_word":%s}`, r.text, r.from, r.to, r.confidence, r.text)
	return fmt.Sprintf(`{"type":"Results","channel_index":%s,"duration":%s,"start":%s,"is_final":true,"speech_final":true,"from_finalize":false,`+
		`"channel":{"alternatives":[{"transcript":%s,"confidence":%s,"words":[%s]}]}}`,
		r.channel, r.duration, r.start, r.text, r.confidence, repeat(word, times))
}

func repeat(s string, times int) string {
	return strings.TrimSuffix(strings.Repeat(s+",", times), ",")
}
