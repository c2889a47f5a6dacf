package track

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"tapdeck/wav"
)

const (
	blockBytes = 4 << 10
	// turnBytes is how much audio is written in one turn, unless a flush comes before.
	turnBytes = 16 << 10
	// queueBytes bounds what one recording holds while its disk stalls: four minutes of
	// mono at 8 kHz.
	queueBytes = 4 << 20
)

// Disk is how a Track comes to its file, and what it tells of it.
type Disk struct {
	// Open makes the file and begins it. Whoever made the Track closes the file, after Finish.
	Open func() (File, *wav.Writer, error)
	// Go starts a goroutine that writes. If it panics there, the Track's error is ErrPanic.
	Go func(write func())
	// Began is told that a turn at the disk has begun, Wrote how long it took.
	Began func()
	Wrote func(took time.Duration)
	// Room is shared by all tracks that may together hold so much.
	Room *Room
}

// ErrPanic is the error of a Track whose file panicked.
var ErrPanic = errors.New("writing panicked")

// Room bounds what tracks hold while their disk stalls.
type Room struct {
	bytes int64
	used  atomic.Int64
}

// NewRoom returns room for so many bytes.
func NewRoom(bytes int64) *Room { return &Room{bytes: bytes} }

// Bytes returns how many may be held.
func (r *Room) Bytes() int64 { return r.bytes }

// Used returns the bytes that are held now.
func (r *Room) Used() int64 { return r.used.Load() }

func (r *Room) take(bytes int64) bool {
	if r.used.Add(bytes) <= r.bytes {
		return true
	}
	r.give(bytes)
	return false
}

func (r *Room) give(bytes int64) { r.used.Add(-bytes) }

type block [blockBytes]byte

var blocks = sync.Pool{New: func() any { return new(block) }}

// aim is how far a turn brings what it writes.
type aim int

const (
	written  aim = iota // to the file
	playable            // and the file's sizes to it
	durable             // and all of it to the disk
)

// item is what is to be done at the disk, one of these.
type item struct {
	block   *block // to be written
	n       int    // bytes of audio in it
	silence int64  // frames, to be written
	job     func()
}

// queue carries a recording's audio to its file, so that whoever reads its socket never waits
// for the disk. While there is something to write, a goroutine writes it, in turns.
type queue struct {
	disk  Disk
	write func() // work, as a value that is made once

	// The reader's: what it has not handed over yet.
	fill  []item
	bytes int  // of audio in it
	stale bool // the sizes in the file are not those of what was handed over

	// The writer's while it works, else the reader's.
	file File
	w    *wav.Writer // nil until the file is there

	mu      sync.Mutex // protects the following
	idle    sync.Cond  // working has become false
	working bool
	items   []item
	aim     aim       // of the next turn
	turn    []item    // what the writer has taken
	held    int64     // bytes of all blocks
	began   time.Time // when the turn did; zero if there is none
	slowest time.Duration
	err     error // the first
}

// newQueue begins to make the file.
func newQueue(disk Disk) *queue {
	q := &queue{disk: disk, stale: true}
	q.idle.L = &q.mu
	q.write = q.work
	q.handOver(playable)
	return q
}

// audio adds PCM, or nothing: false says that there is no room for it.
func (q *queue) audio(pcm []byte) bool {
	if more := (len(pcm) - q.free() + blockBytes - 1) / blockBytes; more > 0 && !q.reserve(int64(more)*blockBytes) {
		return false
	}
	q.bytes += len(pcm)
	for len(pcm) > 0 {
		if q.free() == 0 {
			q.fill = append(q.fill, item{block: blocks.Get().(*block)})
		}
		last := &q.fill[len(q.fill)-1]
		n := copy(last.block[last.n:], pcm)
		last.n += n
		pcm = pcm[n:]
	}
	if q.bytes >= turnBytes {
		q.handOver(written)
	}
	return true
}

// free returns the bytes that still go into the last block.
func (q *queue) free() int {
	if len(q.fill) == 0 || q.fill[len(q.fill)-1].block == nil {
		return 0
	}
	return blockBytes - q.fill[len(q.fill)-1].n
}

