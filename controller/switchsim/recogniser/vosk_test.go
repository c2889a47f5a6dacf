package recogniser

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// voskAnswer has every field that the wire has.
type voskAnswer struct {
	Partial *string
	Text    *string
	Result  []struct {
		Conf, Start, End float64
		Word             string
	}
}

func (a voskAnswer) words() (all []Word) {
	for _, w := range a.Result {
		all = append(all, Word{0, w.Word, seconds(w.Start), seconds(w.End)})
	}
	return all
}

// converse sends audio as messages of a size, each when the one before has been answered.
func (c *client) converse(pcm []byte, size int) (all []voskAnswer) {
	c.t.Helper()
	for len(pcm) > 0 {
		n := min(size, len(pcm))
		c.say(pcm[:n], n)
		pcm = pcm[n:]
		text, ok := c.next()
		if !ok {
			c.t.Fatal(c.err)
		}
		a := decode[voskAnswer](c.t, text)
		if (a.Partial == nil) == (a.Text == nil) {
			c.t.Fatalf("neither a partial result nor a final one: %s", text)
		}
		all = append(all, a)
	}
	return all
}

func TestVoskHears(t *testing.T) {
	s := &Server{Format: Vosk}
	c := dial(t, nil, start(t, s), "")
	c.text(`{"config" : {"sample_rate" : 16000, "words" : true, "max_alternatives" : 0}}`)
	said := []Spoken{
		{At: 500 * ms, Word: "hello"},
		{At: 900 * ms, Word: "help"},
		{At: 3 * time.Second, Word: "stop"},
		{At: 12 * time.Second, Word: "goodbye", Length: 500 * ms},
	}
	var heard []Word
	var finals, partials []string
	for _, a := range c.converse(Say(16000, said...), 640) {
		heard = append(heard, a.words()...)
		if a.Text != nil {
			finals = append(finals, *a.Text)
		} else if n := len(partials); *a.Partial != "" && (n == 0 || partials[n-1] != *a.Partial) {
			partials = append(partials, *a.Partial)
		}
	}
	c.text(`{"eof" : 1}`)
	messages, end := c.rest()
	if len(messages) != 1 || end.Code != 1000 {
		t.Fatalf("%q, %v", messages, end)
	}
	last := decode[voskAnswer](t, messages[0])
	if diff := cmp.Diff(expect(0, said), append(heard, last.words()...), within20ms); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"hello help", "stop", ""}, finals); diff != "" || *last.Text != "goodbye" {
		t.Errorf("%s, last %q", diff, *last.Text)
	}
	if diff := cmp.Diff([]string{"hello", "hello help", "stop", "goodbye"}, partials); diff != "" {
		t.Error(diff)
	}
	r := await(t, connection(t, s), "end", func(r Report) bool { return r.End.Code != 0 })
	if r.EOFs != 1 || r.Problems != nil || string(r.Config) != `{"sample_rate" : 16000, "words" : true, "max_alternatives" : 0}` || r.Audio != 12500*ms {
		t.Errorf("%+v", r)
	}
}

// The answers are written as the real one writes them.
func TestVoskSpelling(t *testing.T) {
	c := dial(t, nil, start(t, &Server{Format: Vosk}), "")
	for _, tc := range []struct {
		pcm  []byte
		want string
	}{
		{Say(8000, Spoken{Word: "one"}, Spoken{At: 240 * ms, Word: "two"}), "{\n  \"partial\" : \"one two\"\n}"},
		{nil, "{\n  \"partial\" : \"one two\"\n}"},
		{make([]byte, 8000), "{\n  \"result\" : [{\n      \"conf\" : 1.000000,\n      \"end\" : 0.200000,\n      \"start\" : 0.000000,\n      \"word\" : \"one\"\n    }, " +
			"{\n      \"conf\" : 1.000000,\n      \"end\" : 0.440000,\n      \"start\" : 0.240000,\n      \"word\" : \"two\"\n    }],\n  \"text\" : \"one two\"\n}"},
		{make([]byte, 320), "{\n  \"partial\" : \"\"\n}"},
	} {
		c.say(tc.pcm, 16000)
		text, _ := c.next()
		if diff := cmp.Diff(tc.want, text); diff != "" {
			t.Error(diff)
		}
	}
	c.text(`{"eof" : 1}`)
	if messages, _ := c.rest(); len(messages) != 1 || messages[0] != "{\n  \"text\" : \"\"\n}" {
		t.Errorf("%q", messages)
	}
}

