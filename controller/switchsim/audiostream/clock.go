package switchsim

import (
	"sync"
	"time"
)

// clock is the media clock: one goroutine that sends what is due on every
// stream. It runs while there are streams.
type clock struct {
	sw *Switch
	wg sync.WaitGroup

	mu      sync.Mutex
	streams map[*stream]struct{}
	running bool
}

const defaultTick = 5 * time.Millisecond

func newClock(s *Switch) *clock {
	return &clock{sw: s, streams: make(map[*stream]struct{})}
}

func (k *clock) wait() { k.wg.Wait() }

func (k *clock) add(s *stream) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.streams[s] = struct{}{}
	if !k.running {
		k.running = true
		k.wg.Add(1)
		go k.run()
	}
}

func (k *clock) remove(s *stream) {
	k.mu.Lock()
	delete(k.streams, s)
	k.mu.Unlock()
}

// tick is the clock's period: fine enough to spread the streams over a frame.
func (k *clock) tick() time.Duration {
	if k.sw.cfg.Tick > 0 {
		return k.sw.cfg.Tick
	}
	return max(min(defaultTick, k.sw.real(FrameDuration)), time.Millisecond)
}

func (k *clock) run() {
	defer k.wg.Done()
	t := time.NewTicker(k.tick())
	defer t.Stop()
	var batch []*stream
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
func (k *clock) snapshot(batch []*stream) []*stream {
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
func (s *stream) step(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.flush() {
		return
	}
	s.heartbeat(now)
	s.pump(now, false)
}

func (s *stream) heartbeat(now time.Time) {
	if s.beat > 0 && s.open && !now.Before(s.nextBeat) {
		s.nextBeat = s.nextBeat.Add(s.beat)
		s.frame(opPing, []byte("ping"))
	}
}

// pump sends the frames whose 20 ms have passed: frame k of the call is due
// at media + (k+1)*20 ms. A partly filled buffer waits. When the socket takes
// no more, frames are owed and made later; with all they are queued now, as
// the module's library does. It needs s.mu.
func (s *stream) pump(now time.Time, all bool) {
	if !s.open || s.paused || s.deaf || s.peerClose || s.faults.dropped || len(s.pending) > 0 && !all {
		return
	}
	due, played := s.call.due(now)
	if due-s.next < s.packets {
		return
	}
	s.audio.played = played
	if s.faults.wrong {
		s.pumpWrong(due, all)
		return
	}
	size := s.audio.frameBytes()
	for s.skipStarved(due); due-s.next >= s.packets && (all || len(s.pending) == 0); s.skipStarved(due) {
		buf := s.scratch[:0]
		for due-s.next >= s.packets && len(buf) < maxBatch {
			buf = appendFrame(buf, finBit|opBinary, size*int(s.packets), func(p []byte) {
				for i := range s.packets {
					s.audio.frame(p[int(i)*size:int(i+1)*size], s.next+i)
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
// directions needs audio of both, and a parked channel sends none unless something
// plays, or send_silence_when_idle was set before media was ready (seen on 1.10.12).
func (s *stream) starved() bool {
	return s.audio.mix != "mono" && !s.call.fills && s.audio.at(s.next) == nil
}

// skipStarved leaves out the frames that are due while the stream is starved.
func (s *stream) skipStarved(due int64) {
	for due-s.next >= s.packets && s.starved() {
		s.endPart()
		s.next += s.packets
		s.begin = s.next
	}
}

// maxBatch bounds what one write holds when many frames are due.
const maxBatch = 32 << 10

// due returns how many media frames are complete, and what was played.
func (c *Call) due(now time.Time) (int64, []Played) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.media.IsZero() {
		return 0, nil
	}
	n := frames(time.Duration(float64(now.Sub(c.media)) * c.sw.cfg.Speed))
	c.consumed = max(c.consumed, n)
	return n, c.played
}

// beginPlaying notes that the switch plays something from now on: from the
// first frame that no stream has read yet.
func (c *Call) beginPlaying(source string, t tone) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	from := frames(time.Duration(float64(time.Since(c.media)) * c.sw.cfg.Speed))
	from = max(from, c.consumed)
	played := append([]Played(nil), c.played...) // readers hold the old list
	c.played = append(played, Played{Source: source, From: from, To: -1, tone: t})
	return len(c.played) - 1
}

// endPlaying notes the end and returns how many media frames were played.
func (c *Call) endPlaying(i int) int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	to := frames(time.Duration(float64(time.Since(c.media)) * c.sw.cfg.Speed))
	played := append([]Played(nil), c.played...)
	played[i].To = max(to, c.consumed, played[i].From)
	c.played = played
	return played[i].To - played[i].From
}
