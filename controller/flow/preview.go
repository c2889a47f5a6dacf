package flow

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Line is one line of a plan's preview.
type Line struct {
	// Time is when it happens, in seconds from the plan's begin ("0.5"), which is the answer unless
	// something comes before that, or from the end of a prompt ("prompt+15.0"; play_2:3 is the third
	// one of the second step play): how long that lasts only the switch knows.
	Time string
	// Text says what happens.
	Text string
}

// Preview collects what a caller hears of a plan.
type Preview struct {
	// Stream describes the call's stream, such as "mono 8000 Hz".
	Stream string

	lines   []Line
	step    string // the step that is asked, by its name in the record's timeline
	prompts int    // … of it so far
	now     time.Duration
	from    string
}

// Add adds a line, and how long what it says lasts at most.
func (p *Preview) Add(lasts time.Duration, format string, values ...any) {
	at := Seconds(p.now)
	if !strings.Contains(at, ".") {
		at += ".0"
	}
	p.lines = append(p.lines, Line{Time: p.from + at, Text: fmt.Sprintf(format, values...)})
	p.now += lasts
}

// Pause lets time pass without a line.
func (p *Preview) Pause(lasts time.Duration) { p.now += lasts }

// AddPrompt adds a line of something whose length only the switch knows: what follows is counted from
// its end.
func (p *Preview) AddPrompt(format string, values ...any) {
	p.Add(0, format, values...)
	p.prompts++
	p.now, p.from = 0, p.step+"+"
	if p.prompts > 1 {
		p.from = fmt.Sprintf("%s:%d+", p.step, p.prompts)
	}
}

// Describe returns what a caller hears of a plan's steps, in order. stream describes its stream. The
// times are the longest; what the switch needs for a step (some 20 ms each, F20) is not in them.
func Describe(steps []Step, stream string) []Line {
	p, at, count := &Preview{Stream: stream}, Position{}, map[string]int{}
	end := func() {
		if at.Streaming {
			p.Add(0, "stream stop")
		}
	}
	for _, s := range steps {
		before := at
		if s.Follow(&at) == nil && at.Over != "" && before.Over == "" {
			end()
		}
		count[s.Name()]++
		p.step, p.prompts = Place(s.Name(), count[s.Name()]), 0
		s.Preview(p)
	}
	if at.Over == "" {
		end()
		p.Add(0, "hangup")
	}
	return p.lines
}

// Place is the name that the timeline of a record has for the nth moment of a name, counted from 1: the
// second one is numbered _2.
func Place(name string, n int) string {
	if n > 1 {
		return fmt.Sprintf("%s_%d", name, n)
	}
	return name
}

// Seconds writes d in seconds with no more decimals than it needs: 0.25, 15.
func Seconds(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', -1, 64) }
