package recogniser

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"
)

const asked = "/v1/listen?encoding=linear16&sample_rate=8000&interim_results=true&model=simulated"

// answers are the results of a connection, by what they are, and its other messages.
type answers struct {
	finals, interims []results
	others           []string
}

func sort(t *testing.T, messages []string) (a answers) {
	t.Helper()
	for _, text := range messages {
		if !strings.HasPrefix(text, `{"type":"Results"`) {
			a.others = append(a.others, text)
			continue
		}
		if m := decode[results](t, text); m.IsFinal {
			a.finals = append(a.finals, m)
		} else {
			a.interims = append(a.interims, m)
		}
	}
	return a
}

// words are those of results of one channel or, if it is negative, of all.
func words(rs []results, channel int) (all []Word) {
	for _, r := range rs {
		for _, w := range r.Channel.Alternatives[0].Words {
			if channel < 0 || r.Index[0] == channel {
				all = append(all, Word{r.Index[0], w.Word, seconds(w.Start), seconds(w.End)})
			}
		}
	}
	return all
}

func seconds(s float64) time.Duration { return time.Duration(math.Round(s * 1e9)) }

// checkContiguous demands that each final begins where the one before ended, has its words in it, and a
// transcript of just these, and that the last ends at end.
func checkContiguous(t *testing.T, rs []results, channel int, end time.Duration) {
	t.Helper()
	at := 0.0
	for _, r := range rs {
		if r.Index[0] != channel {
			continue
		}
		if math.Abs(r.Start-at) > 1e-9 || r.Duration < 0 || r.Duration > 5.5 {
			t.Errorf("channel %d: from %v for %v, after %v", channel, r.Start, r.Duration, at)
		}
		at = r.Start + r.Duration
		var texts []string
		for _, w := range r.Channel.Alternatives[0].Words {
			if w.Start < r.Start || w.End > at || w.Punctuated != w.Word {
				t.Errorf("%+v in %+v", w, r)
			}
			texts = append(texts, w.Word)
		}
		if got := r.Channel.Alternatives[0].Transcript; got != strings.Join(texts, " ") {
			t.Errorf("transcript %q of %q", got, texts)
		}
	}
	if seconds(at) != end {
		t.Errorf("channel %d: finals end at %v of %v", channel, at, end)
	}
}

func TestDeepgramHears(t *testing.T) {
	s := &Server{}
	c := dial(t, nil, start(t, s)+asked, "")
	said := []Spoken{
		{At: 500 * ms, Word: "hello"},
		{At: 900 * ms, Word: "help"},
		{At: 1300 * ms, Length: 800 * ms, Word: "one"},
		{At: 3 * time.Second, Word: "stop"},
		{At: 12 * time.Second, Word: "goodbye"},
		{Length: 12345 * ms},
	}
	c.say(Say(8000, said...), 320)
	c.text(`{"type":"KeepAlive"}`)
	c.text(`{"type":"CloseStream"}`)
	messages, end := c.rest()
	a := sort(t, messages)
	if diff := cmp.Diff(expect(0, said), words(a.finals, -1), within20ms); diff != "" {
		t.Error(diff)
	}
	checkContiguous(t, a.finals, 0, 12345*ms)
	if f := a.finals[0]; !f.SpeechFinal || f.FromFinalize || f.Index != [2]int{0, 1} || f.Channel.Alternatives[0].Confidence != confidence {
		t.Errorf("first final: %+v", f)
	}
	if f := a.finals[2]; f.SpeechFinal || f.Channel.Alternatives[0].Transcript != "" || f.Channel.Alternatives[0].Confidence != 0 {
		t.Errorf("final of silence: %+v", f)
	}
	// Of the first utterance, which ends at 2.4 s; the others are shorter than a second.
	var interims []string
	for _, r := range a.interims {
		interims = append(interims, r.Channel.Alternatives[0].Transcript)
	}
	if diff := cmp.Diff([]string{"hello help", "hello help one"}, interims[:2]); diff != "" || a.interims[0].Duration != 1 {
		t.Errorf("%s, %+v", diff, a.interims)
	}
	if len(a.others) != 1 || end.Code != 1000 {
		t.Errorf("others %q, end %v", a.others, end)
	}
	checkMetadata(t, messages[len(messages)-1])
	checkBrought(t, connection(t, s))
}

