package store_test

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tapdeck/sink/store"
	"tapdeck/sink/track"
)

// fields are the named fields of a record's JSON.
func fields(t *testing.T, record store.Record, names ...string) map[string]string {
	t.Helper()
	text, err := json.Marshal(record)
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, name := range names {
		got[name] = string(all[name])
	}
	return got
}

// Every record has every field: an empty list is [], and an empty table is {}.
func TestRecordAsJSON(t *testing.T) {
	names := []string{"schema", "version", "instance", "variables", "digits", "digits_dropped", "prompts", "timeline"}
	full := store.Record{
		Schema: 7, Version: "v1.2.3", Instance: "fs1", Variables: map[string]string{"sip_h_X-Account": "12", "sip_call_id": `"a`},
		Timeline: store.Timeline{{"listen", 900}, {"answer", 24}},
		Digits:   []store.Digit{{AtMS: 5120, Digit: "1", Step: "listen"}}, DigitsDropped: 2,
		Prompts: []store.Prompt{{File: "greeting.wav", Step: "prompt", AtMS: 1024, HeardMS: 3520, EndedBy: "end"}},
	}
	for name, c := range map[string]struct {
		record store.Record
		want   map[string]string
	}{
		"empty": {store.Record{}, map[string]string{
			"schema": "1", "version": `""`, "instance": `""`, "variables": "{}", "digits": "[]", "digits_dropped": "", "prompts": "[]", "timeline": "{}",
		}},
		"full": {full, map[string]string{
			"schema": "1", "version": `"v1.2.3"`, "instance": `"fs1"`, "variables": `{"sip_call_id":"\"a","sip_h_X-Account":"12"}`,
			"timeline": `{"answer":24,"listen":900}`,
			"digits":   `[{"at_ms":5120,"digit":"1","step":"listen"}]`, "digits_dropped": "2",
			"prompts": `[{"file":"greeting.wav","step":"prompt","at_ms":1024,"heard_ms":3520,"ended_by":"end"}]`,
		}},
	} {
		if diff := cmp.Diff(c.want, fields(t, c.record, names...)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// The document of the record names every field.
func TestRecordIsDocumented(t *testing.T) {
	text, err := os.ReadFile("../../.github/record.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, of := range []reflect.Type{reflect.TypeFor[store.Record](), reflect.TypeFor[track.Sound](), reflect.TypeFor[store.Digit](), reflect.TypeFor[store.Prompt](), reflect.TypeFor[store.Agent](), reflect.TypeFor[store.Utterance](), reflect.TypeFor[store.Transcript](), reflect.TypeFor[store.Segment](), reflect.TypeFor[track.Gap]()} {
		for i := range of.NumField() {
			name, _, _ := strings.Cut(of.Field(i).Tag.Get("json"), ",")
			if name != "" && !strings.Contains(string(text), "`"+name+"`") {
				t.Errorf("%s of %s is not in record.md", name, of)
			}
		}
	}
}

// A caller who presses keys for an hour makes no endless record.
func TestRecordBoundsDigits(t *testing.T) {
	record := store.Record{Digits: make([]store.Digit, store.MaxDigits+3), DigitsDropped: 4}
	got := fields(t, record, "digits", "digits_dropped")
	if n := strings.Count(got["digits"], "at_ms"); n != store.MaxDigits || got["digits_dropped"] != "7" {
		t.Errorf("%d digits, %s dropped", n, got["digits_dropped"])
	}
}

// A record in memory is small, and says how much more its file has.
func TestBriefIsBounded(t *testing.T) {
	record := store.Record{Digits: make([]store.Digit, 400), Prompts: make([]store.Prompt, 60), Metadata: []string{"x"}, Variables: map[string]string{"sip_call_id": "a@b"}}
	for i := range 49 {
		record.Variables[fmt.Sprintf("v%02d", i)] = strings.Repeat("x", 1024)
	}
	brief := record.Brief()
	if len(brief.Digits) != 50 || cap(brief.Digits) > 64 || brief.DigitsInFile != 350 || len(brief.Metadata) != 0 || brief.MetadataInFile != 1 {
		t.Errorf("%d digits of %d, %d texts of %d", len(brief.Digits), brief.DigitsInFile, len(brief.Metadata), brief.MetadataInFile)
	}
	if len(brief.Prompts) != 50 || brief.PromptsInFile != 10 {
		t.Errorf("%d prompts of %d", len(brief.Prompts), brief.PromptsInFile)
	}
	if len(brief.Variables) != 4 || brief.VariablesInFile != 46 || brief.Variables["sip_call_id"] != "a@b" || brief.Variables["v48"] == "" {
		t.Errorf("%d variables, %d in the file", len(brief.Variables), brief.VariablesInFile)
	}
	if len(record.Variables) != 50 || len(record.Digits) != 400 {
		t.Error("the record itself has fewer now")
	}
	if small := (store.Record{Variables: map[string]string{"a": "b"}, Digits: make([]store.Digit, 50)}).Brief(); len(small.Variables) != 1 || small.DigitsInFile+small.VariablesInFile != 0 {
		t.Errorf("%+v", small)
	}
}
