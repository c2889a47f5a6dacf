package flow_test

import (
	"strings"
	"testing"

	"tapdeck/controller/flow"
)

// What a list of words and phrases finds in one text, in whatever way the service writes it.
func TestFindWords(t *testing.T) {
	for _, c := range []struct {
		text string
		list []string
		want string // "" is nothing
	}{
		{"stop", []string{"stop"}, "stop"},
		{"Please STOP, now!", []string{"goodbye", "stop"}, "stop"},
		{"stop and goodbye", []string{"goodbye", "stop"}, "goodbye"},
		{"nonstop", []string{"stop"}, ""},
		{"stopped", []string{"stop"}, ""},
		{"non-stop", []string{"stop"}, "stop"},
		{"that's it", []string{"THAT’S  it"}, "THAT’S  it"},
		{"thats it", []string{"that's it"}, "that's it"},
		{"don't", []string{"don", "t"}, ""},
		{"thank you. Bye", []string{"you bye"}, "you bye"},
		{"thank you very much", []string{"thank much"}, ""},
		{"you thank", []string{"thank you"}, ""},
		{"thank", []string{"thank you"}, ""},
		{"ja, TSCHÜSS und auf Wiederhören", []string{"tschüss"}, "tschüss"},
		{"ΤΈΛΟΣ", []string{"τέλος"}, "τέλος"}, // whose last letter has two small forms
		{"\u212Aelvin", []string{"kelvin"}, "kelvin"},
		{"cafe\u0301 bar", []string{"cafe"}, ""}, // an accent of its own is a part of the word
		{"नमस्ते जी", []string{"नमस्ते"}, "नमस्ते"},
		{"press 5.", []string{"5"}, "5"},
		{"stop", nil, ""},
		{"stop", []string{"", "-"}, ""},
		{"", []string{"stop"}, ""},
		{"\xffstop\xff", []string{"stop"}, "stop"},
		{strings.Repeat("so ", 1000) + "stop", []string{"stop"}, ""}, // more than anyone says at one go
		{strings.Repeat("so ", 999) + "stop", []string{"stop"}, "stop"},
	} {
		for _, final := range []bool{true, false} {
			var w flow.Words
			w.Begin()
			w.Hear(c.text, final)
			if word, found := w.Find(c.list); word != c.want || found != (c.want != "") {
				t.Errorf("%.40q in %q, final %v: %q, %v", c.list, c.text, final, word, found)
			}
		}
	}
}

// hear has a caller say texts; one that ends with … is not final.
func hear(w *flow.Words, texts ...string) {
	for _, text := range texts {
		interim, not := strings.CutSuffix(text, "…")
		w.Hear(interim, !not)
	}
}

// A phrase may begin in one text and go on in the next, and a text that is not final gives way.
func TestWordsOfSeveralTexts(t *testing.T) {
	for name, c := range map[string]struct {
		texts []string
		list  []string
		found bool
	}{
		"across two":            {[]string{"that is all", "thank you."}, []string{"all thank you"}, true},
		"across three":          {[]string{"one", "two", "three four"}, []string{"one two three"}, true},
		"into one not final":    {[]string{"that is all", "thank…", "thank you…"}, []string{"all thank you"}, true},
		"replaced":              {[]string{"stop…", "shop…"}, []string{"stop"}, false},
		"replaced by the final": {[]string{"stop…", "shop"}, []string{"stop"}, false},
		"gone":                  {[]string{"stop…", "…"}, []string{"stop"}, false},
		"not twice":             {[]string{"bye…", "bye"}, []string{"bye bye"}, false},
		"twice":                 {[]string{"bye…", "bye", "bye…"}, []string{"bye bye"}, true},
	} {
		for _, asked := range []bool{false, true} {
			var w flow.Words
			w.Begin()
			for i, text := range c.texts {
				hear(&w, text)
				if found := false; asked && i < len(c.texts)-1 && !strings.HasPrefix(text, "stop") {
					if _, found = w.Find(c.list); found {
						t.Errorf("%s: found in %q", name, c.texts[:i+1])
					}
				}
			}
			for range 2 { // however often it is asked
				if _, found := w.Find(c.list); found != c.found {
					t.Errorf("%s, asked before %v: found %v", name, asked, found)
				}
			}
		}
	}
}

