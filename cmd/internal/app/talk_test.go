package app

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
"os"
"strconv"
	"testing"
	"time"

	"github.com/coder/websocket"

	"tapdeck/cmd/internal/apptest"
	"tapdeck/cmd/internal/verify"
	"tapdeck/controller/switchsim"
	"tapdeck/controller/switchsim/bot"
)

// talkingCalls has a plan that ends with its bot, and one that goes on without it.
const talkingCalls = `
esl: {listen: "127.0.0.1:0"}
sink: {listen: "127.0.0.1:0", min_free: 0MiB, advertise: "ws://127.0.0.1:1", read_interval: 20ms}
admin: {listen: "127.0.0.1:0"}
plans:
  default: {stream: {mix: stereo}, steps: [answer, stream, agent: {url: %[1]q, for: 30s, reconnect: 1, format: %[2]s}, hangup]}
  on: {steps: [answer, stream, agent: {url: %[1]q, for: 30s, reconnect: 0, format: %[2]s, on_failure: continue}, listen: 300ms, hangup]}
`

// startBot runs a simulated bot until the test ends.
func startBot(t testing.TB, o bot.Options) *bot.Bot {
	b := bot.Start(o)
	t.Cleanup(b.Close)
	return b
}

// silent is a caller who says nothing until he is made to.
var silent = &switchsim.Voice{Rate: 8000}

// noise is audio that is like no other of another seed.
func noise(seed uint64, length time.Duration) []byte {
	r, samples := rand.New(rand.NewPCG(seed, 1)), int(length*8000/time.Second)
	pcm := make([]byte, 0, 2*samples)
	for range samples {
		pcm = binary.LittleEndian.AppendUint16(pcm, uint16(int16(r.IntN(24000)-12000)))
	}
	return pcm
}

// untilPause is a bot that says something, marked, and closes once the mark is back and the caller
// has said something and paused.
func untilPause(said []byte) bot.Behaviour {
	return func(s *bot.Session) bot.Hooks {
		heard, pause := false, 0
		s.PlayIn(said, 100*time.Millisecond)
		s.Mark("end")
		return bot.Hooks{Heard: func(pcm []byte) {
			if len(pcm) > 0 && len(pcm) > countZeros(pcm) {
				heard, pause = true, 0
			} else if pause++; heard && pause == 20 && len(s.Pending()) == 0 {
				s.Close(websocket.StatusNormalClosure, "")
			} else if pause > 20 {
				pause = 19
			}
		}}
	}
}

func countZeros(pcm []byte) (n int) {
	for _, b := range pcm {
		if b == 0 {
			n++
		}
	}
	return n
}

// Many calls talk at once, each with a voice and a bot's voice of its own: each bot is heard by its
// own caller only and each caller by his own bot, sample for sample after µ-law, and the
// stereo recording holds both.
func calls() int { if v, _ := strconv.Atoi(os.Getenv("N")); v > 0 { return v }; return 100 }
func TestSimultaneousConversations(t *testing.T) {
	for _, format := range []bot.Format{bot.Twilio, bot.PCM} {
		t.Run(string(format), func(t *testing.T) {
			calls := calls()
			var bots atomic.Uint64
			b := startBot(t, bot.Options{Format: format, Behaviour: func(s *bot.Session) bot.Hooks {
				return untilPause(noise(1000+bots.Add(1), 1500*time.Millisecond))(s)
			}})
			s := newTestDaemon(t, fmt.Sprintf(talkingCalls, b.URL(), format))
			placed := map[string]*switchsim.Call{}
			for range calls {
				call := s.place(switchsim.CallSpec{Voice: silent})
				placed[call.UUID()] = call
			}
			for i := range uint64(calls) {
				session, err := b.Next(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				for id, call := range placed {
					if verify.IsOf(session, id) {
						call.Say(8000, noise(i, 2*time.Second))
					}
				}
			}
			for id, call := range placed {
				report := call.Wait()
				s.record(id)
				talk, err := verify.Conversation(s.dir, report, verify.SessionOf(b, id))
				if a := talk.Record.Agent; err != nil || talk.Record.Result != "completed" || a == nil || a.EndedBy != "bot" || len(talk.Spoken) == 0 {
					t.Errorf("%s: %v; %+v, %+v", id, err, talk, a)
				}
				if talk.Bot < 16000 || talk.Caller != 12000 || talk.Right < 16000 {
					t.Errorf("%s: %d, %d and %d samples compared", id, talk.Bot, talk.Caller, talk.Right)
				}
			}
		})
	}
}

// A bot that is killed under many calls harms no recording.
func TestKilledBot(t *testing.T) {
	const calls = simultaneousCalls / 4
	b := startBot(t, bot.Options{Behaviour: func(s *bot.Session) bot.Hooks {
		s.PlayIn(bot.Tone(8000, 440, 20*time.Second), 100*time.Millisecond)
		return bot.Hooks{}
	}})
	s := newTestDaemon(t, fmt.Sprintf(talkingCalls, b.URL(), bot.Twilio))
	address := s.listeners.ESL.Addr().String()
	placed := make([]*switchsim.Call, calls)
	for i := range placed {
		placed[i] = s.place(switchsim.CallSpec{Address: address + []string{"", "/on"}[i%2], Voice: switchsim.ToneVoice(8000, 200+17*i, 0.5)})
	}
	apptest.Until(t, "every bot to have heard a second", func() bool {
		sessions := b.Sessions()
		for _, session := range sessions {
			if session.Counts().Frames < 50 {
				return false
			}
		}
		return len(sessions) == calls
	})
	b.Kill()
	for i, call := range placed {
		report := call.Wait()
		want := []string{"agent_failed", "completed"}[i%2]
		s.record(report.UUID)
		record, samples, err := verify.Recording(s.dir, report)
		if err != nil || record.Result != want || record.Agent == nil || record.Agent.EndedBy != "failed" || samples < 8000 {
			t.Errorf("call %d: %v; %d samples, %+v, %+v", i, err, samples, record, record.Agent)
		}
		if len(report.Heard()) == 0 {
			t.Errorf("call %d heard nothing of the bot", i)
		}
	}
}