func (q *queue) reserve(bytes int64) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.held+bytes > queueBytes || !q.disk.Room.take(bytes) {
		return false
	}
	q.held += bytes
	return true
}

// silence adds so many frames of zeros, for which there is always room.
func (q *queue) silence(frames int64) {
	if frames > 0 {
		q.fill = appendItems(q.fill, item{silence: frames})
	}
}

// do adds something else that is to be done at the disk, unless there was an error.
func (q *queue) do(job func()) { q.fill = append(q.fill, item{job: job}) }

// appendItems appends to items; silence after silence makes it longer.
func appendItems(items []item, more ...item) []item {
	if last := len(items) - 1; last >= 0 && len(more) > 0 && items[last].silence > 0 && more[0].silence > 0 {
		items[last].silence += more[0].silence
		more = more[1:]
	}
	return append(items, more...)
}

// handOver gives the writer all there is.
func (q *queue) handOver(to aim) {
	q.stale = q.stale || len(q.fill) > 0
	if to == playable && !q.stale {
		return
	}
	q.stale = q.stale && to == written
	q.mu.Lock()
	q.items = appendItems(q.items, q.fill...)
	q.aim = max(q.aim, to)
	idle := !q.working && (len(q.items) > 0 || q.aim > written)
	q.working = q.working || idle
	q.mu.Unlock()
	clear(q.fill)
	q.fill, q.bytes = q.fill[:0], 0
	if idle {
		q.disk.Go(q.write)
	}
}

// work is the writer's goroutine.
func (q *queue) work() {
	defer q.endTurn(ErrPanic) // only a panic leaves a turn open
	for {
		to, ok := q.beginTurn()
		if !ok {
			return
		}
		q.endTurn(q.carryOut(to))
	}
}

// beginTurn takes what is to be written; if there is nothing, the writer's work is over.
func (q *queue) beginTurn() (to aim, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.items) == 0 && q.aim == written {
		q.stopWork()
		return written, false
	}
	to, q.aim = q.aim, written
	q.turn, q.items = q.items, q.turn
	q.began = time.Now()
	q.disk.Began()
	return to, true
}

func (q *queue) stopWork() {
	q.working = false
	q.idle.Broadcast()
}

// carryOut does what the turn asks for. After an error nothing is written any more.
func (q *queue) carryOut(to aim) error {
	if q.error() != nil {
		return nil
	}
	if q.w == nil {
		var err error
		if q.file, q.w, err = q.disk.Open(); err != nil {
			return err
		}
	}
	for _, it := range q.turn {
		switch {
		case it.job != nil:
			it.job()
		case it.block != nil:
			_, _ = q.w.Write(it.block[:it.n]) // its error comes again
		default:
			_ = q.w.WriteSilence(it.silence)
		}
	}
	switch to {
	case playable:
		return q.w.Flush()
	case durable:
		return q.w.Sync()
	}
	_, err := q.w.Write(nil)
	return err
}

// endTurn gives back what the turn held.
func (q *queue) endTurn(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.began.IsZero() {
		return
	}
	var bytes int64
	for _, it := range q.turn {
		if it.block != nil {
			bytes += blockBytes
			blocks.Put(it.block)
		}
	}
	clear(q.turn)
	q.turn = q.turn[:0]
	q.held -= bytes
	q.disk.Room.give(bytes)
	took := time.Since(q.began)
	q.began, q.slowest = time.Time{}, max(q.slowest, took)
	q.disk.Wrote(took)
	if q.err == nil {
		q.err = err
	}
	if errors.Is(err, ErrPanic) {
		q.stopWork()
	}
}

// wait waits until all that was handed over is written, or can't be.
func (q *queue) wait() {
	q.mu.Lock()
	defer q.mu.Unlock()
	for q.working {
		q.idle.Wait()
	}
}

func (q *queue) error() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.err
}

// slow returns the longest turn, the present one included.
func (q *queue) slow(now time.Time) time.Duration {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.began.IsZero() {
		return q.slowest
	}
	return max(q.slowest, now.Sub(q.began))
}