// What was said before the listening time begins, or after its end, does not count.
func TestWordsBeforeListening(t *testing.T) {
	list := []string{"stop", "stop it"}
	for name, c := range map[string]struct {
		before, then []string
		any, found   bool
	}{
		"before":                      {[]string{"stop"}, nil, false, false},
		"not final before":            {[]string{"please stop…"}, nil, false, false},
		"final after":                 {[]string{"please stop…"}, []string{"please stop"}, false, false},
		"goes on after":               {[]string{"please stop…"}, []string{"please stop that now"}, true, false},
		"said again after":            {[]string{"please stop…"}, []string{"please stop yes stop…"}, true, true},
		"shorter after":               {[]string{"if you want to…"}, []string{"if you…"}, false, false},
		"shorter, then longer":        {[]string{"I want to…"}, []string{"I wanna…", "I wanna stop…"}, true, true},
		"shorter, then another word":  {[]string{"stop now please…"}, []string{"stop now…", "stop now it…"}, true, false},
		"gone, then another":          {[]string{"I want to…"}, []string{"…", "stop…"}, true, true},
		"the next text after a final": {[]string{"please stop…"}, []string{"please stop", "stop"}, true, true},
		"a phrase from before":        {[]string{"stop"}, []string{"it"}, true, false},
		"noise":                       {nil, []string{" ?! …", "…", ""}, false, false},
		"a word":                      {nil, []string{"hello…"}, true, false},
		"a word that was none":        {nil, []string{"hello…", "…"}, false, false},
	} {
		var w flow.Words
		hear(&w, c.before...)
		w.Begin()
		if _, found := w.Find(list); w.Any() || found {
			t.Errorf("%s: heard at the begin", name)
		}
		hear(&w, c.then...)
		if _, found := w.Find(list); found != c.found || w.Any() != c.any {
			t.Errorf("%s: found %v, any %v", name, found, w.Any())
		}
		w.End()
		hear(&w, "stop…", "stop it")
		if _, found := w.Find(list); found || w.Any() {
			t.Errorf("%s: heard after the end", name)
		}
	}
}

// Words that have ended one listening time do not end the next one, even while their text goes on.
func TestWordsEndOneListening(t *testing.T) {
	var w flow.Words
	for _, c := range []struct {
		text  string
		found bool
	}{{"stop…", true}, {"stop I said…", false}, {"stop I said stop", true}, {"well", false}, {"stop", true}} {
		w.Begin()
		hear(&w, c.text)
		if _, found := w.Find([]string{"stop"}); found != c.found {
			t.Errorf("%q: found %v", c.text, found)
		}
		w.End()
	}
}

// A long listening time keeps only what a phrase may still need.
func TestWordsAreBounded(t *testing.T) {
	longest := strings.TrimSpace(strings.Repeat("a ", 63) + "b") // of 127 bytes
	var w flow.Words
	w.Begin()
	for range 100 {
		hear(&w, strings.Repeat("a ", 63))
		if _, found := w.Find([]string{longest}); found {
			t.Fatal("found too early")
		}
	}
	if hear(&w, "b"); !w.Any() {
		t.Error("nothing was heard")
	}
	if _, found := w.Find([]string{longest}); !found {
		t.Error("the longest phrase is not found")
	}
	w.Begin()
	for range 3000 { // nobody asks
		hear(&w, "a")
	}
	hear(&w, "b")
	if _, found := w.Find([]string{longest}); !found || !w.Any() {
		t.Error("the latest words are gone")
	}
	w.Begin()
	if w.Any() {
		t.Error("the words of one listening time are those of the next")
	}
	hear(&w, "b", strings.Repeat("a ", 1000))
	if _, found := w.Find([]string{"b"}); found {
		t.Error("there is no bound")
	}
}

// To ask again and again costs nothing, and what nothing was found in is not kept for longer than a phrase.
func TestAskedAgain(t *testing.T) {
	var w flow.Words
	w.Begin()
	hear(&w, "first "+strings.Repeat("a ", 64))
	list := []string{"other"}
	w.Find(list)
	if n := testing.AllocsPerRun(10, func() { w.Find(list) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	hear(&w, "last")
	if _, found := w.Find([]string{"first"}); found {
		t.Error("all words are kept")
	}
}

// Words that are told late, but were said before, do not count, nor do they within a text that goes on.
func TestWordsSaidEarlier(t *testing.T) {
	var w flow.Words
	w.Begin()
	w.HearEarlier("please stop")
	w.Hear("please stop it", false)
	if word, found := w.Find([]string{"stop", "please"}); found {
		t.Errorf("%q was said before", word)
	}
	if word, _ := w.Find([]string{"it"}); word != "" {
		t.Errorf("asked again: %q", word)
	}
	w.Hear("please stop it now", true)
	if word, _ := w.Find([]string{"now"}); word != "now" {
		t.Error("now was said since")
	}
	w.Begin()
	w.HearEarlier("so")
	w.HearAll("stop", true)
	if word, _ := w.Find([]string{"stop"}); word != "stop" {
		t.Error("what has its own times counts whole")
	}
}
