package bot

import (
	"strconv"
	"time"
)

// EchoOptions are how a bot repeats.
type EchoOptions struct {
	// Pause is how long the caller must be silent, in his audio, before it speaks; 0 is 400 ms.
	Pause time.Duration
	// Interruptible clears when the caller speaks while it is heard. Its marks say how long that is.
	Interruptible bool
	// Longest is what it repeats at most, the latest; 0 is 30 s.
	Longest time.Duration
}

// Echo returns a bot that says back what the caller has said once he has paused, and a mark
// "echo-1", "echo-2" and so on.
func Echo(o EchoOptions) Behaviour {
	if o.Pause == 0 {
		o.Pause = 400 * time.Millisecond
	}
	if o.Longest == 0 {
		o.Longest = 30 * time.Second
	}
	return func(s *Session) Hooks {
		e := &echo{EchoOptions: o, s: s, longest: s.bytes(o.Longest), ear: newSpeechDetector(o.Pause, s.Call().Rate)}
		return Hooks{Heard: e.heard}
	}
}

type echo struct {
	EchoOptions
	s       *Session
	ear     speechDetector
	longest int
	words   []byte
	n       int
}

func (e *echo) heard(pcm []byte) {
	was := e.ear.speaking
	switch now := e.ear.hear(pcm); {
	case now:
		if !was && e.Interruptible && len(e.s.Pending()) > 0 {
			e.s.Clear()
		}
		e.words = append(e.words, pcm...)
		e.words = e.words[max(0, len(e.words)-e.longest):]
	case was:
		e.n++
		e.s.PlayIn(e.words[:max(len(e.words)-(e.ear.quiet-len(pcm)), 0)], 100*time.Millisecond)
		e.s.Mark("echo-" + strconv.Itoa(e.n))
		e.words = e.words[:0]
	}
}

// BargeIn adds to a behaviour that the bot clears when the caller speaks while it is heard: while a mark waits.
func BargeIn(b Behaviour) Behaviour {
	return func(s *Session) Hooks {
		h := b(s)
		ear, then := newSpeechDetector(400*time.Millisecond, s.Call().Rate), h.Heard
		h.Heard = func(pcm []byte) {
			if was := ear.speaking; ear.hear(pcm) && !was && len(s.Pending()) > 0 {
				s.Clear()
			}
			if then != nil {
				then(pcm)
			}
		}
		return h
	}
}
