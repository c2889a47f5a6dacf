// Package ratelog keeps the log lines that strangers can cause to one a second.
//
// [New] wraps a logger's core. A line is limited if one of its fields is a mark,
// which encoders ignore and which the caller writes as
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
	mark    string // of With; "" is none
}

// With implements zapcore.Core.
func (c *core) With(fields []zapcore.Field) zapcore.Core {
	return &core{Core: c.Core.With(fields), limiter: c.limiter, mark: markOf(fields, c.mark)}
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
	skipped, pass := 0, true
	if mark := markOf(fields, c.mark); mark != "" {
		skipped, pass = c.limiter.admit(key{e.Message, mark}, line{c.Core, e, fields})
	}
	errs := []error{write(c.limiter.summaries(e.Time, false))}
	if skipped > 0 {
		fields = append(slices.Clone(fields), zap.Int("skipped", skipped))
	}
	if pass {
		errs = append(errs, c.Core.Write(e, fields))
	}
	return errors.Join(errs...)
}

// Sync implements zapcore.Core. It writes the summaries of all that was skipped.
func (c *core) Sync() error {
	return errors.Join(write(c.limiter.summaries(time.Now(), true)), c.Core.Sync())
}

func markOf(fields []zapcore.Field, mark string) string {
	for _, f := range fields {
		if f.Key == markKey && f.Type == zapcore.SkipType {
			mark = f.String
		}
	}
	return mark
}

// line is an entry with all that is needed to write it.
type line struct {
	core   zapcore.Core
	entry  zapcore.Entry
	fields []zapcore.Field
}

func write(lines []line) error {
	var errs []error
	for _, l := range lines {
		errs = append(errs, l.core.Write(l.entry, l.fields))
	}
	return errors.Join(errs...)
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
func (l *limiter) admit(at key, of line) (skipped int, pass bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.kinds[at] == nil && len(l.kinds) >= maxKinds {
		at = key{}
	}
	k, known := l.kinds[at]
	if !known {
		k = &kind{}
		l.kinds[at] = k
	}
	if !known || of.entry.Time.Sub(k.passed) >= interval {
		skipped, k.passed, k.skipped = k.skipped, of.entry.Time, 0
	} else {
		k.skipped++
		k.summary = summary(of, at.mark)
	}
	if l.due.IsZero() {
		l.due = k.passed.Add(interval)
	}
	return skipped, k.skipped == 0
}

// summaries takes the lines that say what was skipped and is due at now, or is not due
// yet, and forgets the kinds of which no line has come for the interval.
func (l *limiter) summaries(now time.Time, all bool) (lines []line) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !all && (l.due.IsZero() || now.Before(l.due)) {
		return nil
	}
	l.due = time.Time{}
	for at, k := range l.kinds {
		due := k.passed.Add(interval)
		if !all && now.Before(due) {
			if l.due.IsZero() || due.Before(l.due) {
				l.due = due
			}
			continue
		}
		delete(l.kinds, at)
		if k.skipped > 0 {
			k.summary.entry.Time = now
			k.summary.fields = append(k.summary.fields, zap.Int("skipped", k.skipped), zap.String("hint", "see the lines before of the same cause"))
			lines = append(lines, k.summary)
		}
	}
	return lines
}

// summary keeps of a skipped line its level, its cause, for which the mark stands if it
// has none, and its call.
func summary(of line, mark string) line {
	cause, rest := zap.String("cause", mark), []zap.Field(nil)
	for _, f := range of.fields {
		switch f.Key {
		case "cause":
			cause = f
		case "call":
			rest = append(rest, f)
		}
	}
	of.entry.Message = "similar lines suppressed"
	return line{of.core, of.entry, append(rest, cause)}
}
