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
	return &core{Core: inner, limiter: &limiter{kinds: map[key]*kind{}}}
}

// core is the limiter as one logger of the tree sees it.
type core struct {
	zapcore.Core
	limiter *limiter
}

// With implements zapcore.Core.
func (c *core) With(fields []zapcore.Field) zapcore.Core {
	return &core{Core: c.Core.With(fields), limiter: c.limiter}
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
	of := line{c.Core, e, fields}
	skipped, pass := c.limiter.admit(of)
	err := write(c.limiter.summaries(e.Time, false))
	if skipped > 0 {
		of.fields = append(slices.Clone(fields), zap.Int("skipped", skipped))
	}
	if pass {
		err = errors.Join(err, of.write())
	}
	return err
}

// Sync implements zapcore.Core. It writes the summaries of all that was skipped.
func (c *core) Sync() error {
	return errors.Join(write(c.limiter.summaries(time.Now(), true)), c.Core.Sync())
}

// line is an entry with all that is needed to write it.
type line struct {
	core   zapcore.Core
	entry  zapcore.Entry
	fields []zapcore.Field
}

func (l line) write() error { return l.core.Write(l.entry, l.fields) }

func write(lines []line) (err error) {
	for _, l := range lines {
		err = errors.Join(err, l.write())
	}
	return err
}

// mark is the line's mark; "" is none.
func (l line) mark() string {
	for _, f := range l.fields {
		if f.Key == markKey && f.Type == zapcore.SkipType {
			return f.String
		}
	}
	return ""
}

// summary keeps of a skipped line its level, its cause, for which the mark stands if it
// has none, and its call.
func (l line) summary() line {
	cause, rest := zap.String("cause", l.mark()), []zap.Field(nil)
	for _, f := range l.fields {
		switch f.Key {
		case "cause":
			cause = f
		case "call":
			rest = append(rest, f)
		}
	}
	l.entry.Message, l.fields = "similar lines suppressed", append(rest, cause)
	return l
}

// limiter counts the lines of each kind.
type limiter struct {
	mu    sync.Mutex
	kinds map[key]*kind
	due   time.Time // no summary is due before; zero if there is none to come
}

type key struct{ message, mark string }

type kind struct {
	passed  time.Time // when a line last did
	skipped int
	summary line // of those that were skipped
}

// admit says whether a line may be written now, and how many of its kind were skipped.
func (l *limiter) admit(of line) (skipped int, pass bool) {
	at := key{of.entry.Message, of.mark()}
	if at.mark == "" {
		return 0, true
	}
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
	if k.passed.IsZero() || of.entry.Time.Sub(k.passed) >= interval {
		skipped, k.passed, k.skipped = k.skipped, of.entry.Time, 0
	} else {
		k.skipped++
		k.summary = of.summary()
	}
	if l.due.IsZero() {
		l.due = k.passed.Add(interval)
	}
	return skipped, k.skipped == 0
}

// summaries takes the lines about what was skipped: those that are due at now, or all.
// It forgets the kinds of which no line has passed for the interval.
func (l *limiter) summaries(now time.Time, all bool) (lines []line) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !all && (l.due.IsZero() || now.Before(l.due)) {
		return nil
	}
	l.due = time.Time{}
	for at, k := range l.kinds {
		if due := k.passed.Add(interval); !all && now.Before(due) {
			if l.due.IsZero() || due.Before(l.due) {
				l.due = due
			}
			continue
		}
		delete(l.kinds, at)
		if k.skipped > 0 {
			s := k.summary
			s.entry.Time = now
			s.fields = append(s.fields, zap.Int("skipped", k.skipped), zap.String("hint", "see the lines before of the same cause"))
			lines = append(lines, s)
		}
	}
	return lines
}