// checkMetadata is about the last message of TestDeepgramHears.
func checkMetadata(t *testing.T, text string) {
	t.Helper()
	m := decode[struct {
		Type     string
		ID       string `json:"request_id"`
		Duration float64
		Channels int
	}](t, text)
	if m.Type != "Metadata" || m.Duration != 12.345 || m.Channels != 1 || m.ID == "" {
		t.Errorf("%+v", m)
	}
}

// checkBrought is about what TestDeepgramHears brought.
func checkBrought(t *testing.T, c *Connection) {
	t.Helper()
	<-c.Done()
	r := c.Report()
	if r.AudioBytes != 197520 || r.AudioMessages != 618 || r.Audio != 12345*ms || r.KeepAlives != 1 || r.CloseStreams != 1 || r.Problems != nil {
		t.Errorf("%+v", r)
	}
	if e := r.End; !e.Ours || e.Code != 1000 || e.At.Before(r.Last) || r.Last.Before(r.First) || r.Status != 101 {
		t.Errorf("%+v, %d", e, r.Status)
	}
	if c.Number != 1 || c.Path != "/v1/listen" || c.Query.Get("model") != "simulated" || c.Header.Get("Upgrade") != "websocket" {
		t.Errorf("%+v", c)
	}
	if m := c.Messages(); len(m) != 620 || m[0].Bytes != 320 || m[619].Text != `{"type":"CloseStream"}` {
		t.Errorf("%d messages", len(m))
	}
	if words := Hear(8000, 1, c.Audio()); len(words) != 5 {
		t.Errorf("its audio has %v", words)
	}
}

func TestDeepgramChannels(t *testing.T) {
	left := []Spoken{{At: 200 * ms, Word: "one"}, {At: 450 * ms, Word: "two"}}
	right := []Spoken{{At: 3 * time.Second, Word: "three"}, {Length: 4 * time.Second}}
	pcm := Interleave(Say(16000, left...), Say(16000, right...))
	url := start(t, &Server{}) + "/?encoding=linear16&sample_rate=16000&channels=2&multichannel="
	c := dial(t, nil, url+"true", "")
	c.say(pcm, 3333) // frames are cut
	c.text(`{"type":"CloseStream"}`)
	messages, _ := c.rest()
	a := sort(t, messages)
	for n, said := range [][]Spoken{left, right} {
		if diff := cmp.Diff(expect(n, said), words(a.finals, n), within20ms); diff != "" {
			t.Error(diff)
		}
		checkContiguous(t, a.finals, n, 4*time.Second)
	}
	if a.finals[0].Index[1] != 2 || a.interims != nil {
		t.Errorf("%+v", a.finals[0])
	}

	mixed := dial(t, nil, url+"false", "")
	mixed.say(pcm, 640)
	mixed.text(`{"type":"CloseStream"}`)
	messages, _ = mixed.rest()
	a = sort(t, messages)
	if diff := cmp.Diff(expect(0, append(left, right...)), words(a.finals, -1), within20ms); diff != "" {
		t.Error(diff)
	}
	if a.finals[0].Index != [2]int{0, 1} || !strings.Contains(a.others[0], `"channels":2`) {
		t.Errorf("%+v", a)
	}
}

// A flush ends what was being said; the audio goes on behind it.
func TestDeepgramFinalize(t *testing.T) {
	c := dial(t, nil, start(t, &Server{})+asked, "")
	pcm := Say(8000, Spoken{Word: "one", Length: 300 * ms}, Spoken{At: 700 * ms, Word: "two"}, Spoken{Length: time.Second})
	c.say(pcm[:3210], 320) // 200.625 ms
	c.text(`{"type":"Finalize"}`)
	text, _ := c.next()
	f := decode[results](t, text)
	if !f.IsFinal || !f.FromFinalize || !f.SpeechFinal || f.Duration != 0.200625 || f.Channel.Alternatives[0].Transcript != "one" {
		t.Errorf("%+v", f)
	}
	c.text(`{"type":"Finalize","channel":0}`)
	text, _ = c.next()
	if f = decode[results](t, text); !f.FromFinalize || f.Duration != 0 || f.Start != 0.200625 || f.SpeechFinal {
		t.Errorf("%+v", f)
	}
	c.text(`{"type":"Finalize","channel":1}`) // there is none
	c.say(pcm[3210:], 320)
	c.write(websocket.MessageBinary, nil) // closes, as CloseStream does
	messages, end := c.rest()
	a := sort(t, messages)
	if got := words(a.finals, -1); len(got) != 2 || got[0].Word != "one" || got[1].Word != "two" || end.Code != 1000 || a.finals[0].FromFinalize {
		t.Errorf("%v, %v", got, end)
	}
}

