package bot

import (
	"time"
)

// Behaviour is what a bot does in a call. It is called when the call's start has come, may speak at once,
// and returns what is to be called later. It is called once a session, so state of a session lies in it.
type Behaviour func(s *Session) Hooks

// Hooks are called as messages come, one at a time; any may be nil, and none should wait.
type Hooks struct {
	// Heard is a message of the caller's audio: 16-bit PCM at Call().Rate, valid during the call.
	Heard func(pcm []byte)
	// Mark has come back.
	Mark func(name string)
	// Digit is a key of the caller.
	Digit func(digit string)
	// Speech is the caller beginning or ending to speak, Cleared that the daemon has dropped what
	// was said: messages of the pcm wire.
	Speech  func(speaking bool)
	Cleared func()
	// Run has a goroutine of its own and ends with the session: see Session.Sleep and Done.
	Run func()
}

// Behaviours are what bots can do, by name.
func Behaviours() map[string]Behaviour {
	return map[string]Behaviour{
		"silent":      func(*Session) Hooks { return Hooks{} },
		"echo":        Echo(EchoOptions{}),
		"interrupted": Echo(EchoOptions{Interruptible: true}),
		"talker":      Talk(TalkOptions{Length: time.Second}),
		"load":        Talk(TalkOptions{Length: time.Second, Every: 2 * time.Second}),
		"greeting":    Talk(TalkOptions{Length: 500 * time.Millisecond, Mark: "greeting"}),
		"barge-in":    BargeIn(Talk(TalkOptions{Length: 30 * time.Second, Mark: "long"})),
		"hangup":      hangUp,
		"digits":      echoDigits,
	}
}

// TalkOptions are what a bot says that does not listen.
type TalkOptions struct {
	// PCM is 16-bit mono at the session's rate; nil is a tone of Length.
	PCM    []byte
	Length time.Duration
	// Every is the time after which it says it again; 0 says it once.
	Every time.Duration
	// Chunk is the length of a message; 0 is 100 ms. Paced sends them in real time, otherwise all go at
	// once, as those of most bots do.
	Chunk time.Duration
	Paced bool
	// Mark, if any, follows each time.
	Mark string
}

// Talk returns a bot that talks at the start, and then as often as it is told.
func Talk(o TalkOptions) Behaviour {
	return func(s *Session) Hooks {
		pcm := o.PCM
		if pcm == nil {
			pcm = Tone(s.Rate(), 660, o.Length)
		}
		chunk := o.Chunk
		if chunk == 0 {
			chunk = 100 * time.Millisecond
		}
		if o.Every == 0 && !o.Paced {
			o.once(s, pcm, chunk)
			return Hooks{}
		}
		return Hooks{Run: func() {
			for ok := true; ok; ok = o.Every > 0 && s.Sleep(o.Every) {
				o.once(s, pcm, chunk)
			}
		}}
	}
}

func (o *TalkOptions) once(s *Session, pcm []byte, chunk time.Duration) {
	if o.Paced {
		n := s.bytes(chunk)
		for len(pcm) > n && s.Sleep(chunk) {
			s.Play(pcm[:n])
			pcm = pcm[n:]
		}
	}
	s.PlayIn(pcm, chunk)
	if o.Mark != "" {
		s.Mark(o.Mark)
	}
}

// hangUp says something, and hangs up when it has been heard.
func hangUp(s *Session) Hooks {
	s.Play(Tone(s.Rate(), 660, 200*time.Millisecond))
	s.Mark("goodbye")
	return Hooks{Mark: func(string) { s.Hangup() }}
}

// echoDigits answers each key of the caller with a short tone and, if the wire has it, the same key.
func echoDigits(s *Session) Hooks {
	return Hooks{Digit: func(digit string) {
		s.Play(Tone(s.Rate(), 880, 100*time.Millisecond))
		s.SendDigits(digit)
	}}
}
