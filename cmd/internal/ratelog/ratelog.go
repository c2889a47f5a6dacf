// Package ratelog keeps the log lines that strangers can cause to one a second.
//
// [New] wraps a logger's core. A line is limited if one of its own fields, not of its
// logger's, is a mark, which encoders ignore and which the caller writes as
//
//	zap.Field{Key: "ratelog", Type: zapcore.SkipType, String: kind}
//
// One line a second passes for each message and kind, and the next one that passes
// says in its field skipped how many did not. If none follows, a line "similar lines
// suppressed" says it: with the first line of any kind that comes a second after the
// last that passed, or at Sync. The package starts no goroutine, remembers a bounded
// number of kinds, and holds no lock while a line is written.
package ratelog

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

const (
	// markKey is the key of the field that marks a line.
	markKey = "ratelog"
	// interval is the least time between two lines of one message and kind.
	interval = time.Second
	// maxKinds bounds what is remembered; beyond it all others share one.
	maxKinds = 4096
)

// New returns a core that writes to inner, which must write every entry that it enables.
func New(inner zapcore.Core) zapcore.Core {
	return &core{inner, &limiter{kinds: map[key]*kind{}}}
}

// core is the limiter as one logger of the tree sees it.
type core struct {
	zapcore.Core
	limiter *limiter
}

// limiter counts the lines of each kind.
type limiter struct {
	mu    sync.Mutex
	kinds map[key]*kind
	due   time.Time // no summary is due before
}

// key is a line's message and mark.
type key [2]string

type kind struct {
	passed  time.Time // when a line last did
	skipped int

	// The summary of those that were skipped.
	core   zapcore.Core
	entry  zapcore.Entry
	fields []zapcore.Field
}

// With implements zapcore.Core.
func (c *core) With(fields []zapcore.Field) zapcore.Core {
	return &core{c.Core.With(fields), c.limiter}
}

// Check implements zapcore.Core.
func (c *core) Check(e zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if c.Enabled(e.Level) {
		return checked.AddCore(e, c)
	}
	return checked
}

// Write implements zapcore.Core. Summaries that are due come before the line.
func (c *core) Write(e zapcore.Entry, fields []zapcore.Field) error {
	fields, pass := c.admit(e, fields)
	err := c.limiter.summarize(e.Time, false)
	if pass {
		err = errors.Join(err, c.Core.Write(e, fields))
	}
	return err
}

// Sync implements zapcore.Core. It writes the summaries of all that was skipped.
func (c *core) Sync() error {
	return errors.Join(c.limiter.summarize(time.Now(), true), c.Core.Sync())
}

// admit says whether a line may be written now, and with which fields.
func (c *core) admit(e zapcore.Entry, fields []zapcore.Field) ([]zapcore.Field, bool) {
	marked := slices.IndexFunc(fields, func(f zapcore.Field) bool { return f.Key == markKey && f.Type == zapcore.SkipType })
	if marked < 0 {
		return fields, true
	}
	l, at := c.limiter, key{e.Message, fields[marked].String}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.kinds[at] == nil && len(l.kinds) >= maxKinds {
		at = key{}
	}
	k := l.kinds[at]
	if k == nil {
		k = &kind{}
		l.kinds[at] = k
	}
	if e.Time.Sub(k.passed) < interval {
		k.skip(c.Core, e, fields, fields[marked].String)
		return nil, false
	}
	if k.skipped > 0 {
		fields = append(slices.Clone(fields), zap.Int("skipped", k.skipped))
	}
	k.passed, k.skipped = e.Time, 0
	return fields, true
}

// skip counts a line. Its summary keeps its level, its call, and its cause, for which the
// mark stands if it has none.
func (k *kind) skip(c zapcore.Core, e zapcore.Entry, fields []zapcore.Field, mark string) {
	k.skipped++
	k.core, k.entry, k.fields = c, e, []zapcore.Field{zap.String("cause", mark)}
	for _, f := range fields {
		switch f.Key {
		case "cause":
			k.fields[0] = f
		case "call":
			k.fields = append(k.fields, f)
		}
	}
}

// summarize writes what was skipped: what is due at now, or all.
func (l *limiter) summarize(now time.Time, all bool) (err error) {
	for _, k := range l.ended(now, all) {
		line := k.entry.Message
		k.entry.Time, k.entry.Message = now, "similar lines suppressed"
		fields := append(k.fields, zap.Int("skipped", k.skipped), zap.String("hint", fmt.Sprintf("see the lines %q before", line)))
		err = errors.Join(err, k.core.Write(k.entry, fields))
	}
	return err
}

// ended forgets the kinds of which no line has passed for the interval, or all, and
// returns those of which lines were skipped.
func (l *limiter) ended(now time.Time, all bool) (skipped []*kind) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !all && now.Before(l.due) {
		return nil
	}
	l.due = now.Add(interval)
	for at, k := range l.kinds {
		if due := k.passed.Add(interval); !all && now.Before(due) {
			if due.Before(l.due) {
				l.due = due
			}
			continue
		}
		delete(l.kinds, at)
		if k.skipped > 0 {
			skipped = append(skipped, k)
		}
	}
	return skipped
}