// Speech without a pause has finals, too, and no word is cut.
func TestDeepgramLongUtterance(t *testing.T) {
	var said []Spoken
	for i := range 40 {
		said = append(said, Spoken{At: time.Duration(i) * 300 * ms, Word: Words()[i%len(Words())]})
	}
	c := dial(t, nil, start(t, &Server{Final: 3 * time.Second, Interim: 200 * ms})+asked, "")
	c.say(Say(8000, said...), 4000)
	c.text(`{"type":"CloseStream"}`)
	messages, _ := c.rest()
	a := sort(t, messages)
	if diff := cmp.Diff(expect(0, said), words(a.finals, -1), within20ms); diff != "" {
		t.Error(diff)
	}
	if len(a.finals) != 4 || a.finals[0].SpeechFinal || !a.finals[3].SpeechFinal || len(a.interims) < 40 {
		t.Errorf("%d finals, %d interims", len(a.finals), len(a.interims))
	}
	checkContiguous(t, a.finals, 0, 11900*ms)
}

// A final does not cut the word that is being said, be it a long one or one that has just begun.
func TestDeepgramFinalBeforeAWord(t *testing.T) {
	url := start(t, &Server{}) + asked
	for _, at := range []time.Duration{4900 * ms, 4998 * ms, 4980 * ms} {
		said := []Spoken{{At: at, Word: "help", Length: 700 * ms}, {Length: 6 * time.Second}}
		c := dial(t, nil, url, "")
		c.say(Say(8000, said...), 320)
		c.text(`{"type":"CloseStream"}`)
		messages, _ := c.rest()
		a := sort(t, messages)
		if diff := cmp.Diff(expect(0, said), words(a.finals, -1), within20ms); diff != "" || len(a.finals) < 2 || (seconds(a.finals[0].Duration)-at).Abs() > 5*ms {
			t.Errorf("%s, %+v", diff, a.finals)
		}
		checkContiguous(t, a.finals, 0, 6*time.Second)
	}
}

// A word without end is in the interim results, and the final ones wait for its end.
func TestDeepgramEndlessWord(t *testing.T) {
	said := []Spoken{{At: time.Second, Word: "yes", Length: 12 * time.Second}}
	c := dial(t, nil, start(t, &Server{})+asked, "")
	c.say(Say(8000, said...), 320)
	c.text(`{"type":"CloseStream"}`)
	messages, _ := c.rest()
	a := sort(t, messages)
	if diff := cmp.Diff(expect(0, said), words(a.finals, -1), within20ms); diff != "" || len(a.finals) != 2 || len(a.interims) < 10 {
		t.Errorf("%s: %d finals, %d interims", diff, len(a.finals), len(a.interims))
	}
	checkContiguous(t, a.finals[:1], 0, time.Second)
}

// Channels that are mixed can't be too loud.
func TestDeepgramMixesLoudChannels(t *testing.T) {
	c := dial(t, nil, start(t, &Server{})+asked+"&channels=2", "")
	loud := quieter(Say(8000, Spoken{Word: "five", Length: time.Second}), 3.9, 0)
	c.say(Interleave(loud, loud), 640)
	c.text(`{"type":"CloseStream"}`)
	messages, _ := c.rest()
	if got := words(sort(t, messages).finals, -1); len(got) != 1 || got[0].To != time.Second {
		t.Errorf("%v", got)
	}
}