// All utterances that end in one message are in its one answer.
func TestVoskLongMessage(t *testing.T) {
	c := dial(t, nil, start(t, &Server{Format: Vosk}), "")
	said := []Spoken{{At: 100 * ms, Word: "one"}, {At: 2 * time.Second, Word: "two"}, {At: 4 * time.Second, Word: "three", Length: time.Second}}
	a := c.converse(Say(8000, said...), 1<<20)
	if diff := cmp.Diff(expect(0, said[:2]), a[0].words(), within20ms); diff != "" || *a[0].Text != "one two" {
		t.Error(diff)
	}
	if a = c.converse(make([]byte, 320), 320); *a[0].Partial != "three" {
		t.Errorf("%+v", a)
	}
}

// The five seconds of silence that have a final result end with a word, and begin behind it.
func TestVoskSilence(t *testing.T) {
	c := dial(t, nil, start(t, &Server{Format: Vosk}), "")
	said := []Spoken{{At: 4700 * ms, Word: "one"}, {At: 5150 * ms, Word: "two"}, {Length: 11 * time.Second}}
	var finals []string
	for i, a := range c.converse(Say(8000, said...), 320) {
		if a.Text != nil {
			finals = append(finals, fmt.Sprintf("%s after %v", *a.Text, time.Duration(i+1)*20*ms))
		}
	}
	if diff := cmp.Diff([]string{"one two after 5.66s", " after 10.66s"}, finals); diff != "" {
		t.Error(diff)
	}
}

func TestVoskWithoutWords(t *testing.T) {
	c := dial(t, nil, start(t, &Server{Format: Vosk, Silence: 100 * ms}), "")
	c.text(`{"config":{"words":false}}`)
	a := c.converse(Say(8000, Spoken{Word: "one"}, Spoken{Length: 350 * ms}), 1<<20)
	if len(a) != 1 || a[0].Text == nil || *a[0].Text != "one" || a[0].Result != nil {
		t.Errorf("%+v", a)
	}
}

func TestVoskUnknownText(t *testing.T) {
	for text, problem := range map[string]string{
		`{"eof":1}`:                         "neither",
		`hello`:                             "neither",
		`config`:                            "read message",
		`{"a":"config"}`:                    "read config",
		`{"config":{"sample_rate":"many"}}`: "read config",
		`{"config":{"sample_rate":1}}`:      "sample_rate 1",
	} {
		s := &Server{Format: Vosk}
		c := dial(t, nil, start(t, s), "")
		c.text(text)
		if messages, end := c.rest(); end.Code != 1011 || messages != nil {
			t.Errorf("%s: %q, %v", text, messages, end)
		}
		if p := connection(t, s).Report().Problems; len(p) != 1 || !strings.Contains(p[0], problem) {
			t.Errorf("%s: %q", text, p)
		}
	}
}

func TestVoskProblems(t *testing.T) {
	s := &Server{Format: Vosk}
	c := dial(t, nil, start(t, s), "")
	c.converse(make([]byte, 321), 321)
	c.text(`{"config":{"sample_rate":16000}}`)
	if a := c.converse(Say(8000, Spoken{Word: "one"}), 3200); *a[0].Partial != "one" { // it still hears at 8000 Hz
		t.Errorf("%+v", a)
	}
	if p := connection(t, s).Report().Problems; len(p) != 2 || !strings.Contains(p[0], "321") || !strings.Contains(p[1], "config after audio") {
		t.Errorf("%q", p)
	}
}

func TestVoskKey(t *testing.T) {
	url := start(t, &Server{Format: Vosk, Key: "simulated"})
	for _, key := range []string{"simulated", "Bearer simulated", "Token simulated"} {
		dial(t, nil, url, key).converse(make([]byte, 320), 320)
	}
	for _, key := range []string{"", "other", "Bearer other"} {
		if status, _, body := get(t, strings.Replace(url, "ws", "http", 1), key); status != 401 || body != "Invalid credentials.\n" {
			t.Errorf("%q: %d, %q", key, status, body)
		}
	}
}
