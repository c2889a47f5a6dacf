package audiostream

import (
	"sync"
	"time"
)

// Clock is the media clock: one goroutine that sends what is due on every
// stream. It runs while there are streams.
type Clock struct {
	tick time.Duration
	wg   sync.WaitGroup

	mu      sync.Mutex
	streams map[*Stream]struct{}
	running bool
}

// NewClock returns a clock that sends what is due every tick.
func NewClock(tick time.Duration) *Clock {
	return &Clock{tick: tick, streams: make(map[*Stream]struct{})}
}

// Wait blocks until there are no streams any more.
func (k *Clock) Wait() { k.wg.Wait() }

func (k *Clock) add(s *Stream) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.streams[s] = struct{}{}
	if !k.running {
		k.running = true
		k.wg.Go(k.run)
	}
}

func (k *Clock) remove(s *Stream) {
	k.mu.Lock()
	delete(k.streams, s)
	k.mu.Unlock()
}

func (k *Clock) run() {
	t := time.NewTicker(k.tick)
	defer t.Stop()
	var batch []*Stream
	for {
		if batch = k.snapshot(batch[:0]); batch == nil {
			return
		}
		now := time.Now()
		for _, s := range batch {
			s.step(now)
		}
		<-t.C
	}
}

// snapshot copies the streams; nil when there are none, and the clock stops.
func (k *Clock) snapshot(batch []*Stream) []*Stream {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.streams) == 0 {
		k.running = false
		return nil
	}
	for s := range k.streams {
		batch = append(batch, s)
	}
	return batch
}

// step is one beat of the clock for one stream.
func (s *Stream) step(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.flush() {
		return
	}
	s.heartbeat(now)
	s.pump(now, false)
}

func (s *Stream) heartbeat(now time.Time) {
	if s.beat > 0 && s.open && !now.Before(s.nextBeat) {
		s.nextBeat = s.nextBeat.Add(s.beat)
		s.frame(opPing, []byte("ping"))
	}
}

// pump sends the frames whose 20 ms have passed: frame k of the call is due
// at media + (k+1)*20 ms. A partly filled buffer waits. When the socket accepts
// no more, frames are owed and made later; with all they are queued now, as
// the module's library does. It needs s.mu.
func (s *Stream) pump(now time.Time, all bool) {
	if !s.open || s.paused || s.mix.Rate <= 0 || s.peerClose || s.faults.dropped || len(s.pending) > 0 && !all {
		return
	}
	due := s.options.Channel.Due(now, s.mix.Both())
	if due-s.next < s.packets {
		return
	}
	if s.faults.any {
		s.pumpFaulty(due, all)
		return
	}
	size := s.mix.FrameBytes()
	for s.skipStarved(due); due-s.next >= s.packets && (all || len(s.pending) == 0); s.skipStarved(due) {
		buf := s.scratch[:0]
		for due-s.next >= s.packets && len(buf) < maxBatch {
			buf = appendFrame(buf, finBit|opBinary, size*int(s.packets), func(p []byte) {
				for i := range s.packets {
					s.mix.Frame(p[int(i)*size:int(i+1)*size], s.next+i)
				}
			})
			s.next += s.packets
			if s.starved() {
				break
			}
		}
		s.scratch = buf
		s.write(buf)
	}
}

// starved says that the module has no frame to read now: one of a mix with both
// directions needs audio of both, and a parked channel may send none (F47).
func (s *Stream) starved() bool {
	if !s.mix.Both() || s.options.Idle {
		return false
	}
	_, plays := s.mix.Played.At(s.next)
	return !plays
}

// skipStarved leaves out the frames that are due while the stream is starved.
func (s *Stream) skipStarved(due int64) {
	for due-s.next >= s.packets && s.starved() {
		s.endPart()
		s.next += s.packets
		s.begin = s.next
	}
}

// maxBatch bounds what one write holds when many frames are due.
const maxBatch = 32 << 10
