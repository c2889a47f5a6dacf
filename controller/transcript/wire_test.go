package transcript

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func wireConfig(format string, channels ...string) Config {
	s := DefaultService()
	s.Format, s.URL = format, "wss://service.test/v1/listen?tag=x"
	return Config{Service: s, Rate: 8000, Channels: channels}
}

// decodeAll decodes what a service says, after so many frames were sent.
func decodeAll(w wire, sent int64, messages ...string) (all []answer, errs []string) {
	w.sent(sent)
	for _, m := range messages {
		a, err := w.decode([]byte(m))
		if err != nil {
			errs = append(errs, string(asWrong(err).kind))
		}
		all = append(all, a)
	}
	return all, errs
}

func compareAnswers(t *testing.T, want, got []answer) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(answer{}, timedWord{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Deepgram's messages, as its documentation shows them.
func TestDeepgramDecodes(t *testing.T) {
	w := newWire(wireConfig(FormatDeepgram, ChannelCaller))
	got, errs := decodeAll(w, 40000,
		`{"type":"Results","channel_index":[0,1],"duration":1.5,"start":0,"is_final":false,"speech_final":false,"channel":{"alternatives":[{"transcript":"another","confidence":0.5,"words":[{"word":"another","start":0.25,"end":0.75,"confidence":0.5}]}]}}`,
		`{"type":"SpeechStarted","channel":[0],"timestamp":0.2}`,
		`{"type":"Results","channel_index":[0,1],"duration":2.0,"start":0.0,"is_final":true,"speech_final":true,"channel":{"alternatives":[{"transcript":"another day","confidence":0.98,"words":[{"word":"another","start":0.25,"end":0.75},{"word":"day","start":0.8,"end":1.25}]}]},"metadata":{"request_id":"x"}}`,
		`{"type":"UtteranceEnd","channel":[0,1],"last_word_end":1.25}`,
		`{"type":"Results","channel_index":[0,1],"duration":1,"start":2,"is_final":true,"channel":{"alternatives":[{"transcript":"","confidence":0,"words":[]}]}}`,
		`{"type":"Metadata","duration":3.0,"channels":1}`,
	)
	if errs != nil {
		t.Error(errs)
	}
	compareAnswers(t, []answer{
		{news: true, text: "another", from: 2000, to: 6000, confidence: .5, words: []timedWord{{"another", 2000, 6000}}},
		{},
		{news: true, final: true, text: "another day", from: 2000, to: 10000, confidence: .98, answered: 16000, words: []timedWord{{"another", 2000, 6000}, {"day", 6400, 10000}}},
		{answered: 16000},
		{news: true, final: true, from: 16000, to: 24000, answered: 24000},
		{answered: 24000}, // it was not asked for the last words
	}, got)
	w.finish()
	if a, _ := w.decode([]byte(`{"type":"Metadata"}`)); !a.done {
		t.Error("metadata after CloseStream is not the end")
	}
}

// Two channels are answered each for itself: what both have answered is final.
func TestDeepgramChannels(t *testing.T) {
	result := func(channel, start, duration string) string {
		return `{"type":"Results","channel_index":[` + channel + `,2],"duration":` + duration + `,"start":` + start + `,"is_final":true,"channel":{"alternatives":[{"transcript":"a","words":[]}]}}`
	}
	got, errs := decodeAll(newWire(wireConfig(FormatDeepgram, ChannelCaller, ChannelCallee)), 40000, result("1", "0", "2"), result("0", "0", "1"), result("0", "1", "3"))
	if errs != nil {
		t.Error(errs)
	}
	compareAnswers(t, []answer{
		{news: true, final: true, channel: 1, text: "a", to: 16000},
		{news: true, final: true, text: "a", to: 8000, answered: 8000},
		{news: true, final: true, text: "a", from: 8000, to: 32000, answered: 16000},
	}, got)
}

func TestDeepgramURL(t *testing.T) {
	c := wireConfig(FormatDeepgram, ChannelCaller, ChannelCallee)
	c.Model, c.Language, c.Parameters = "nova-3", "de", map[string]string{"endpointing": "300", "keyterm": "a b&c"}
	u, err := url.Parse(c.target().URL)
	if err != nil {
		t.Fatal(err)
	}
	want := url.Values{}
	for _, pair := range []string{"tag=x", "encoding=linear16", "sample_rate=8000", "channels=2", "multichannel=true", "interim_results=true", "model=nova-3", "language=de", "endpointing=300", "keyterm=a b&c"} {
		name, value, _ := strings.Cut(pair, "=")
		want.Set(name, value)
	}
	if diff := cmp.Diff(want, u.Query()); diff != "" || u.Path != "/v1/listen" || u.Host != "service.test" {
		t.Errorf("%v (-want +got):\n%s", u, diff)
	}
	mono := wireConfig(FormatDeepgram, ChannelCaller)
	mono.Interim = false
	if text := mono.target().URL; strings.Contains(text, "multichannel") || !strings.Contains(text, "interim_results=false") || strings.Contains(text, "model") {
		t.Error(text)
	}
}

func TestKeyInHeader(t *testing.T) {
	for format, want := range map[string]string{FormatDeepgram: "Token k3y", FormatVosk: "Bearer k3y"} {
		c := wireConfig(format, ChannelCaller)
		c.Key = "k3y"
		if got := c.target().Header.Get("Authorization"); got != want {
			t.Errorf("%s: %q", format, got)
		}
		c.Key = ""
		if got := c.target().Header; len(got) != 0 {
			t.Errorf("%s without a key: %v", format, got)
		}
	}
}

// Vosk's messages: one for each message of audio.
func TestVoskDecodes(t *testing.T) {
	w := newWire(wireConfig(FormatVosk, ChannelCaller))
	for end := int64(1600); end <= 8000; end += 1600 {
		w.sent(end)
	}
	if n, _ := w.unanswered(); n != 8000 {
		t.Errorf("%d unanswered", n)
	}
	w.finish()
	var got []answer
	for _, m := range []string{
		`{"partial" : ""}`,
		`{"partial" : "one"}`,
		`{"result" : [{"conf" : 0.5, "end" : 0.4, "start" : 0.1, "word" : "one"}, {"conf" : 1.0, "end" : 0.55, "start" : 0.45, "word" : "two"}], "text" : "one two"}`,
		`{"partial" : "three"}`,
		`{"text" : "three"}`,
		`{"text" : ""}`,
	} {
		a, err := w.decode([]byte(m))
		if err != nil {
			t.Error(err)
		}
		got = append(got, a)
	}
	compareAnswers(t, []answer{
		{news: true, to: 1600},
		{news: true, text: "one", to: 3200},
		{news: true, final: true, text: "one two", from: 800, to: 4400, confidence: .75, answered: 4800, words: []timedWord{{"one", 800, 3200}, {"two", 3600, 4400}}},
		{news: true, text: "three", from: 4800, to: 6400, answered: 4800},
		{news: true, final: true, text: "three", from: 4800, to: 8000, answered: 8000},
		{done: true, news: true, final: true, from: 8000, to: 8000, answered: 8000},
	}, got)
	if n, _ := w.unanswered(); n != 0 {
		t.Errorf("%d unanswered", n)
	}
}

// What is no answer leaves the last words to come, and those are the answer to all.
func TestVoskAnswersNothing(t *testing.T) {
	v := newWire(wireConfig(FormatVosk, ChannelCaller))
	v.sent(8000)
	v.sent(16000)
	v.finish()
	got, errs := decodeAll(v, 16000, `{"status":"busy"}`, `{"partial":"he"}`, `{"partial":"help"}`)
	if diff := cmp.Diff([]string{"member"}, errs); diff != "" || got[2].done || v.end() != 16000 {
		t.Errorf("%+v, %d (-want +got):\n%s", got, v.end(), diff)
	}
	for what, before := range map[string]string{"in addition": `{"partial":"he"}`, "in place": "nonsense"} {
		v = newWire(wireConfig(FormatVosk, ChannelCaller))
		v.sent(8000)
		v.finish()
		got, _ = decodeAll(v, 16000, `{"status":"busy"}`, before, `{"partial":"help"}`, `{"text":"help"}`)
		if got[2].done || got[3].done != (what == "in addition") || v.end() != 16000 {
			t.Errorf("%s: %+v, %d", what, got, v.end())
		}
	}
}

// A final result that comes after the last words were asked for is of the audio that it answers.
func TestVoskLateFinal(t *testing.T) {
	v := newWire(wireConfig(FormatVosk, ChannelCaller))
	for end := int64(1600); end < 16000; end += 1600 {
		v.sent(end)
	}
	v.finish()
	if got, _ := decodeAll(v, 16000, `{"text":"one"}`); got[0].done || v.end() != 1600 {
		t.Errorf("%+v, %d", got, v.end())
	}
}

// What is no answer that we know does not hold up the audio that follows.
func TestVoskUnknownAnswers(t *testing.T) {
	v := newWire(wireConfig(FormatVosk, ChannelCaller))
	for n := range int64(20) {
		decodeAll(v, 1600*(n+1), "nonsense")
	}
	if n, _ := v.unanswered(); n != 0 {
		t.Errorf("%d unanswered", n)
	}
	if v.sent(1600 * 22); v.end() != 0 {
		t.Errorf("%d answered", v.end())
	}
	if n, _ := v.unanswered(); n != 3200 {
		t.Errorf("%d unanswered", n)
	}
}

// With alternatives the best is the first.
func TestVoskAlternatives(t *testing.T) {
	got, errs := decodeAll(newWire(wireConfig(FormatVosk, ChannelCaller)), 8000, `{"alternatives":[{"confidence":200.5,"text":"one","result":[{"word":"one","start":0.25,"end":0.5}]},{"text":"won"}]}`)
	if errs != nil {
		t.Error(errs)
	}
	compareAnswers(t, []answer{{news: true, final: true, text: "one", from: 2000, to: 4000, answered: 8000, words: []timedWord{{"one", 2000, 4000}}}}, got)
}

// What the wire needs is not for parameters to change.
func TestVoskOpens(t *testing.T) {
	c := wireConfig(FormatVosk, ChannelCaller)
	c.Model, c.Parameters = "small", map[string]string{"phrase_list": `["one","two"]`, "max_alternatives": "3", "note": "a b", "sample_rate": "16000", "words": "false"}
	var got map[string]any
	if err := json.Unmarshal(newWire(c).open(), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"config": map[string]any{
		"sample_rate": 8000., "words": true, "model": "small", "phrase_list": []any{"one", "two"}, "max_alternatives": 3., "note": "a b",
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := string(newWire(c).finish()); got != `{"eof" : 1}` { // with which Vosk's server compares the text
		t.Error(got)
	}
}

// Nonsense is named for what it is, and changes nothing.
func TestWrongAnswers(t *testing.T) {
	result := func(channel, start, duration, words string) string {
		return `{"type":"Results","channel_index":` + channel + `,"duration":` + duration + `,"start":` + start + `,"is_final":true,"channel":{"alternatives":[{"transcript":"a","words":` + words + `}]}}`
	}
	for _, c := range []struct{ format, message, want string }{
		{FormatDeepgram, `{`, "json"},
		{FormatDeepgram, `[]`, "json"},
		{FormatDeepgram, `{}`, "member"},
		{FormatDeepgram, `{"type":"Error","code":"NET-0000","description":"no","message":"money"}`, "error"},
		{FormatDeepgram, result(`[7,9]`, "0", "1", "[]"), "member"},
		{FormatDeepgram, result(`[-1]`, "0", "1", "[]"), "member"},
		{FormatDeepgram, result(`"x"`, "0", "1", "[]"), "member"},
		{FormatDeepgram, result(`[0,1]`, "-1", "1", "[]"), "times"},
		{FormatDeepgram, result(`[0,1]`, "0", "-1", "[]"), "times"},
		{FormatDeepgram, result(`[0,1]`, "0", "1e300", "[]"), "times"},
		{FormatDeepgram, result(`[0,1]`, "0", "99", "[]"), "times"},
		{FormatDeepgram, result(`[0,1]`, "0", "1", `[{"start":5,"end":99}]`), "times"},
		{FormatDeepgram, result(`[0,1]`, "0", "1", `{}`), "member"},
		{FormatDeepgram, `{"type":"Results","channel_index":[0,1],"channel":{"alternatives":[]}}`, "member"},
		{FormatDeepgram, `{"type":"Results","channel":[0,1]}`, "json"},
		{FormatVosk, `words`, "json"},
		{FormatVosk, `{"partial":3}`, "member"},
		{FormatVosk, `{}`, "member"},
	} {
		all, errs := decodeAll(newWire(wireConfig(c.format, ChannelCaller)), 16000, c.message)
		if diff := cmp.Diff([]string{c.want}, errs); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.message, diff)
		}
		if all[0].news || all[0].done {
			t.Errorf("%s: %+v", c.message, all[0])
		}
	}
}

// A wrong type is told by the message's member, not by what it is read into.
func TestWrongType(t *testing.T) {
	_, err := newWire(wireConfig(FormatVosk, ChannelCaller)).decode([]byte(`{"text":"a","result":[{"start":"now"}]}`))
	if got := asWrong(err).Error(); got != "member: result.start has type string" {
		t.Error(got)
	}
}

// Words of Vosk's whose times are wrong were spoken since its last final result.
func TestVoskWrongTimes(t *testing.T) {
	for _, times := range []string{`"start":1,"end":0.5`, `"start":-1,"end":0.5`, `"start":1,"end":70`, `"start":1.7e9,"end":1.7e9`} {
		w := newWire(wireConfig(FormatVosk, ChannelCaller))
		w.sent(8000)
		got, errs := decodeAll(w, 16000, `{"text":"one"}`, `{"text":"a b","result":[{"word":"a","start":0.75,"end":0.8},{"word":"b",`+times+`}]}`)
		if diff := cmp.Diff([]string{"times"}, errs); diff != "" {
			t.Errorf("%s (-want +got):\n%s", times, diff)
		}
		compareAnswers(t, []answer{
			{news: true, final: true, text: "one", to: 8000, answered: 8000}, {news: true, final: true, text: "a b", from: 8000, to: 16000, answered: 16000},
		}, got)
	}
}

// A time may lie a little behind the audio that was sent, and is its end then.
func TestSpan(t *testing.T) {
	c := wireConfig(FormatVosk, ChannelCaller)
	for _, s := range []struct {
		from, to   float64
		first, end int64
		wrong      bool
	}{
		{0.5, 1, 4000, 8000, false}, {2, 2, 16000, 16000, false}, {1, 2.4, 8000, 16000, false}, {2.1, 2.5, 16000, 16000, false}, {1, 2.6, 0, 0, true}, {2.6, 2.7, 0, 0, true},
	} {
		first, end, err := c.span(s.from, s.to, 16000)
		if first != s.first || end != s.end || s.wrong != (err != nil) || err != nil && asWrong(err).kind != wrongTimes {
			t.Errorf("%v s to %v s: %d to %d, %v", s.from, s.to, first, end, err)
		}
	}
}

// Of more words than anybody says at one go the first are told.
func TestWordsAreBounded(t *testing.T) {
	for format, message := range map[string]string{
		FormatVosk:     `{"text":"a","result":[%s]}`,
		FormatDeepgram: `{"type":"Results","duration":1,"channel":{"alternatives":[{"transcript":"a","words":[%s]}]}}`,
	} {
		words := strings.Repeat(`{"word":"a","start":0,"end":1},`, maxWords+500)
		got, errs := decodeAll(newWire(wireConfig(format, ChannelCaller)), 16000, fmt.Sprintf(message, strings.TrimSuffix(words, ",")))
		if n := len(got[0].words); n != maxWords || errs != nil {
			t.Errorf("%s: %d words, %v", format, n, errs)
		}
	}
}

// No message breaks a wire: what is decoded lies within the audio, and on a channel that there is.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{"partial":"a"}`, `{"text":"a","result":[{"word":"a","start":0,"end":1,"conf":1}]}`, `{"alternatives":[{"text":"a"}]}`,
		`{"type":"Results","channel_index":[1,2],"duration":1.5,"start":0.5,"is_final":true,"channel":{"alternatives":[{"transcript":"a","words":[{"start":1,"end":1.1}]}]}}`,
		`{"type":"Results","channel_index":[2,2],"duration":1,"start":0,"channel":{"alternatives":[{}]}}`, `{"type":"Metadata"}`, `{"type":"Error"}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, message string) {
		for _, w := range []wire{newWire(wireConfig(FormatVosk, ChannelCaller)), newWire(wireConfig(FormatDeepgram, ChannelCaller, ChannelCallee))} {
			const sent = 16000
			w.sent(sent)
			for range 3 {
				a, err := w.decode([]byte(message))
				if a.channel < 0 || a.channel > 1 {
					t.Fatalf("channel %d", a.channel)
				}
				if a.from < 0 || a.to < a.from || a.to > sent || a.answered < 0 || a.answered > sent {
					t.Fatalf("%+v of %d frames, %v", a, sent, err)
				}
				w.finish()
			}
		}
	})
}
