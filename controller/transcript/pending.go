package transcript

import (
	"slices"
	"time"
)

// pending is what one connection was sent, as far as the service can still tell something of it. It is
// how a time of the service's is found in the recording, and what is sent again if the connection is lost.
type pending struct {
	config Config
	list   []sentChunk
	sent   int64         // frames
	final  int64         // … before which nothing will change
	kept   int64         // frames of audio that are kept
	first  int           // index in list before which no audio is kept
	tail   time.Duration // position behind the latest chunk that is answered

	free func(buffer []byte)
}

// sentChunk is a chunk with the frame at which it begins on the connection's clock.
type sentChunk struct {
	chunk
	from int64
}

// add notes that a chunk was sent. What is beyond the bound is not kept.
func (p *pending) add(c chunk) {
	if !p.extend(c) {
		p.list = append(p.list, sentChunk{c, p.sent})
	}
	p.sent += c.frames
	if c.pcm != nil {
		p.kept += c.frames
	}
	for most := p.config.frames(p.config.Buffer); p.kept > most; {
		p.forget()
	}
}

// extend keeps a short chunk in the buffer of the one before it, if it goes on there.
func (p *pending) extend(c chunk) bool {
	if len(p.list) == 0 || c.pcm == nil {
		return false
	}
	last := &p.list[len(p.list)-1]
	if last.pcm == nil || cap(last.pcm)-len(last.pcm) < len(c.pcm) || p.positionIn(*last, last.frames) != c.at {
		return false
	}
	last.pcm, last.frames = append(last.pcm, c.pcm...), last.frames+c.frames
	p.free(c.pcm)
	return true
}

// forget gives up the oldest audio that is kept: only its position is kept.
func (p *pending) forget() {
	for p.list[p.first].pcm == nil {
		p.first++
	}
	c := &p.list[p.first]
	p.kept -= c.frames
	p.free(c.pcm)
	c.pcm = nil
	p.merge()
}

// merge makes one of the oldest audio that is not kept and what is right before it.
func (p *pending) merge() {
	if p.first == 0 {
		return
	}
	last, c := &p.list[p.first-1], p.list[p.first]
	if last.pcm == nil && last.silent == c.silent && last.still == c.still && p.positionIn(*last, last.frames) == c.at {
		last.frames += c.frames
		p.list = slices.Delete(p.list, p.first, p.first+1)
		p.first--
	}
}

// answered notes that all before a frame is answered for good. It returns how much audio that was.
func (p *pending) answered(end int64) (frames int64) {
	p.final = max(p.final, min(end, p.sent))
	n := 0
	for n < len(p.list) && p.list[n].from+p.list[n].frames <= p.final {
		c := p.list[n]
		frames, p.tail = frames+c.audio(), p.positionIn(c, c.frames)
		if c.pcm != nil {
			p.kept -= c.frames
			p.free(c.pcm)
		}
		n++
	}
	p.list, p.first = slices.Delete(p.list, 0, n), max(0, p.first-n)
	return frames
}

// audio is how much of the chunk was spoken audio.
func (c sentChunk) audio() int64 {
	if c.silent {
		return 0
	}
	return c.frames
}

// unanswered is how much audio is not answered for good.
func (p *pending) unanswered() (frames int64) {
	for _, c := range p.list {
		frames += c.audio() - min(c.audio(), max(p.final-c.from, 0))
	}
	return frames
}

// remaining returns what is not answered and is still kept, to be sent again, and how much audio of it was
// answered in part. The connection is over.
func (p *pending) remaining() (again []chunk, frames int64) {
	for _, c := range p.list {
		if cut := p.final - c.from; cut > 0 {
			frames += min(cut, c.audio())
			c.at, c.frames = p.positionIn(c, cut), c.frames-cut
			if c.pcm != nil {
				c.pcm = slices.Clone(c.pcm[cut*int64(p.config.frameBytes()):])
			}
		}
		if c.pcm != nil || c.silent {
			again = append(again, c.chunk)
		}
	}
	p.list = nil
	return again, frames
}

// position is where in the recording a frame of the connection's clock begins.
func (p *pending) position(frame int64) time.Duration {
	i, exact := slices.BinarySearchFunc(p.list, frame, func(c sentChunk, at int64) int {
		switch {
		case c.from > at:
			return 1
		case c.from+c.frames <= at:
			return -1
		}
		return 0
	})
	switch {
	case exact:
	case len(p.list) == 0:
		return p.tail
	case i == len(p.list):
		i--
	}
	return p.positionIn(p.list[i], min(max(frame-p.list[i].from, 0), p.list[i].frames))
}

// end is where in the recording what ends before a frame of the connection's clock ends: before a
// gap that begins there, not behind it.
func (p *pending) end(frame int64) time.Duration {
	if frame == 0 {
		return p.position(0)
	}
	at := p.position(frame - 1)
	return min(at+p.config.duration(1), max(at, p.position(frame)))
}

// positionIn is where in the recording a frame of a chunk is.
func (p *pending) positionIn(c sentChunk, frame int64) time.Duration {
	if c.still {
		return c.at
	}
	return c.at + p.config.duration(frame)
}