func TestDeepgramEvents(t *testing.T) {
	c := dial(t, nil, start(t, &Server{})+asked+"&vad_events=true&utterance_end_ms=1000&endpointing=500", "")
	c.say(Say(8000, Spoken{At: 400 * ms, Word: "one"}, Spoken{At: 1000 * ms, Word: "two"}, Spoken{Length: 3 * time.Second}), 320)
	c.text(`{"type":"CloseStream"}`)
	messages, _ := c.rest()
	a := sort(t, messages)
	if len(a.others) != 3 || !strings.HasPrefix(a.others[0], `{"type":"SpeechStarted","channel":[0,1],"timestamp":0.4`) ||
		!strings.HasPrefix(a.others[1], `{"type":"UtteranceEnd","channel":[0,1],"last_word_end":1.2`) {
		t.Errorf("%q", a.others)
	}
	if a.finals[0].Channel.Alternatives[0].Transcript != "one two" {
		t.Errorf("%+v", a.finals)
	}
}

func TestDeepgramUnknownText(t *testing.T) {
	for text, problem := range map[string]string{`{"type":"Simulated"}`: "Simulated", "no JSON": "invalid character", "{}": "{}"} {
		s := &Server{}
		c := dial(t, nil, start(t, s)+asked, "")
		c.text(text)
		if _, end := c.rest(); end.Code != 1008 || !strings.HasPrefix(end.Reason, "DATA-0000") {
			t.Errorf("%s: %v", text, end)
		}
		if p := connection(t, s).Report().Problems; len(p) != 1 || !strings.Contains(p[0], problem) {
			t.Errorf("%s: %q", text, p)
		}
	}
}

// Audio and KeepAlive keep a connection open, pings don't.
func TestDeepgramIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &Server{}
		c := dial(t, bubble(t, s), "ws://simulated"+asked, "")
		for range 5 {
			time.Sleep(9 * time.Second)
			c.text(`{"type":"KeepAlive"}`)
			time.Sleep(9 * time.Second)
			c.say(make([]byte, 320), 320)
		}
		began := time.Now()
		for range 3 {
			time.Sleep(3 * time.Second)
			if err := c.ws.Ping(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		messages, end := c.rest()
		if end.Code != 1011 || !strings.HasPrefix(end.Reason, "NET-0001") || time.Since(began) != 10*time.Second || messages != nil {
			t.Errorf("after %v: %v, %q", time.Since(began), end, messages)
		}
		conn := connection(t, s)
		<-conn.Done()
		if r := conn.Report(); r.End.Code != 1011 || r.End.Reason != end.Reason || !r.End.Ours || r.Pings != 3 {
			t.Errorf("%+v", r)
		}
	})
}

// The time is that of the audio, however fast it comes.
func TestDeepgramFasterThanRealTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := dial(t, bubble(t, &Server{}), "ws://simulated"+asked, "")
		began := time.Now()
		c.say(Say(8000, Spoken{At: 10 * time.Minute, Word: "yes"}), 8000)
		c.text(`{"type":"CloseStream"}`)
		messages, _ := c.rest()
		a := sort(t, messages)
		if got := words(a.finals, -1); len(got) != 1 || got[0].From != 10*time.Minute || len(a.finals) != 121 || time.Since(began) != 0 {
			t.Errorf("%v in %d finals after %v", got, len(a.finals), time.Since(began))
		}
	})
}

func TestResultsAreDeepgrams(t *testing.T) {
	c := dial(t, nil, start(t, &Server{})+asked, "")
	c.say(Say(8000, Spoken{At: 100 * ms, Word: "no"}), 320)
	c.text(`{"type":"CloseStream"}`)
	text, _ := c.next()
	const want = `{"type":"Results","channel_index":[0,1],"duration":0.3,"start":0,"is_final":true,"speech_final":true,"from_finalize":false,` +
		`"channel":{"alternatives":[{"transcript":"no","confidence":0.98,"words":[{"word":"no","start":0.1,"end":0.3,"confidence":0.98,"punctuated_word":"no"}]}]},` +
		`"metadata":{"request_id":"00000000-0000-4000-8000-000000000001","model_info":{"name":"simulated"}}}`
	var a, b any
	if json.Unmarshal([]byte(want), &a) != nil || json.Unmarshal([]byte(text), &b) != nil {
		t.Fatal(text)
	}
	if diff := cmp.Diff(a, b); diff != "" {
		t.Error(diff)
	}
}
