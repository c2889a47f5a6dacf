package store

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Moment is something that happened in a call, MS milliseconds after the call started.
type Moment struct {
	Name string
	MS   int64
}

// Timeline is what happened in a call. A name may come more than once, the earliest first.
//
// As JSON it is one object whose keys are in the order of time: {"answer": 20, "listen": 900,
// "listen_2": 5120}. The second moment of a name is numbered _2.
type Timeline []Moment

// Add appends a moment.
func (t *Timeline) Add(name string, ms int64) { *t = append(*t, Moment{name, ms}) }

// At returns when a name came first, nil if it never came.
func (t Timeline) At(name string) *int64 {
	for i := range t {
		if t[i].Name == name {
			return new(t[i].MS)
		}
	}
	return nil
}

// InOrder returns the moments in the order of time; those of the same ms stay in theirs. It may
// return t itself.
func (t Timeline) InOrder() Timeline {
	byTime := func(a, b Moment) int { return cmp.Compare(a.MS, b.MS) }
	if !slices.IsSortedFunc(t, byTime) {
		t = slices.Clone(t)
		slices.SortStableFunc(t, byTime)
	}
	return t
}

// MarshalJSON implements json.Marshaler.
func (t Timeline) MarshalJSON() ([]byte, error) {
	const perMoment = 28 // "stream_connected_2":123456,
	b := append(make([]byte, 0, perMoment*len(t)+len("{}")), '{')
	seen := make(map[string]int, len(t))
	for i, m := range t.InOrder() {
		if i > 0 {
			b = append(b, ',')
		}
		seen[m.Name]++
		b = append(append(b, '"'), escaped(m.Name)...)
		if n := seen[m.Name]; n > 1 {
			b = strconv.AppendInt(append(b, '_'), int64(n), 10)
		}
		b = strconv.AppendInt(append(b, '"', ':'), m.MS, 10)
	}
	return append(b, '}'), nil
}

// escaped is a name as it is within the quotes of JSON. Those of tapdeck are as they are.
func escaped(name string) string {
	other := func(r rune) bool { return r != '_' && (r < 'a' || r > 'z') && (r < '0' || r > '9') }
	if !strings.ContainsFunc(name, other) {
		return name
	}
	quoted, _ := json.Marshal(name) // a string can always be encoded
	return string(quoted[1 : len(quoted)-1])
}

// UnmarshalJSON implements json.Unmarshaler. A moment of the value null never came.
func (t *Timeline) UnmarshalJSON(text []byte) error {
	*t = nil
	dec := json.NewDecoder(bytes.NewReader(text))
	if open, err := dec.Token(); err != nil || open != json.Delim('{') {
		if open == nil {
			return err
		}
		return fmt.Errorf("decode timeline: %v is no object", open)
	}
	seen := map[string]int{}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return err
		}
		var ms *int64
		if err := dec.Decode(&ms); err != nil {
			return fmt.Errorf("decode timeline: %v: %w", key, err)
		}
		if ms == nil {
			continue
		}
		name := withoutNumber(key.(string), seen)
		seen[name]++
		t.Add(name, *ms)
	}
	return nil
}

// withoutNumber is the name that a key stands for: that of listen_2 is listen if one was seen.
func withoutNumber(key string, seen map[string]int) string {
	if i := strings.LastIndexByte(key, '_'); i > 0 {
		if n, err := strconv.Atoi(key[i+1:]); err == nil && n > 1 && n == seen[key[:i]]+1 {
			return key[:i]
		}
	}
	return key
}
