package player

import (
	"strconv"
	"time"
)

const (
	// frame is what a session plays at a time: chunks are whole frames.
	frame = 20 * time.Millisecond
	// firstChunk bounds one that is cut while nothing plays, or beside two short ones.
	firstChunk = 40 * time.Millisecond
	// longest bounds every chunk.
	longest = time.Second
	// short is below what three chunks may be with the switch: two of them might be over before the next
	// one is there.
	short = 60 * time.Millisecond
	// handover is how long before the end of what plays the next chunk is cut at the latest: for its
	// naming, and the command.
	handover = 40 * time.Millisecond
)

// chunk is one playback: some audio, or a file of File.
type chunk struct {
	generation int

	from   int64         // position of its begin
	pcm    []byte        // kept until it is done, if it was sent over a stream
	length time.Duration // of its audio
	file   string        // what playback is given, "" if it has to be written or named
	ours   bool          // file is one of ours
	done   func(Played)  // of a file of File

	tag      string    // by which mod_audio_stream names it
	sent     bool      // to be named
	sentAt   time.Time // when it was sent
	namedBy  time.Time // until when its name must have come
	unusable bool      // its name can't be used
	refused  bool      // the module does not name it

	stream int // number of the one that has named it
	misses int // how often the switch has not found it

	id     string    // of its playback
	begins time.Time // not before
}

// cut cuts the next chunk off the queue, if there is one and the switch may have it.
func (p *Player) cut(now time.Time) bool {
	p.moreBy = time.Time{}
	switch {
	case now.Before(p.retryAt) || p.mayBeGone(now):
		return false
	case len(p.again) > 0:
		return p.cutAgain(now)
	case len(p.queue.pieces) == 0 && !p.held:
		return false
	}
	most := p.most()
	if most == 0 {
		return false
	}
	if len(p.queue.pieces) > 0 && p.queue.pieces[0].file != "" {
		return len(p.given) < 2 && p.cutFile()
	}
	if p.mayLead(now) {
		return false
	}
	n := p.length(now, most)
	if n == 0 {
		return false
	}
	p.cutAudio(n)
	p.next.namedBy = now.Add(namingTime)
	return true
}

// most is how much audio the switch may have now.
func (p *Player) most() time.Duration {
	switch len(p.given) {
	case 0:
		if p.cfg.Lead > 0 {
			return longest
		}
		return firstChunk
	case 1:
		return longest
	case 2:
		for _, c := range p.given {
			if c.done != nil || c.length >= short {
				return 0
			}
		}
		return firstChunk
	}
	return 0
}

// length is how many bytes the next chunk has: what there is, in whole frames, to the next mark. Less than a
// frame waits for more, unless there is no more to come, or no more time. What only the resampler
// holds, the last 2 ms, waits until nothing else plays: what comes meanwhile is joined to it.
func (p *Player) length(now time.Time, most time.Duration) int {
	n, more := p.queue.audio(p.bytes(most))
	if whole := n - n%p.bytes(frame); whole > 0 {
		return p.untilMark(whole)
	}
	if n == 0 && len(p.given) > 0 {
		return 0
	}
	if due := p.restDue(); !more && now.Before(due) {
		p.moreBy = due
		return 0
	}
	p.flushResampler()
	n, _ = p.queue.audio(p.bytes(frame))
	return n
}

// restDue is when less than a frame is played as it is, with silence to fill it up: if nothing has come for a frame's time,
// and what plays is nearly over.
func (p *Player) restDue() time.Time {
	due := p.freshAt.Add(frame)
	if early := p.endsAt.Add(-handover); len(p.given) > 0 && early.After(due) {
		return early
	}
	return due
}

func (p *Player) cutFile() bool {
	f := p.queue.shift()
	p.next = &chunk{generation: p.generation, from: f.at, file: f.file, done: f.done}
	return true
}

func (p *Player) cutAudio(bytes int) {
	c := &chunk{generation: p.generation, from: p.queue.begin(), pcm: make([]byte, p.frames(bytes))}
	c.length = p.duration(len(c.pcm))
	p.queue.read(c.pcm[:bytes])
	p.next = c
	p.tag(c)
}

// tag gives a chunk a name of its own, by which mod_audio_stream's event is known.
func (p *Player) tag(c *chunk) {
	p.chunks++
	c.tag = strconv.Itoa(c.generation) + "-" + strconv.Itoa(p.chunks)
	c.sent, c.unusable, c.refused = false, false, false
}

// discard has a chunk's file removed, if it is ours.
func (p *Player) discard(c *chunk) {
	if c.ours {
		p.trash = append(p.trash, c.file)
		c.ours = false
	}
}
