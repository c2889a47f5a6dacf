package transcript

import (
	"time"

	"tapdeck/controller/pcm"
)

const (
	// chunkTime is the longest audio of one message.
	chunkTime = 200 * time.Millisecond
	// gapSilence is how much silence stands for a gap of the recording, so that the service sees that an
	// utterance has ended; the rest of the gap is jumped over.
	gapSilence = time.Second
	// maxFree is how many rooms for a chunk are kept for later.
	maxFree = 30
	// dropSilence stands for audio that the service was too slow for, so that no word is made of two.
	dropSilence = 200 * time.Millisecond
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
	free   [][]byte // rooms for audio

	came   int64         // frames of audio, those that were dropped included
	end    time.Duration // position behind the latest audio
	begun  bool
	filled bool // silence was sent since the latest audio
}

// next returns what is to be sent next, if there is anything: of the zero chunk there are no
// frames. The error is io.EOF at the recording's end.
func (s *source) next() (chunk, error) {
	if len(s.again) > 0 {
		c := s.again[0]
		s.again = s.again[1:]
		return c, nil
	}
	for {
		room := s.room()
		sound, err := s.ear.Read(room)
		if err != nil || sound.Bytes == 0 {
			s.release(room)
		}
		switch {
		case err != nil:
			return chunk{}, err
		case sound.Gap > 0:
			if c := s.gap(sound); c.frames > 0 {
				return c, nil
			}
		case sound.Bytes == 0:
			return chunk{}, nil
		default:
			return s.audio(sound, room[:sound.Bytes]), nil
		}
	}
}

func (s *source) audio(sound pcm.Sound, room []byte) chunk {
	frames := int64(len(room) / s.config.frameBytes())
	s.came += frames
	s.begun, s.filled, s.end = true, false, sound.At+s.config.duration(frames)
	return chunk{at: sound.At, frames: frames, pcm: room}
}

// gap returns silence that stands for a gap. Before the first audio, and behind silence, none is needed.
func (s *source) gap(sound pcm.Sound) chunk {
	most := gapSilence
	if sound.Dropped {
		most = dropSilence
		s.came += s.config.frames(sound.Gap)
	}
	if !s.begun || s.filled {
		return chunk{}
	}
	s.filled = true
	return chunk{at: sound.At, frames: s.config.frames(min(sound.Gap, most)), silent: true}
}

// pause returns silence for a time in which no audio comes, so that the words before it become final.
func (s *source) pause() chunk {
	s.filled = true
	return chunk{at: s.end, frames: s.config.frames(gapSilence), silent: true, still: true}
}

// drain reads what has come, for its length alone. It returns true at the recording's end.
func (s *source) drain() (over bool) {
	for {
		room := s.room()
		sound, err := s.ear.Read(room)
		s.release(room)
		switch {
		case err != nil:
			return true
		case sound == (pcm.Sound{}):
			return false
		case sound.Dropped:
			s.came += s.config.frames(sound.Gap)
		default:
			s.came += int64(sound.Bytes / s.config.frameBytes())
		}
	}
}

// room returns room for the audio of one chunk.
func (s *source) room() []byte {
	if last := len(s.free) - 1; last >= 0 {
		room := s.free[last]
		s.free = s.free[:last]
		return room
	}
	return make([]byte, int(s.config.frames(chunkTime))*s.config.frameBytes())
}

// release keeps room for other audio, unless it is a rest of one, or there is enough.
func (s *source) release(room []byte) {
	if whole := int(s.config.frames(chunkTime)) * s.config.frameBytes(); cap(room) >= whole && len(s.free) < maxFree {
		s.free = append(s.free, room[:whole])
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
