package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"

	"tapdeck/cmd/internal/callview"
	"tapdeck/controller/switchsim"
	"tapdeck/controller/switchsim/load"
)

// turns is the value of --turns: a caller speaks and pauses, again and again.
type turns struct{ speech, pause time.Duration }

// UnmarshalText implements encoding.TextUnmarshaler.
func (t *turns) UnmarshalText(text []byte) error {
	speech, pause, _ := strings.Cut(string(text), ",")
	var errs [2]error
	t.speech, errs[0] = time.ParseDuration(speech)
	t.pause, errs[1] = time.ParseDuration(pause)
	if errors.Join(errs[:]...) != nil || t.speech < 100*time.Millisecond || t.pause < 500*time.Millisecond || t.speech+t.pause > 10*time.Minute {
		return fmt.Errorf("%q must be two durations, of the speech, 100ms or more, and of the pause, 500ms or more, 10m together at most: such as 2s,3s", text)
	}
	return nil
}

// voice is one without its own pauses, in turns. It lasts a minute or longer, and begins again.
func (t turns) voice(v *switchsim.Voice) (*switchsim.Voice, error) {
	words, err := withoutPauses(v)
	if err != nil {
		return nil, err
	}
	samples := func(d time.Duration) int { return int(d.Seconds() * 8000) }
	pcm, at := make([]int16, 0, samples(time.Minute+t.speech+t.pause)), 0
	for len(pcm) < samples(time.Minute) {
		for range samples(t.speech) {
			pcm = append(pcm, int16(binary.LittleEndian.Uint16(words[at:])))
			at = (at + 2) % len(words)
		}
		pcm = append(pcm, make([]int16, samples(t.pause))...)
	}
	return &switchsim.Voice{Rate: 8000, PCM: pcm, Loop: true}, nil
}

// talkNotes gathers what records say of conversations with bots.
type talkNotes struct {
	load.Talks
	responses []time.Duration
}

func (n *talkNotes) note(r callview.Record) {
	a := r.Agent
	if a == nil {
		return
	}
	n.Calls++
	n.BargeIns += a.BargeIns
	n.Reconnects += a.Reconnects
	n.DroppedMS += a.DroppedMS
	n.RefusedMS += a.RefusedMS
	for _, ms := range a.ResponseMS {
		n.responses = append(n.responses, time.Duration(ms)*time.Millisecond)
	}
}
