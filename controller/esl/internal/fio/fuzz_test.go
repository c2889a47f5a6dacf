package fio

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tapdeck/controller/esl/internal/frame"
	"tapdeck/controller/esl/internal/frametest"
)

// FuzzGuard judges a stream alone: the model of the library must survive all that
// passes, frame for frame, whole or trimmed. Of a trimmed event what is listed stays the
// same.
func FuzzGuard(f *testing.F) {
	f.Add([]byte(frametest.Call), true, true)
	for _, c := range judged() {
		f.Add([]byte(c.in+frametest.OKReply), c.awaits, false)
		f.Add([]byte(frametest.JSON(`{"a":["b"],"Unique-ID":"c"}`)+c.in), c.awaits, true)
	}
	for in := range jsonEvents() {
		f.Add([]byte(in), false, true)
	}
	f.Fuzz(func(t *testing.T, stream []byte, awaits, trims bool) {
		if got, want := jsonEvent(stream), modelJSON(stream) == nil && !isJSONNull(stream); got != want {
			t.Errorf("JSON: %v, the model says %v", got, want)
		} else if got {
			checkTrimmed(t, stream)
		}
		r := frame.NewReader(says(string(stream)), testTimeout, func(int) {})
		var g guard
		if trims {
			g.listed = NewNames(frametest.CallHeaders)
		}
		var passed bytes.Buffer
		frames := 0
		for {
			fr, err := r.Next()
			if err != nil {
				break
			}
			g.awaiting.Store(awaits)
			v, reason := g.judge(&fr)
			if (v == drop || v == distrust) == (reason == "") {
				t.Fatalf("verdict %v with reason %q", v, reason)
			}
			if v == distrust {
				break
			}
			if v == forward || v == forwardLast {
				passed.Write(fr.Data)
				frames++
			}
		}
		in := bufio.NewReader(&passed)
		for ; frames > 0; frames-- {
			if _, err := modelFrame(in); err != nil {
				t.Fatalf("%d frames before the end: %v", frames, err)
			}
		}
		if _, err := modelFrame(in); err != io.EOF {
			t.Fatalf("more than was judged: %v", err)
		}
	})
}

// checkTrimmed compares an event that the library survives with what is left of it.
func checkTrimmed(t *testing.T, body []byte) {
	t.Helper()
	g := guard{listed: NewNames([]string{"Unique-ID", "a", "variable_b*"})}
	f := readFrame(t, frametest.JSON(string(body)))
	if v, reason := g.judge(&f); v != forward {
		t.Fatalf("%q: %s", body, reason)
	}
	whole, trimmed := make(map[string]any), make(map[string]any)
	if err := errors.Join(json.Unmarshal(body, &whole), json.Unmarshal(f.Body, &trimmed)); err != nil {
		t.Fatal(err)
	}
	for name, value := range whole {
		isListed := slices.ContainsFunc(g.listed, func(l listedName) bool {
			lower, stem := strings.ToLower(name), strings.ToLower(l.stem)
			return lower == stem || l.open && strings.HasPrefix(lower, stem)
		})
		if left, ok := trimmed[name]; isListed && !ok || ok && !cmp.Equal(left, value) {
			t.Errorf("%q is %v, was %v", name, left, value)
		}
	}
	for name := range trimmed {
		if _, ok := whole[name]; !ok {
			t.Errorf("%q is new", name)
		}
	}
}

// isJSONNull says whether the library would read body as an event without headers.
func isJSONNull(body []byte) bool {
	return string(bytes.Trim(body, " \t\r\n")) == "null"
}
