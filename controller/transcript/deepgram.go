package transcript

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
)

// deepgram is the wire of Deepgram's live transcription: all that it has to know is in the URL, and it
// tells for each channel of which stretch of the audio it speaks.
type deepgram struct {
	config Config
	sentTo int64
	final  []int64 // of each channel, where its last final result ended
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

func (d *deepgram) unanswered() int64 { return 0 }

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
			Start float64 `json:"start"`
			End   float64 `json:"end"`
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
		a.done = d.asked
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
	best := c.Alternatives[0]
	a.from, a.to = first, end
	if words := best.Words; len(words) > 0 {
		if a.from, a.to, err = d.config.span(words[0].Start, words[len(words)-1].End, d.sentTo); err != nil {
			return a, err
		}
	}
	if m.IsFinal {
		d.final[a.channel] = max(d.final[a.channel], end)
	}
	a.words, a.text, a.confidence, a.answered = true, best.Transcript, best.Confidence, slices.Min(d.final)
	return a, nil
}
