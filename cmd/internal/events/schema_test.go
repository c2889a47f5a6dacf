package events

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"tapdeck/controller"
	"tapdeck/controller/transcript"
)

// schemas returns that of an event, and that of what was dropped.
func schemas(t testing.TB) (event, dropped *jsonschema.Schema) {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("events.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	return compiler.MustCompile("events.schema.json"), compiler.MustCompile("events.schema.json#/$defs/dropped")
}

func valid(s *jsonschema.Schema, message []byte) error {
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(message))
	if err != nil {
		return err
	}
	return s.Validate(value)
}

// samples have the data of each kind, as bare as it can be, and with all that it can hold.
var samples = map[controller.EventKind][]any{
	controller.EventTranscriptFinal:   {transcript.Segment{Channel: transcript.ChannelCaller}, transcript.Segment{Channel: transcript.ChannelCallee, From: 1, To: 2e9, Text: "hello", Confidence: 1, Final: true}},
	controller.EventTranscriptInterim: {transcript.Segment{Channel: transcript.ChannelBoth, To: 1e6, Text: "\n", Confidence: 1e-9}},
}

// All that is sent is as the schema says, and the schema says no more than that.
func TestEventsAreAsTheSchemaSays(t *testing.T) {
	event, _ := schemas(t)
	b := newBus()
	s := subscribe(t, b, Filter{}, nil)
	for kind := range kinds {
		if len(samples[kind]) == 0 {
			t.Errorf("%s has no sample", kind)
		}
		for _, data := range samples[kind] {
			e := final("45e46232", 1)
			e.Kind, e.Data = kind, data
			b.Observe(e)
			sent, _ := s.Next()
			if err := valid(event, sent.JSON()); err != nil {
				t.Errorf("%s: %v", sent.JSON(), err)
			}
		}
	}
	b.Observe(final("a", 1))
	sent, _ := s.Next()
	for old, wrong := range map[string]string{
		`"specversion":"1.0"`: `"specversion":"1"`, "/tapdeck/fs1": "", `"type":"transcript.final"`: `"type":"transcript"`, `"subject":"a"`: `"subject":""`,
		`"subject":"a",`: "", `03.001Z`: `03Z`, `"channel":"caller"`: `"channel":"left"`, `"channel":"caller",`: "", `"from_ms":1000`: `"from_ms":-1`,
		`"text":"1"`: `"text":"1","final":true`, `"datacontenttype"`: `"dataschema":"x","datacontenttype"`, sent.ID.String(): "b3b0f7c2-0c1e-4f0e-8c55-0123456789ab",
	} {
		if message := bytes.Replace(sent.JSON(), []byte(old), []byte(wrong), 1); bytes.Equal(message, sent.JSON()) || valid(event, message) == nil {
			t.Errorf("%s is valid with %s for %s", message, wrong, old)
		}
	}
}

func TestDroppedIsAsTheSchemaSays(t *testing.T) {
	_, dropped := schemas(t)
	for _, d := range []Dropped{{ReasonSlow, 7}, {Reason: ReasonForgotten}} {
		if message, err := json.Marshal(d); err != nil || valid(dropped, message) != nil {
			t.Errorf("%s: %v, %v", message, err, valid(dropped, message))
		}
	}
	for _, message := range []string{`{}`, `{"reason":"late"}`, `{"reason":"slow","events":0}`, `{"events":1}`} {
		if valid(dropped, []byte(message)) == nil {
			t.Errorf("%s is valid", message)
		}
	}
}

// controllerKinds are the constants of type EventKind in the controller's source, sorted.
func controllerKinds(t testing.TB) (list []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../../../controller/observer.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if of, ok := spec.Type.(*ast.Ident); !ok || of.Name != "EventKind" {
			return true
		}
		kind, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, kind)
		return true
	})
	slices.Sort(list)
	return list
}

// Every kind of the controller is known here, and to the schema.
func TestKindsAreKnown(t *testing.T) {
	want := controllerKinds(t)
	var got []string
	for kind := range kinds {
		got = append(got, string(kind))
	}
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" || len(want) == 0 {
		t.Errorf("the kinds (-controller +events):\n%s", diff)
	}
	var schema struct {
		Properties struct{ Type struct{ Enum []string } }
	}
	if err := json.Unmarshal(Schema, &schema); err != nil {
		t.Fatal(err)
	}
	slices.Sort(schema.Properties.Type.Enum)
	if diff := cmp.Diff(want, schema.Properties.Type.Enum); diff != "" {
		t.Errorf("the types (-controller +schema):\n%s", diff)
	}
}

// The document of events has a row for each kind, and names every field.
func TestEventsAreDocumented(t *testing.T) {
	page, err := os.ReadFile("../../../.github/events.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range controllerKinds(t) {
		if !strings.Contains(string(page), "\n| `"+kind+"` |") {
			t.Errorf("%s has no row in events.md", kind)
		}
	}
	for _, of := range []reflect.Type{reflect.TypeFor[Event](), reflect.TypeFor[segment](), reflect.TypeFor[Dropped]()} {
		for i := range of.NumField() {
			name, _, _ := strings.Cut(of.Field(i).Tag.Get("json"), ",")
			if name != "" && !strings.Contains(string(page), "`"+name+"`") {
				t.Errorf("%s of %s is not in events.md", name, of)
			}
		}
	}
}
