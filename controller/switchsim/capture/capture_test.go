package capture

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// Both formats have the same headers in the same order, and JSON is JSON.
func TestFormatsAgree(t *testing.T) {
	value := func(name string) string { return "a \"value\"\nof " + name }
	variables := func(w *Writer) { w.Add("variable_list", "ARRAY::a|:b") }
	for _, c := range []*Capture{SIP(), Loopback()} {
		for _, f := range c.Frames {
			write := func(w *Writer) { w.Frame(c, f, value, variables) }
			if len(f.head) == 0 || strings.HasPrefix(f.Name, "notice") {
				continue
			}
			_, plain, _ := bytes.Cut(Event(false, write, "", false), []byte("\n\n"))
			_, text, _ := bytes.Cut(Event(true, write, "", false), []byte("\n\n"))
			var want []string
			for line := range strings.Lines(strings.TrimRight(string(plain), "\n")) {
				name, _, _ := strings.Cut(line, ": ")
				want = append(want, name)
			}
			if got := names(t, text); !slices.Equal(got, want) {
				t.Errorf("%s: JSON has %q, plain %q", f.Name, got, want)
			}
		}
	}
}

// names returns an object's names in their order.
func names(t *testing.T, text []byte) []string {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(text))
	if _, err := d.Token(); err != nil {
		t.Fatal(err)
	}
	var all []string
	for d.More() {
		name, err := d.Token()
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		var value any
		if err := d.Decode(&value); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		all = append(all, name.(string))
	}
	return all
}

func TestMissingFrame(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a frame that is not captured was found")
		}
	}()
	SIP().Frame("CHANNEL_BRIDGE")
}
