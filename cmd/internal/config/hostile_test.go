package config

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// A file of the greatest size ends in an answer soon, whatever it holds. What is
// quadratic in its size would take minutes.
func TestHostileFilesEndSoon(t *testing.T) {
	numbered := func(format string) string {
		var b strings.Builder
		for i := 0; b.Len() < maxFile-100; i++ {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	for name, file := range map[string]string{
		"deep list":     strings.Repeat("[", maxFile),
		"deep map":      strings.Repeat("{a: ", maxFile/4),
		"deep block":    strings.Repeat("- ", maxFile/2),
		"many keys":     numbered("key%d: 1\n"),
		"many plans":    "plans:\n" + numbered("  p%d: {}\n"),
		"many values":   "plans:\n" + numbered("  p%d: {listen: x, lisen: 1}\n"),
		"long list":     "esl: {allow: [" + strings.Repeat("x, ", maxFile/4) + "x]}",
		"good list":     "esl: {allow: [" + strings.Repeat("10.0.0.1, ", maxFile/12) + "10.0.0.1]}",
		"long text":     "log: {level: " + strings.Repeat("x", maxFile-100) + "}",
		"folded text":   "log:\n  level: " + strings.Repeat("x\n    ", maxFile/8),
		"odd blanks":    strings.Repeat("\u00a0", maxFile/2),
		"blanks by row": strings.Repeat("\u00a0\n", maxFile/3),
		"quotes":        strings.Repeat("\u00a0\"'", maxFile/4),
		"tags":          strings.Repeat("!a ", maxFile/3),
		"documents":     strings.Repeat("---\n", maxFile/4),
		"anchors":       "a: &a [x]\nb: [" + strings.Repeat("*a,", maxFile/4) + "]",
		"colons":        strings.Repeat(": ", maxFile/2),
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			_, _ = Parse("f.yaml", []byte(file), Options{})
			if took := time.Since(start); took > time.Minute {
				t.Errorf("%v", took)
			}
		})
	}
}
