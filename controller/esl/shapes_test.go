package esl

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// realEvent is the largest event of the captured call, as FreeSWITCH writes it in JSON.
func realEvent(t testing.TB) string {
	t.Helper()
	frames, _ := readAll(DefaultConfig(), capture(t))
	largest := slices.MaxFunc(frames, func(a, b string) int { return len(a) - len(b) })
	_, block, _ := strings.Cut(largest, "\n\n")
	block, _, _ = strings.Cut(block, "\n\n")
	var b strings.Builder
	for line := range strings.Lines(block) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		value, err := url.PathUnescape(value)
		if err != nil {
			t.Fatal(err)
		}
		quoted, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		b.WriteString(`,"` + name + `":` + string(quoted))
	}
	return "{" + b.String()[1:] + "}"
}
