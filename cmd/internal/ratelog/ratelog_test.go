package ratelog

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

func mark(kind string) zap.Field {
	return zap.Field{Key: "ratelog", Type: zapcore.SkipType, String: kind}
}

// clock is the logger's clock, moved by hand.
type clock struct{ now time.Time }

func (c *clock) Now() time.Time                         { return c.now }
func (c *clock) NewTicker(d time.Duration) *time.Ticker { return time.NewTicker(d) }

// logger returns a limited logger, its clock, and what it has written since the last call.
func logger() (*zap.Logger, *clock, func() []string) {
	inner, seen := observer.New(zap.InfoLevel)
	c := &clock{now: time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)}
	return zap.New(New(inner), zap.WithClock(c)), c, func() (lines []string) {
		for _, e := range seen.TakeAll() {
			fields := e.ContextMap()
			if strings.HasPrefix(fmt.Sprint(fields["hint"]), `see the lines "`) {
				delete(fields, "hint")
			}
			lines = append(lines, strings.TrimSpace(fmt.Sprint(e.Level, " ", e.Message, " ", fmt.Sprint(fields)[len("map"):])))
		}
		return lines
	}
}

func expect(t *testing.T, written func() []string, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, written()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestOneLineASecond(t *testing.T) {
	log, c, written := logger()
	for range 5 {
		log.Warn("refused", mark("address"), zap.String("cause", "address"))
		log.Warn("plain")
		log.Debug("refused", mark("address")) // not enabled, so not counted either
	}
	expect(t, written, "warn refused [cause:address]", "warn plain []", "warn plain []", "warn plain []", "warn plain []", "warn plain []")
	c.now = c.now.Add(interval)
	log.Warn("refused", mark("address"), zap.String("cause", "address"))
	log.Warn("refused", mark("address"), zap.String("cause", "address"))
	expect(t, written, "warn refused [cause:address skipped:4]")
}

// Each message and each kind has its second, and loggers made of one share it.
func TestKinds(t *testing.T) {
	log, _, written := logger()
	log.Warn("refused", mark("a"))
	log.Warn("refused", mark("b"))
	log.Warn("dropped", mark("a"))
	log.With(zap.Int("n", 1)).Warn("refused", mark("a"))
	log.Warn("refused", zap.String("ratelog", "a")) // a field like others
	expect(t, written, "warn refused []", "warn refused []", "warn dropped []", "warn refused [ratelog:a]")
}

// What no line of its kind follows is summed up with the next line of any kind.
func TestSummary(t *testing.T) {
	log, c, written := logger()
	for range 3 {
		log.Error("refused", mark("ticket of u"), zap.String("cause", "ticket"), zap.String("call", "u"), zap.String("peer", "p"))
		log.With(zap.Int("n", 1)).Warn("dropped", mark("long line"))
	}
	written()
	c.now = c.now.Add(interval - 1)
	log.Info("too early")
	expect(t, written, "info too early []")
	c.now = c.now.Add(1)
	log.Info("late")
	got := written()
	if len(got) != 3 || got[2] != "info late []" {
		t.Fatalf("the summaries come before the line: %q", got)
	}
	all := strings.Join(got, "\n")
	for _, want := range []string{
		"error similar lines suppressed [call:u cause:ticket skipped:2]",
		"warn similar lines suppressed [cause:long line n:1 skipped:2]",
	} {
		if !strings.Contains(all, want) {
			t.Errorf("no %q in\n%s", want, all)
		}
	}
	log.Info("later")
	expect(t, written, "info later []")
}

func TestSync(t *testing.T) {
	log, _, written := logger()
	log.Warn("refused", mark("address"))
	log.Warn("refused", mark("address"))
	if err := log.Sync(); err != nil {
		t.Error(err)
	}
	expect(t, written, "warn refused []", "warn similar lines suppressed [cause:address skipped:1]")
	if err := log.Sync(); err != nil {
		t.Error(err)
	}
	expect(t, written)
}

// However many kinds there are, they are a bounded number, and none is lost.
func TestManyKinds(t *testing.T) {
	log, c, written := logger()
	const kinds = 3 * maxKinds
	for i := range kinds {
		log.Warn("refused", mark(fmt.Sprint(i)))
	}
	if passed := len(written()); passed != maxKinds+1 {
		t.Errorf("%d lines of %d kinds", passed, kinds)
	}
	limited := log.Core().(*core).limiter
	if n := len(limited.kinds); n > maxKinds+1 {
		t.Errorf("%d kinds are remembered", n)
	}
	c.now = c.now.Add(interval)
	log.Info("next")
	expect(t, written, fmt.Sprintf("warn similar lines suppressed [cause:%d skipped:%d]", kinds-1, kinds-maxKinds-1), "info next []")
	if n := len(limited.kinds); n != 0 {
		t.Errorf("%d kinds are remembered of which nothing is left to say", n)
	}
}

func TestEncodersIgnoreTheMark(t *testing.T) {
	var out bytes.Buffer
	json := zapcore.NewJSONEncoder(zapcore.EncoderConfig{MessageKey: "msg"})
	zap.New(New(zapcore.NewCore(json, zapcore.AddSync(&out), zap.InfoLevel))).Warn("refused", mark("x"), zap.Int("n", 1))
	if got := out.String(); got != `{"msg":"refused","n":1}`+"\n" {
		t.Error(got)
	}
}

func TestTogether(t *testing.T) {
	inner, seen := observer.New(zap.InfoLevel)
	log := zap.New(New(inner))
	const loggers, lines = 8, 500
	var wg sync.WaitGroup
	for i := range loggers {
		wg.Go(func() {
			own := log.With(zap.Int("logger", i))
			for range lines {
				own.Warn("refused", mark("address"))
			}
		})
	}
	wg.Wait()
	_ = log.Sync()
	total := 0
	for _, e := range seen.All() {
		if e.Message == "refused" {
			total++
		}
		if skipped, ok := e.ContextMap()["skipped"].(int64); ok {
			total += int(skipped)
		}
	}
	if total != loggers*lines {
		t.Errorf("%d of %d lines are written or counted", total, loggers*lines)
	}
}

// broken is a core whose disk is full.
type broken struct{ zapcore.Core }

var errFull = errors.New("no space left")

func (b broken) Write(zapcore.Entry, []zapcore.Field) error { return errFull }

func TestErrorsAreHandedOn(t *testing.T) {
	inner, _ := observer.New(zap.InfoLevel)
	if err := New(broken{inner}).Write(zapcore.Entry{Message: "x"}, nil); !errors.Is(err, errFull) {
		t.Error(err)
	}
}
