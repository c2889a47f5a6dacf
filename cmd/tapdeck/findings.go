package main

import (
	"encoding/json"
	"fmt"
	"io"

	"tapdeck/cmd/internal/finding"
)

// findingPrinter prints findings as they are made.
type findingPrinter struct {
	w            io.Writer
	json, colour bool
	counts       map[finding.Status]int
}

func (p *findingPrinter) print(f finding.Finding) {
	p.counts[f.Status]++
	if p.json {
		_ = json.NewEncoder(p.w).Encode(f)
		return
	}
	fmt.Fprintf(p.w, "%s  %s: %s\n", p.mark(f.Status), f.Check, f.Seen)
	if f.Todo != "" && f.Status != finding.Pass {
		fmt.Fprintf(p.w, "         → %s\n", f.Todo)
	}
}

// total says how many findings there were of each kind.
func (p *findingPrinter) total() {
	if n := p.counts; !p.json {
		fmt.Fprintf(p.w, "\n%d ok, %d warnings, %d failed, %d unknown\n", n[finding.Pass], n[finding.Warn], n[finding.Fail], n[finding.Unknown])
	}
}

// progress says to a person what is being waited for.
func (p *findingPrinter) progress(text string) {
	if p.colour && !p.json {
		fmt.Fprintf(p.w, "...      %s\n", text)
	}
}

// mark is a status for the eye, of a fixed width.
func (p *findingPrinter) mark(s finding.Status) string {
	mark := map[finding.Status]struct{ word, colour string }{
		finding.Pass: {"ok     ", "32"}, finding.Warn: {"WARN   ", "33"}, finding.Fail: {"FAIL   ", "31"}, finding.Unknown: {"unknown", "36"},
	}[s]
	if !p.colour {
		return mark.word
	}
	return fmt.Sprintf("\x1b[%sm%s\x1b[0m", mark.colour, mark.word)
}
