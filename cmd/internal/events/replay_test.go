package events

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

// A subscriber that comes back is sent what it missed, but for interim words, and then what comes.
func TestReplay(t *testing.T) {
	for name, c := range map[string]struct {
		f     Filter
		after int
		want  []string
	}{
		"from a final one":         {Filter{}, 0, []string{"a transcript.final 1", "a transcript.final 2", "a transcript.final 3"}},
		"from an interim one":      {Filter{}, 3, []string{"a transcript.final 2", "a transcript.final 3"}},
		"from the newest":          {Filter{}, 5, []string{"a transcript.final 3"}},
		"filtered":                 {Filter{Call: "b"}, 0, nil},
		"filtered by another type": {Filter{Types: []string{"transcript.interim"}}, 0, nil},
	} {
		b := newBus()
		s := subscribe(t, b, Filter{}, nil)
		for n := range 3 {
			b.Observe(final("a", n))
			b.Observe(interim("b", n))
		}
		_, ids := all(s) // a 0, b 0, a 1, b 1, a 2, b 2
		again := subscribe(t, b, c.f, &ids[c.after])
		b.Observe(final("a", 3))
		got, _ := all(again)
		if diff := cmp.Diff(c.want, got); diff != "" || again.Forgotten() {
			t.Errorf("%s: forgotten %v (-want +got):\n%s", name, again.Forgotten(), diff)
		}
	}
}

// Of an ID that is not known any more, all that is kept follows, and the subscription says so.
func TestReplayOfForgotten(t *testing.T) {
	b := newBus()
	before := b.newest
	s := subscribe(t, b, Filter{}, nil)
	b.Observe(final("a", 0))
	_, first := all(s)
	kept := func(after uuid.UUID) (n int, forgotten bool) {
		s := subscribe(t, b, Filter{}, &after)
		texts, _ := all(s)
		return len(texts), s.Forgotten()
	}
	if n, forgotten := kept(before); n != 1 || forgotten {
		t.Errorf("from the begin: %d, forgotten %v", n, forgotten)
	}
	for n := range maxLatest {
		b.Observe(final("a", n+1))
	}
	_, ids := all(s)
	future := uuid.Must(uuid.NewV7())
	for name, c := range map[string]struct {
		after     uuid.UUID
		n         int
		forgotten bool
	}{
		"of another process":            {uuid.UUID{}, maxLatest, true},
		"of the begin":                  {before, maxLatest, true},
		"the newest that is not kept":   {first[0], maxLatest, false},
		"the oldest that is":            {ids[0], maxLatest - 1, false},
		"the newest":                    {ids[len(ids)-1], 0, false},
		"of a process with later times": {future, maxLatest, true},
	} {
		if n, forgotten := kept(c.after); n != c.n || forgotten != c.forgotten {
			t.Errorf("%s: %d events, forgotten %v; want %d, %v", name, n, forgotten, c.n, c.forgotten)
		}
	}
}
