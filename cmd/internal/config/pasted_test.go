package config

import (
	"strings"
	"testing"
)

// What is pasted into the environment or a flag is named, too.
func TestPastedElsewhere(t *testing.T) {
	for text, want := range map[string]string{
		"127.0.0.1:8084\u00a0":  "character 15 of it is a no-break space (U+00A0)",
		"“127.0.0.1:8084”":      `character 1 of it is a typographic quote (U+201C): write " instead`,
		"127.0.0.1:\u200b8084":  "character 11 of it is a zero-width space (U+200B)",
		"127.0.0.1\u202f: 8084": "character 10 of it is a narrow no-break space (U+202F)",
	} {
		for source, opts := range map[string]Options{
			"environment TAPDECK_ESL_LISTEN": {Environ: []string{"TAPDECK_ESL_LISTEN=" + text}},
			"flag -s esl.listen":             {Flags: map[string]string{"esl.listen": text}},
		} {
			_, err := Parse("f", nil, opts)
			if err == nil || !strings.HasPrefix(err.Error(), source+": esl.listen: ") || !strings.Contains(err.Error(), want) {
				t.Errorf("%s %q: %v, want %s", source, text, err, want)
			}
		}
	}
}
