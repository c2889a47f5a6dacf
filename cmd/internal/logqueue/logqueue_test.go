package logqueue

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// reader is an output whose reader takes what the test lets it take.
type reader struct {
	next chan error // one for each Write; nil takes all of it
	text bytes.Buffer
}

func (r *reader) Write(p []byte) (int, error) {
	if err := <-r.next; err != nil {
		return 0, err
	}
	return r.text.Write(p)
}

// lines are numbered lines of a length.
func put(q *Queue, from, to, length int) {
	for i := from; i < to; i++ {
		_, _ = fmt.Fprintf(q, "%d %s\n", i, strings.Repeat("x", length))
	}
}

// numbers are those of the lines; a note is the negative of its count.
func numbers(t *testing.T, text string) (list []int) {
	t.Helper()
	for line := range strings.Lines(text) {
		first, rest, _ := strings.Cut(line, " ")
		n, err := strconv.Atoi(first)
		if err != nil || !strings.HasSuffix(line, "\n") {
			t.Fatalf("a torn line: %.40q", line)
		}
		if rest == "log lines dropped\n" {
			n = -n
		}
		list = append(list, n)
	}
	return list
}

// A reader that stops for a while loses nothing, and costs nobody time.
func TestSlowReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &reader{next: make(chan error)}
		q := New(out)
		began := time.Now()
		put(q, 0, 3000, 1000)
		if time.Since(began) != 0 {
			t.Error("a line waited for its reader")
		}
		time.Sleep(time.Hour)
		close(out.next)
		synctest.Wait()
		if err := q.Sync(); err != nil {
			t.Error(err)
		}
		got := numbers(t, out.text.String())
		if len(got) != 3000 || got[2999] != 2999 || q.Dropped() != 0 {
			t.Errorf("%d lines, %d dropped", len(got), q.Dropped())
		}
		if err := q.Close(); err != nil {
			t.Error(err)
		}
	})
}

// What is too much is dropped, counted, and named in its place; what came before and after is
// there, in order.
func TestDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &reader{next: make(chan error)}
		q := New(out)
		put(q, 0, 5000, 1000)
		dropped := q.Dropped()
		if dropped < 5000-maxBytes/1000 || dropped > 2000 {
			t.Fatalf("%d dropped", dropped)
		}
		close(out.next)
		synctest.Wait()
		put(q, 5000, 5010, 10)
		if err := q.Close(); err != nil {
			t.Error(err)
		}
		got := numbers(t, out.text.String())
		kept := 5000 - int(dropped)
		for i, n := range got {
			want := i
			switch {
			case i == kept:
				want = -int(dropped)
			case i > kept:
				want = 5000 + i - kept - 1
			}
			if n != want {
				t.Fatalf("line %d is %d, not %d", i, n, want)
			}
		}
		if len(got) != kept+11 || q.Dropped() != dropped {
			t.Errorf("%d lines, %d dropped", len(got), q.Dropped())
		}
	})
}

// An output that fails is tried again, and goes on where it stopped; one that has failed to
// the end is given up.
func TestFailingOutput(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &reader{next: make(chan error, 3)}
		for range cap(out.next) - 1 {
			out.next <- os.ErrClosed
		}
		out.next <- nil
		q := New(out)
		q.Note(func(lines int64) []byte { return fmt.Appendf(nil, "lost %d\n", lines) })
		_, _ = q.Write([]byte("0 x\n1 x\n2 x\n")) // at once: the queue may write each line that comes by itself
		began := time.Now()
		synctest.Wait()
		time.Sleep(2 * retryInterval)
		synctest.Wait()
		if got := numbers(t, out.text.String()); len(got) != 3 || time.Since(began) != 2*retryInterval {
			t.Errorf("%v", got)
		}
		put(q, 3, 5, 1)
		out.next <- os.ErrClosed
		synctest.Wait()
		put(q, 5, 6, 1)
		if err := q.Close(); err != nil {
			t.Error(err)
		}
		if q.Dropped() != 3 {
			t.Errorf("%d dropped", q.Dropped())
		}
	})
}

// A queue of which nothing is left ends at once and without an error, however long ago its last
// line was.
func TestIdleEnd(t *testing.T) {
	for _, lines := range []int{0, 1} {
		for range 100 { // the queue's goroutine may see the end before or after Close looks for it
			synctest.Test(t, func(t *testing.T) {
				q := New(io.Discard)
				put(q, 0, lines, 1)
				time.Sleep(time.Hour)
				began := time.Now()
				if err := q.Close(); err != nil || time.Since(began) != 0 {
					t.Errorf("%v, after %v", err, time.Since(began))
				}
			})
		}
	}
}

// The end waits for 2 s in all, not for ever.
func TestEndIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &reader{next: make(chan error)}
		q := New(out)
		put(q, 0, 1, 1)
		began := time.Now()
		for _, end := range []func() error{q.Sync, q.Sync, q.Close, q.Close} {
			if err := end(); !errors.Is(err, ErrBehind) {
				t.Error(err)
			}
		}
		if took := time.Since(began); took != patience {
			t.Errorf("the end took %v", took)
		}
		put(q, 1, 2, 1)
		close(out.next)
		synctest.Wait()
		if err := q.Close(); err != nil || out.text.String() != "0 x\n1 log lines dropped\n" || q.Dropped() != 1 {
			t.Errorf("%v, %q, %d dropped", err, &out.text, q.Dropped())
		}
	})
}

// A reader that is slow but reads on gets everything, also at the end.
func TestSlowEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &reader{next: make(chan error)}
		q := New(out)
		put(q, 0, 10, maxWrite)
		go func() {
			for range 10 {
				time.Sleep(patience / 2)
				out.next <- nil
			}
		}()
		if err := q.Close(); err != nil || len(numbers(t, out.text.String())) != 10 {
			t.Errorf("%v", err)
		}
	})
}

// A real pipe: many write, one reads late, and every line is whole.
func TestPipe(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	q := New(w)
	const lines = 8000 // more than a pipe holds
	put(q, 0, lines, 100)
	go func() {
		_ = q.Close()
		_ = w.Close()
	}()
	text, err := io.ReadAll(bufio.NewReader(r))
	if err != nil {
		t.Fatal(err)
	}
	for i, n := range numbers(t, string(text)) {
		if i != n {
			t.Fatalf("line %d is %d", i, n)
		}
	}
	if n := bytes.Count(text, []byte("\n")); n != lines || q.Dropped() != 0 {
		t.Errorf("%d lines, %d dropped", n, q.Dropped())
	}
	_ = r.Close()
}

// BenchmarkWrite is what a line costs who logs, and the process: ns/op is of both.
func BenchmarkWrite(b *testing.B) {
	line := append(bytes.Repeat([]byte("x"), 300), '\n')
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = null.Close() }()
	q := New(null)
	defer func() { _ = q.Close() }()
	for name, w := range map[string]io.Writer{"queue": q, "direct": null} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = w.Write(line)
			}
		})
	}
}
