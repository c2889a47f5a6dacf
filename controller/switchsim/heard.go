package switchsim

import (
	"time"

	"tapdeck/controller/switchsim/audio"
)

// Heard is a stretch of audio that the caller heard. Nothing is heard around it, and of what is
// played while the call is held nothing (F70). Of two that overlap, as nested playbacks
// do, the later one is heard.
type Heard struct {
	// From is its first media frame of 20 ms, counted from the moment media began.
	From int64
	// At is when that frame was sent to the caller.
	At time.Time
	// Source is what was played: the file, tone or silence.
	Source string
	// Rate is the channel's in Hz, PCM 16-bit little-endian samples in whole frames. At 8000 Hz they
	// are what is left of them behind mu-law.
	Rate int
	PCM  []byte
}

// hearing is all that what a caller heard is made of.
type hearing struct {
	played []Played
	leg    *Leg
	from   int64 // the first media frame that counts
	frames int64 // that the call has had
	begins func(frame int64) time.Time
}

// hears is what the caller has heard so far. It needs c.mu.
func (c *Call) hears() hearing {
	end := time.Now()
	if c.state.cause != "" {
		end = c.state.hungup
	}
	h := hearing{played: c.played.All(), leg: &c.spec.Leg, frames: c.position(end)}
	if media, speed := c.mediaAt, c.sw.cfg.Speed; !media.IsZero() {
		h.begins = func(frame int64) time.Time {
			return media.Add(time.Duration(float64(time.Duration(frame)*FrameDuration) / speed))
		}
	}
	return h
}

// Heard returns what the caller has heard so far, in order.
func (c *Call) Heard() []Heard {
	c.mu.Lock()
	h := c.hears()
	c.mu.Unlock()
	return h.all()
}

// HeardFrom returns what the caller has heard from a media frame on, and the frame to go on with: a
// caller whose words depend on what he hears asks for it again and again.
func (c *Call) HeardFrom(frame int64) (heard []Heard, next int64) {
	c.mu.Lock()
	h := c.hears()
	c.mu.Unlock()
	h.from = frame
	return h.all(), max(frame, h.frames)
}

// Heard returns what the caller heard, in order.
func (r *Report) Heard() []Heard { return r.hearing.all() }

// FrameAt is when a media frame of 20 ms began, counted from the moment media did; zero if it never did.
func (r *Report) FrameAt(frame int64) time.Time {
	if r.hearing.begins == nil {
		return time.Time{}
	}
	return r.hearing.begins(frame)
}

// HeardPCM is what the caller heard, from the moment media began (the answer, or an earlier
// pre-answer) to the hangup: 16-bit little-endian samples at the rate, in Hz, with which the channel
// began, with silence where nothing was heard.
func (r *Report) HeardPCM() (pcm []byte, rate int) {
	h := &r.hearing
	if h.leg == nil {
		return nil, 0
	}
	rate = h.leg.Rate(0)
	size := rate / 50 * 2
	pcm = make([]byte, int(h.frames)*size)
	for _, one := range h.all() {
		frame := one.Rate / 50 * 2
		sound := audio.PCM(one.Rate, one.PCM)
		p := Played{From: one.From, Sound: sound}
		for k := range int64(len(one.PCM) / frame) {
			p.Frame(pcm[int(one.From+k)*size:][:size], one.From+k, rate)
		}
	}
	return pcm, rate
}

func (h *hearing) all() []Heard {
	var all []Heard
	for i := range h.played {
		all = append(all, h.stretches(&h.played[i])...)
	}
	return all
}

// stretches are the parts of a playback that were heard: a hold cuts it, and a change of the
// codec's rate.
func (h *hearing) stretches(p *Played) (list []Heard) {
	var last *Heard
	for k := max(p.From, h.from); k < min(p.Ends(), h.frames); k++ {
		rate := h.leg.Rate(k)
		if h.leg.Held(k) {
			last = nil
			continue
		}
		if last == nil || last.Rate != rate {
			list = append(list, Heard{From: k, At: h.begins(k), Source: p.Source, Rate: rate})
			last = &list[len(list)-1]
		}
		at := len(last.PCM)
		last.PCM = append(last.PCM, make([]byte, rate/50*2)...)
		p.Frame(last.PCM[at:], k, rate)
		if rate == 8000 {
			audio.Companded(last.PCM[at:])
		}
	}
	return list
}

// Say makes the caller say something from the next media frame on, whose number it returns: 16-bit
// little-endian samples at a rate of 8000 or 16000 Hz. While he does, CallSpec.Voice is not heard.
// What he says in the middle of something else that Say made him say is heard instead of that.
func (c *Call) Say(rate int, pcm []byte) (frame int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	frame = max(c.position(time.Now())+1, c.consumed)
	sound := audio.PCM(rate, pcm)
	i := c.said.Begin("said", frame, 0, sound)
	c.said.End(i, frame+audio.FramesOf(sound.Length))
	return frame
}
