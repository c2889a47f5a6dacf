package load

import (
	"strings"
	"time"

	"tapdeck/controller/switchsim"
	"tapdeck/controller/switchsim/bot"
)

// Talks are what the records say of conversations with bots.
type Talks struct {
	// Calls had one.
	Calls      int   `json:"calls"`
	BargeIns   int   `json:"barge_ins"`
	Reconnects int   `json:"reconnects"`
	DroppedMS  int64 `json:"dropped_ms"`
	RefusedMS  int64 `json:"refused_ms"`
}

// AddTalks adds what the records say of conversations to the figures: none if there were none.
func (f *Figures) AddTalks(t Talks, responses []time.Duration) {
	if t.Calls == 0 {
		return
	}
	f.Talks = &t
	f.Times = append(f.Times, Distribute("the same, by the records", responses))
}

const (
	// turnPause is how long a caller must be silent for his turn to have ended.
	turnPause = 300 * time.Millisecond
	// sameBreath is a pause of a bot that is none.
	sameBreath = 200 * time.Millisecond
)

// heardBot is when the caller heard a bot begin to speak: files of a player are in chunks of raw audio.
func heardBot(r *switchsim.Report) (begins []time.Time) {
	var end time.Time
	for _, h := range r.Heard() {
		if !strings.HasSuffix(h.Source, ".r8") && !strings.HasSuffix(h.Source, ".r16") {
			continue
		}
		if h.At.Sub(end) > sameBreath {
			begins = append(begins, h.At)
		}
		end = r.FrameAt(h.From + int64(len(h.PCM)*50/2/h.Rate))
	}
	return begins
}

// turn is a stretch of the caller's speech.
type turn struct{ began, ended time.Time }

// turns are when a caller has spoken, as far as his first stream has carried it.
func turns(r *switchsim.Report) (list []turn) {
	s := &r.Streams[0]
	pcm := s.PCM()
	for _, part := range s.Parts {
		size := part.Rate / 50 * 2 * s.Channels
		for k := part.From; k < part.From+part.Count; k++ {
			frame := pcm[:size]
			pcm = pcm[size:]
			if !bot.Loud(left(frame, s.Channels)) {
				continue
			}
			began := r.FrameAt(k)
			if n := len(list); n > 0 && began.Sub(list[n-1].ended) < turnPause {
				list[n-1].ended = r.FrameAt(k + 1)
			} else {
				list = append(list, turn{began, r.FrameAt(k + 1)})
			}
		}
	}
	return list
}

func left(frame []byte, channels int) []byte {
	if channels == 1 {
		return frame
	}
	one := make([]byte, 0, len(frame)/2)
	for ; len(frame) >= 4; frame = frame[4:] {
		one = append(one, frame[:2]...)
	}
	return one
}

// responses are the times from the end of each turn of the caller until a bot was heard, if that was before his next.
func responses(turns []turn, heard []time.Time) (took []time.Duration) {
	for i, t := range turns {
		for len(heard) > 0 && heard[0].Before(t.ended) {
			heard = heard[1:]
		}
		if len(heard) > 0 && (i+1 == len(turns) || heard[0].Before(turns[i+1].began)) {
			took = append(took, heard[0].Sub(t.ended))
		}
	}
	return took
}

// talkTimes are what callers can know of their bots' latency; nil if they have heard none.
func talkTimes(reports []switchsim.Report) []Distribution {
	var first, response []time.Duration
	for i := range reports {
		r := &reports[i]
		heard := heardBot(r)
		if len(heard) == 0 || len(r.Streams) == 0 {
			continue
		}
		first = append(first, heard[0].Sub(r.AnsweredAt))
		response = append(response, responses(turns(r), heard)...)
	}
	if first == nil {
		return nil
	}
	return []Distribution{Distribute("answer to first sound of the bot", first), Distribute("caller stops to bot is heard", response)}
}
