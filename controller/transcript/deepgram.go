package transcript

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// deepgram is the wire of Deepgram's live transcription: all that it has to know is in the URL, and it
// tells for each channel of which stretch of the audio it speaks.
type deepgram struct {
	config Config
	sentTo int64
	final  []int64 // of each channel, where its last final result ended
	latest int64   // where the latest result ended
	heard  int64   // what Metadata says of it
	asked  bool    // for the last words
}

// deepgramURL is the service's URL with what it has to know.
func (c Config) deepgramURL() string {
	u, err := url.Parse(c.URL)
	if err != nil {
		return c.URL // which the configuration has checked
	}
	query := u.Query()
	for name, text := range c.Parameters {
		query.Set(name, text)
	}
	query.Set("encoding", "linear16")
	query.Set("sample_rate", strconv.Itoa(c.Rate))
	query.Set("channels", strconv.Itoa(len(c.Channels)))
	query.Set("interim_results", strconv.FormatBool(c.Interim))
	if len(c.Channels) > 1 {
		query.Set("multichannel", "true")
	}
	for name, text := range map[string]string{"model": c.Model, "language": c.Language} {
		if text != "" {
			query.Set(name, text)
		}
	}
	u.RawQuery = query.Encode()
	return u.String()
}

func (d *deepgram) open() []byte { return nil }

func (d *deepgram) idle() []byte { return []byte(`{"type":"KeepAlive"}`) }

func (d *deepgram) sent(end int64) { d.sentTo = end }

// unanswered is much, since nobody says how often the service speaks while nobody else does.
func (d *deepgram) unanswered() (frames int64, most time.Duration) {
	return d.sentTo - d.latest, time.Duration(max(d.config.Speed, 1) * float64(time.Minute))
}

// end is what its final results have reached, with a little silence behind them, or what the service itself
// says that it has heard.
func (d *deepgram) end() int64 {
	end := max(slices.Min(d.final), d.heard)
	if end > 0 && d.sentTo-end <= d.config.frames(tailTime) {
		end = d.sentTo
	}
	return min(end, d.sentTo)
}

// tailTime is how much audio there may be behind the last final result.
const tailTime = 2 * time.Second

func (d *deepgram) finish() []byte {
	d.asked = true
	return []byte(`{"type":"CloseStream"}`)
}

// deepgramMessage is any of Deepgram's messages, as far as we read them.
type deepgramMessage struct {
	Type string `json:"type"`
	// Of Results.
	ChannelIndex []int           `json:"channel_index"`
	Start        float64         `json:"start"`
	Duration     float64         `json:"duration"`
	IsFinal      bool            `json:"is_final"`
	Channel      json.RawMessage `json:"channel"` // of other messages a list
	// Of Error and Warning.
	Description string `json:"description"`
	Message     string `json:"message"`
	Code        string `json:"code"`
}

type deepgramChannel struct {
	Alternatives []struct {
		Transcript string  `json:"transcript"`
		Confidence float64 `json:"confidence"`
		Words      []struct {
			Word       string  `json:"word"`
			Punctuated string  `json:"punctuated_word"`
			Start      float64 `json:"start"`
			End        float64 `json:"end"`
		} `json:"words"`
	} `json:"alternatives"`
}

func (d *deepgram) decode(message []byte) (answer, error) {
	a := answer{answered: slices.Min(d.final)}
	var m deepgramMessage
	if err := json.Unmarshal(message, &m); err != nil {
		return a, err
	}
	switch m.Type {
	case "Results":
		return d.results(m)
	case "Metadata":
		if a.done = d.asked; a.done {
			d.heard, _ = d.config.frameOf(m.Duration)
		}
	case "Error", "Warning":
		return a, wrongf(wrongService, "%s %s%s", m.Code, m.Description, m.Message)
	case "":
		return a, wrongf(wrongMember, "no type")
	}
	return a, nil // UtteranceEnd, SpeechStarted, and what is new
}

func (d *deepgram) results(m deepgramMessage) (answer, error) {
	a := answer{final: m.IsFinal, answered: slices.Min(d.final)}
	if len(m.ChannelIndex) > 0 {
		channel := m.ChannelIndex[0]
		if channel < 0 || channel >= len(d.final) {
			return a, wrongf(wrongMember, "channel_index %.40s of %d channels", fmt.Sprint(m.ChannelIndex), len(d.final))
		}
		a.channel = channel
	}
	var c deepgramChannel
	if err := json.Unmarshal(m.Channel, &c); err != nil {
		return a, err
	}
	if len(c.Alternatives) == 0 {
		return a, wrongf(wrongMember, "no alternatives")
	}
	first, end, err := d.config.span(m.Start, m.Start+m.Duration, d.sentTo)
	if err != nil {
		return a, err
	}
	if a.words, err = d.words(c); err != nil {
		return a, err
	}
	if a.from, a.to = first, end; len(a.words) > 0 {
		a.from, a.to = a.words[0].from, max(a.words[0].from, a.words[len(a.words)-1].to)
	}
	d.latest = max(d.latest, end)
	if m.IsFinal {
		d.final[a.channel] = max(d.final[a.channel], end)
	}
	a.news, a.text, a.confidence, a.answered = true, c.Alternatives[0].Transcript, c.Alternatives[0].Confidence, slices.Min(d.final)
	return a, nil
}

// words are those of the best alternative.
func (d *deepgram) words(c deepgramChannel) ([]timedWord, error) {
	var list []spoken
	for _, w := range c.Alternatives[0].Words {
		list = append(list, spoken{cmp.Or(w.Punctuated, w.Word), w.Start, w.End})
	}
	return d.config.spans(list, d.sentTo)
}
