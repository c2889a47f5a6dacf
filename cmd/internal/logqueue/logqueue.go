// Package logqueue lets a log be written without its writers ever waiting for the log's
// reader.
//
// A [Queue] holds the lines that its output has not taken yet, 4 MiB of them at most, and
// writes them in their order as soon as the output takes them. The lines beyond that are
// dropped and counted, and a line in their place says how many. It starts one goroutine,
// which ends with [Queue.Close], or, if the output holds it for longer, with the process.
// It never reads a line's content, and never returns an output's error to who logs.
package logqueue

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

const (
	// maxBytes is how much waits for the output at most.
	maxBytes = 4 << 20
	// maxWrite is how much is written at once, if a line is not longer: a pipe takes so much
	// as one piece, whoever else writes to it, and a slow output shows how far it is.
	maxWrite = 4 << 10
	// keepBytes is how large a buffer is kept for the next lines.
	keepBytes = 64 << 10
	// retryInterval is the time between two attempts of an output that fails.
	retryInterval = time.Second
	// patience is how long Sync and Close wait for an output that takes nothing.
	patience = 2 * time.Second
)

// ErrBehind is the error of Sync and Close if lines are left.
var ErrBehind = errors.New("the log's reader does not read")

// Queue is a log's output that keeps nobody waiting. Its methods are safe for concurrent
// use.
type Queue struct {
	out  io.Writer
	done chan struct{} // closed when the goroutine has ended
	wake chan struct{} // closed by Close: no more waiting between attempts

	mu       sync.Mutex // protects the following
	work     sync.Cond  // there is something to do
	note     func(lines int64) []byte
	waiting  []byte        // whole lines
	spare    []byte        // for the next ones
	inFlight int           // bytes that are being written
	progress time.Time     // when the output last took something, or had nothing to take
	missing  int64         // lines dropped since the latest note
	dropped  int64         // in all
	empty    chan struct{} // closed when nothing waits; nil if nobody asks
	closed   bool
}

// New returns a queue before out. Close must follow.
func New(out io.Writer) *Queue {
	q := &Queue{out: out, done: make(chan struct{}), wake: make(chan struct{}), note: plainNote}
	q.work.L = &q.mu
	go q.run()
	return q
}

func plainNote(lines int64) []byte { return fmt.Appendf(nil, "%d log lines dropped\n", lines) }

// Unwrap returns the output.
func (q *Queue) Unwrap() io.Writer { return q.out }

// Note sets the line that says how many lines were dropped.
func (q *Queue) Note(note func(lines int64) []byte) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.note = note
}

// Dropped returns how many lines were dropped.
func (q *Queue) Dropped() int64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.dropped
}

// Write queues a line, or drops it. It never waits, and its error is always nil.
func (q *Queue) Write(line []byte) (int, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(line) > q.room() {
		q.missing++
		q.dropped++
		return len(line), nil
	}
	q.noteMissing()
	if len(q.waiting)+q.inFlight == 0 {
		q.progress = time.Now()
	}
	q.waiting = append(q.waiting, line...)
	q.work.Signal()
	return len(line), nil
}

// room is how many bytes may come. Once a line was dropped, all are until half of what
// waited is written: a note would stand between every two lines else.
func (q *Queue) room() int {
	room := maxBytes - len(q.waiting) - q.inFlight
	if q.closed || q.missing > 0 && room < maxBytes/2 {
		return -1
	}
	return room
}

// noteMissing puts a note in the place of the lines that were dropped.
func (q *Queue) noteMissing() {
	if q.missing > 0 {
		q.waiting = append(q.waiting, q.note(q.missing)...)
		q.missing = 0
	}
}

// Sync waits until nothing waits, for 2 s at most, which count from when the output last took
// something.
func (q *Queue) Sync() error {
	q.mu.Lock()
	if len(q.waiting)+q.inFlight == 0 {
		q.mu.Unlock()
		return nil
	}
	if q.empty == nil {
		q.empty = make(chan struct{})
	}
	empty := q.empty
	q.mu.Unlock()
	return q.await(empty)
}

// Close writes what waits, as long as Sync does, and ends the queue: lines that come later are
// dropped. The output stays open.
func (q *Queue) Close() error {
	q.mu.Lock()
	if !q.closed {
		q.closed = true
		if len(q.waiting)+q.inFlight == 0 {
			q.progress = time.Now()
		}
		close(q.wake)
		q.work.Signal()
	}
	q.mu.Unlock()
	return q.await(q.done)
}

// await waits for an event, as long as the output goes on.
func (q *Queue) await(event <-chan struct{}) error {
	for {
		q.mu.Lock()
		left := time.Until(q.progress.Add(patience))
		q.mu.Unlock()
		if left <= 0 {
			select {
			case <-event:
				return nil
			default:
				return ErrBehind
			}
		}
		timer := time.NewTimer(left)
		select {
		case <-event:
			timer.Stop()
			return nil
		case <-timer.C:
		}
	}
}

// run writes what comes, until Close.
func (q *Queue) run() {
	defer close(q.done)
	for {
		batch := q.next()
		if len(batch) == 0 {
			return
		}
		q.write(batch)
		q.written(batch)
	}
}

// next waits for lines and takes them; none are the end.
func (q *Queue) next() []byte {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.waiting) == 0 && q.missing == 0 && !q.closed {
		q.work.Wait()
	}
	q.noteMissing()
	batch := q.waiting
	q.waiting, q.spare, q.inFlight = q.spare[:0], nil, len(batch)
	return batch
}

// write writes lines, again and again if the output fails. After Close they are given up
// then.
func (q *Queue) write(batch []byte) {
	for len(batch) > 0 {
		n, err := q.out.Write(piece(batch))
		batch = batch[max(n, 0):]
		q.mu.Lock()
		q.inFlight = len(batch)
		if n > 0 {
			q.progress = time.Now()
		}
		q.mu.Unlock()
		if err == nil {
			continue
		}
		select {
		case <-q.wake:
			q.giveUp(batch)
			return
		case <-time.After(retryInterval):
		}
	}
}

// piece is what is written at once: whole lines, if one is not too long.
func piece(batch []byte) []byte {
	if len(batch) <= maxWrite {
		return batch
	}
	if end := bytes.LastIndexByte(batch[:maxWrite], '\n'); end >= 0 {
		return batch[:end+1]
	}
	if end := bytes.IndexByte(batch, '\n'); end >= 0 {
		return batch[:end+1]
	}
	return batch
}

func (q *Queue) giveUp(batch []byte) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.dropped += int64(bytes.Count(batch, []byte("\n")) + bytes.Count(q.waiting, []byte("\n")))
	q.waiting, q.missing = nil, 0
}

// written keeps a batch's memory for the next lines, if it is not much, and wakes Sync.
func (q *Queue) written(batch []byte) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.inFlight = 0
	if cap(batch) <= keepBytes {
		q.spare = batch
	}
	if len(q.waiting) == 0 && q.empty != nil {
		close(q.empty)
		q.empty = nil
	}
}
