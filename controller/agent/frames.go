package agent

import (
	"time"

	"tapdeck/controller/pcm"
)

const (
	// maxSilence bounds the silence that is sent for one gap of the recording.
	maxSilence = 10 * time.Second
	// maxMissed bounds it for audio that the bot was too slow for: sent whole, it would never catch up.
	maxMissed = time.Second
)

// frames cuts an ear's audio into frames of frameTime at the bot's rate. Their positions are the
// recording's, which a gap does not change: silence stands for it, and what is beyond the bound is jumped over.
type frames struct {
	ear       pcm.Ear
	rate      int            // of the ear, in Hz
	resampler *pcm.Resampler // nil if the bot's rate is the ear's
	in        []byte         // room for a frame of the ear
	out       []byte         // audio at the bot's rate, which begins with the frame that next has returned
	returned  int            // bytes of that frame
	size      int            // of a frame at the bot's rate, in bytes

	begun   bool
	at      time.Duration // position of the next frame
	silence int           // bytes at the ear's rate that stand for a gap
	jump    time.Duration // what is left out behind the silence

	dropped func(time.Duration) // is told of audio that the bot was too slow for
}

func newFrames(ear pcm.Ear, rate, botRate int, dropped func(time.Duration)) *frames {
	f := &frames{ear: ear, rate: rate, in: make([]byte, pcm.Bytes(frameTime, rate)), size: pcm.Bytes(frameTime, botRate), dropped: dropped}
	if rate != botRate {
		f.resampler = pcm.NewResampler(rate, botRate)
	}
	f.out = make([]byte, 0, 3*f.size)
	return f
}

// next returns a frame, which is valid until the next call, and its position; nil if there is none
// yet. io.EOF is the end of the recording.
func (f *frames) next() ([]byte, time.Duration, error) {
	f.out = append(f.out[:0], f.out[f.returned:]...)
	f.returned = 0
	for len(f.out) < f.size {
		pcm, err := f.read()
		if pcm == nil || err != nil {
			return nil, 0, err
		}
		if f.resampler != nil {
			f.out = f.resampler.Append(f.out, pcm)
		} else {
			f.out = append(f.out, pcm...)
		}
	}
	at := f.at
	f.at += frameTime
	f.returned = f.size
	return f.out[:f.size], at, nil
}

// read returns audio of the ear or the silence of a gap, at most a frame; nil if there is nothing now.
func (f *frames) read() ([]byte, error) {
	for f.silence == 0 {
		f.at, f.jump = f.at+f.jump, 0
		s, err := f.ear.Read(f.in)
		switch {
		case err != nil:
			return nil, err
		case s.Gap > 0:
			f.gap(s)
		case s.Bytes == 0:
			return nil, nil
		default:
			f.begin(s.At)
			return f.in[:s.Bytes], nil
		}
	}
	n := min(f.silence, len(f.in))
	clear(f.in[:n])
	f.silence -= n
	return f.in[:n], nil
}

func (f *frames) begin(at time.Duration) {
	if !f.begun {
		f.begun, f.at = true, at
	}
}

// gap has silence stand for a gap. One before the first audio needs none.
func (f *frames) gap(s pcm.Sound) {
	most := maxSilence
	if s.Dropped > 0 {
		most = maxMissed
		f.dropped(s.Dropped)
	}
	if !f.begun {
		return
	}
	silence := min(s.Gap, most)
	f.silence, f.jump = pcm.Bytes(silence, f.rate), s.Gap-silence
}
