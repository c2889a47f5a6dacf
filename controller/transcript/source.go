package transcript

import (
	"sync/atomic"
	"time"

	"tapdeck/controller/pcm"
)

const (
	// chunkTime is the longest audio of one message.
	chunkTime = 200 * time.Millisecond
	// gapSilence is how much silence stands for a gap of the recording, or for audio that was dropped, so that
	// the service sees that an utterance has ended; the remainder is skipped.
	gapSilence = time.Second
	// maxFree is how many buffers are kept for later.
	maxFree = 30
)

// silence is what is sent of it: gapSilence at the greatest rate, of two channels. Nobody changes it.
var silence [16000 * 2 * 2]byte

// chunk is a stretch of the recording that is sent in one message: audio, or silence that stands for
// a gap.
type chunk struct {
	at     time.Duration // position of its begin
	frames int64
	pcm    []byte // nil if it is silence, or audio that is not kept any more
	silent bool
	// still: no time of the recording passes, since the silence was sent before it was known whether
	// there is a gap.
	still bool
}

// source gives what is to be sent, in order: what a lost connection has not answered, then what the
// ear brings.
type source struct {
	config Config
	ear    pcm.Ear
	again  []chunk
	free   [][]byte // buffers for audio

	short   chunk     // audio that is not sent yet, since it is little
	gapNext pcm.Sound // … and the gap behind it

	came   atomic.Int64  // frames of audio, those that were dropped included
	end    time.Duration // position behind the latest audio
	latest time.Time     // when it came
	begun  bool
	filled bool // silence was sent since the latest audio
}

// next returns what is to be sent next, if there is enough: of the zero chunk there are no frames. The error
// is io.EOF at the recording's end.
func (s *source) next() (chunk, error) {
	if len(s.again) > 0 {
		c := s.again[0]
		s.again = s.again[1:]
		return c, nil
	}
	for {
		if s.gapNext.Gap > 0 && s.short.frames == 0 {
			c := s.gap(s.gapNext)
			if s.gapNext = (pcm.Sound{}); c.frames > 0 {
				return c, nil
			}
		}
		more, err := s.read()
		switch {
		case s.short.frames > 0 && (!more || s.short.frames == s.most()) && (err != nil || s.gapNext.Gap > 0 || s.short.frames >= s.most()/2):
			return s.flush(), nil
		case err != nil:
			return chunk{}, err
		case !more && s.gapNext.Gap == 0:
			return chunk{}, nil
		}
	}
}

// most is how many frames a chunk has at most. Half of them are enough to be sent.
func (s *source) most() int64 { return s.config.frames(chunkTime) }

// read adds what the ear brings to the short chunk, or keeps the gap that comes next. It returns whether there
// may be more audio for the chunk.
func (s *source) read() (more bool, err error) {
	if s.short.pcm == nil {
		s.short.pcm = s.buffer()[:0]
	}
	have := len(s.short.pcm)
	sound, err := s.ear.Read(s.short.pcm[have:cap(s.short.pcm)])
	switch {
	case err != nil:
		return false, err
	case sound.Gap > 0:
		s.gapNext = sound
		return false, nil
	case sound.Bytes == 0:
		return false, nil
	}
	frames := int64(sound.Bytes / s.config.frameBytes())
	if s.short.frames == 0 {
		s.short.at = sound.At
	}
	s.short.pcm, s.short.frames = s.short.pcm[:have+sound.Bytes], s.short.frames+frames
	s.came.Add(frames)
	s.begun, s.filled, s.end, s.latest = true, false, sound.At+s.config.duration(frames), time.Now()
	return s.short.frames < s.most(), nil
}

// flush returns the audio that has come, however little.
func (s *source) flush() chunk {
	c := s.short
	s.short = chunk{}
	return c
}

// gap returns silence that stands for a gap. Before the first audio, and behind silence, none is needed.
func (s *source) gap(sound pcm.Sound) chunk {
	s.came.Add(s.config.frames(sound.Dropped))
	if !s.begun || s.filled {
		return chunk{}
	}
	s.filled = true
	return chunk{at: sound.At, frames: s.config.frames(min(sound.Gap, gapSilence)), silent: true}
}

// pause returns silence for a time in which no audio comes, so that the words before it become final.
func (s *source) pause() chunk {
	s.filled = true
	return chunk{at: s.end, frames: s.config.frames(gapSilence), silent: true, still: true}
}

// drain reads what has come, for its length alone. It returns true at the recording's end.
func (s *source) drain() (over bool) {
	for {
		s.came.Add(s.config.frames(s.gapNext.Dropped)) // that of the sound before
		s.gapNext, s.short = pcm.Sound{}, chunk{pcm: s.short.pcm[:0]}
		more, err := s.read()
		if err != nil {
			return true
		}
		if !more && s.gapNext.Gap == 0 && s.short.frames == 0 {
			return false
		}
	}
}

// buffer returns one for the audio of a chunk.
func (s *source) buffer() []byte {
	if last := len(s.free) - 1; last >= 0 {
		b := s.free[last]
		s.free = s.free[:last]
		return b
	}
	size := int(s.most()) * s.config.frameBytes()
	return make([]byte, size)
}

// release keeps a buffer for other audio, unless it is the remainder of a partly answered one, or there are
// enough.
func (s *source) release(b []byte) {
	if size := int(s.most()) * s.config.frameBytes(); cap(b) >= size && len(s.free) < maxFree {
		s.free = append(s.free, b[:size])
	}
}

// sendAgain has what a lost connection has not answered sent before all else, within the bound.
func (s *source) sendAgain(list []chunk) {
	s.again = append(list, s.again...)
	var kept int64
	for i := len(s.again) - 1; i >= 0; i-- {
		if kept += s.again[i].frames; kept > s.config.frames(s.config.Buffer) {
			s.again = s.again[i+1:]
			return
		}
	}
}

// countOnly reads the ear to its end for its length alone.
func (s *source) countOnly(stop <-chan struct{}) {
	for {
		if s.drain() {
			return
		}
		select {
		case <-s.ear.Ready():
		case <-stop:
			return
		}
	}
}
