package load

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"tapdeck/controller/switchsim"
)

// progress shows simulated calls as they go on: on a terminal one line per call
// that is drawn anew, elsewhere a line a second with how many are where.
type progress struct {
	w        io.Writer
	terminal bool
	began    time.Time

	mu    sync.Mutex // protects what follows
	order []string
	now   map[string]string // call UUID → what it does
	live  map[string]bool   // … → its audio is streamed
	drawn int               // lines
}

// shownCalls is how many calls get a line of their own.
const shownCalls = 12

func newProgress(w io.Writer) *progress {
	f, ok := w.(*os.File)
	return &progress{w: w, terminal: ok && term.IsTerminal(int(f.Fd())), began: time.Now(), now: map[string]string{}, live: map[string]bool{}}
}

// note records a step of a call.
func (p *progress) note(e switchsim.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, known := p.now[e.UUID]; !known {
		p.order = append(p.order, e.UUID)
		p.now[e.UUID] = "ringing"
	}
	switch e.Step {
	case "stream connected":
		p.live[e.UUID] = true
	case "stream end", "destroyed":
		delete(p.live, e.UUID)
	}
	if word := stepWord(e, p.live[e.UUID]); word != "" {
		p.now[e.UUID] = word
	}
}

// stepWord says a step of the simulated switch in the words of a plan. What the caller does once
// nothing plays any more tells whether somebody listens: live says that the audio is streamed.
func stepWord(e switchsim.Event, live bool) string {
	playback := strings.HasPrefix(e.Detail, "playback")
	tone := strings.Contains(e.Detail, "tone_stream")
	switch {
	case e.Step == "execute" && tone:
		return "tone"
	case e.Step == "execute" && playback:
		return "prompt"
	case e.Step == "complete" && playback && live:
		return "listening"
	case e.Step == "complete" && playback:
		return "answered"
	case e.Step == "connected", e.Step == "answered", e.Step == "hangup":
		return e.Step
	case e.Step == "stream connected":
		return "streaming"
	case e.Step == "destroyed":
		return "done"
	}
	return ""
}

// run draws until ctx is done.
func (p *progress) run(ctx context.Context) {
	interval := time.Second
	if p.terminal {
		interval = 100 * time.Millisecond
	}
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			p.draw()
			fmt.Fprintln(p.w)
			return
		case <-ticker.C:
			p.draw()
		}
	}
}

func (p *progress) draw() {
	p.mu.Lock()
	defer p.mu.Unlock()
	elapsed := time.Since(p.began).Seconds()
	if !p.terminal {
		fmt.Fprintf(p.w, "%5.1f s  %s\n", elapsed, p.counts())
		return
	}
	var b strings.Builder
	if p.drawn > 0 {
		fmt.Fprintf(&b, "\x1b[%dA", p.drawn)
	}
	p.drawn = min(shownCalls, len(p.order))
	for _, id := range p.order[:p.drawn] {
		fmt.Fprintf(&b, "\x1b[2K%5.1f s  %s  %s\n", elapsed, id, p.now[id])
	}
	if len(p.order) > shownCalls {
		fmt.Fprintf(&b, "\x1b[2K         all %d: %s\n", len(p.order), p.counts())
		p.drawn++
	}
	fmt.Fprint(p.w, b.String())
}

// counts says how many calls are where.
func (p *progress) counts() string {
	n := map[string]int{}
	for _, word := range p.now {
		n[word]++
	}
	var parts []string
	for _, word := range []string{"ringing", "connected", "answered", "tone", "streaming", "prompt", "listening", "hangup", "done"} {
		if n[word] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n[word], word))
		}
	}
	return strings.Join(parts, ", ")
}
