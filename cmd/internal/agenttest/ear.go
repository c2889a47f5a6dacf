package agenttest

import (
	"sync"
	"time"

	"tapdeck/controller/pcm"
)

// frame is the time between two pieces of the caller's audio.
const frame = 20 * time.Millisecond

// ear is the caller: silent but for what say gives him to say, in real time.
type ear struct {
	rate  int
	began time.Time
	ready chan struct{}
	stop  chan struct{}
	once  sync.Once // closes it
	clock sync.WaitGroup

	mu    sync.Mutex
	read  int // bytes that were read
	words []byte
	from  int // byte at which words begin
}

func newEar(rate int) *ear {
	e := &ear{rate: rate, began: time.Now(), ready: make(chan struct{}, 1), stop: make(chan struct{})}
	e.clock.Go(e.tick)
	return e
}

// tick is the clock.
func (e *ear) tick() {
	t := time.NewTicker(frame)
	defer t.Stop()
	for {
		select {
		case <-t.C:
		case <-e.stop:
			return
		}
		select {
		case e.ready <- struct{}{}:
		default:
		}
	}
}

// due is how many bytes the caller has had time for, in whole frames.
func (e *ear) due() int {
	return pcm.Bytes(time.Since(e.began)/frame*frame, e.rate)
}

// position is the time of the caller's clock.
func (e *ear) position() time.Duration { return time.Since(e.began) }

// say has the caller say PCM from now on, and returns when he has done.
func (e *ear) say(words []byte) (end time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.words, e.from = words, max(e.due(), e.read)
	return e.began.Add(pcm.Duration(e.from+len(words), e.rate))
}

func (e *ear) Ready() <-chan struct{} { return e.ready }

// Read is what the caller has said meanwhile, or his silence.
func (e *ear) Read(p []byte) (pcm.Sound, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	n := min(len(p)&^1, e.due()-e.read)
	if n <= 0 {
		return pcm.Sound{}, nil
	}
	clear(p[:n])
	first, last := max(e.from, e.read), min(e.from+len(e.words), e.read+n)
	if first < last {
		copy(p[first-e.read:], e.words[first-e.from:last-e.from])
	}
	at := pcm.Duration(e.read, e.rate)
	e.read += n
	return pcm.Sound{At: at, Bytes: n}, nil
}

// Close stops the clock. Calls after the first one only wait.
func (e *ear) Close() {
	e.once.Do(func() { close(e.stop) })
	e.clock.Wait()
}
