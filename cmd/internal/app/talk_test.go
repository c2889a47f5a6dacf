package app

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"tapdeck/cmd/internal/apptest"
	"tapdeck/cmd/internal/config"
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
  default: {stream: {mix: stereo}, steps: [answer, stream, agent: {url: %[1]q, for: 1m, reconnect: 1, format: %[2]s}, hangup]}
  on: {steps: [answer, stream, agent: {url: %[1]q, for: 10s, reconnect: 0, format: %[2]s, on_failure: continue}, listen: 300ms, hangup]}
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

// saidByCaller is how long a caller of TestSimultaneousConversations speaks.
const saidByCaller = 2 * time.Second

// all is how many frames that is.
const all = int(saidByCaller / switchsim.FrameDuration)

// conversing is a bot that says something, marked, when it may, and closes once the mark is back and it
// has heard all of its caller.
func conversing(said []byte, may <-chan struct{}) bot.Behaviour {
	return func(s *bot.Session) bot.Hooks {
		loud, pause, back := 0, 0, false
		return bot.Hooks{
			Run: func() {
				select {
				case <-may:
				case <-s.Done():
				}
				s.PlayIn(said, 100*time.Millisecond)
				s.Mark("end")
			},
			Mark: func(string) { back = true },
			Heard: func(pcm []byte) {
				if len(bytes.Trim(pcm, "\x00")) > 0 {
					loud++
					pause = 0
				} else if pause++; back && loud > 0 && (loud >= all || pause >= all) { // some of it may be dropped
					s.Close(websocket.StatusNormalClosure, "")
				}
			},
		}
	}
}

// conversations is how many there are at once: few beside the tests of other packages, since they
// are in real time, or as many as the environment says.
func conversations(t *testing.T) int {
	t.Helper()
	text, stated := os.LookupEnv("TAPDECK_CONVERSATIONS")
	if !stated {
		return 8
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 2 {
		t.Fatalf("TAPDECK_CONVERSATIONS=%q: must be a number from 2 up", text)
	}
	return n
}

// Many calls talk at once, each with a voice and a bot's voice of its own: each bot is heard by its
// own caller only and each caller by his own bot, sample for sample after µ-law, and the
// stereo recording holds both.
func TestSimultaneousConversations(t *testing.T) {
	for _, format := range []bot.Format{bot.Twilio, bot.PCM} {
		t.Run(string(format), func(t *testing.T) {
			const atOnce = 10
			calls := conversations(t)
			var bots atomic.Uint64
			present := make(chan struct{}) // closed once all are there
			b := startBot(t, bot.Options{Format: format, Behaviour: func(s *bot.Session) bot.Hooks {
				return conversing(noise(1000+bots.Add(1), 1500*time.Millisecond), present)(s)
			}})
			s := newTestDaemon(t, fmt.Sprintf(talkingCalls, b.URL(), format), func(c *config.Config) {
				c.Player.Method, c.Player.Directory = "stream", t.TempDir() // on a machine so slow that the switch takes a second, by files
			})
			var placed []*switchsim.Call
			for len(placed) < calls {
				for range atOnce {
					placed = append(placed, s.place(switchsim.CallSpec{Voice: silent}))
				}
				apptest.Until(t, "every bot to be there", func() bool { return len(b.Sessions()) == len(placed) })
			}
			close(present)
			for i, call := range placed {
				call.Say(8000, noise(uint64(i), saidByCaller))
			}
			late := 0
			for _, call := range placed {
				late += s.conversed(b, call.Wait())
			}
			if _, err := verify.Conversation(s.dir, placed[0].Wait(), verify.SessionOf(b, placed[1].UUID())); err == nil {
				t.Error("another call's bot passes")
			}
			if late > calls/2 {
				t.Errorf("%d of %d calls say that audio was dropped", late, calls)
			}
		})
	}
}

// conversed compares a conversation of TestSimultaneousConversations. It returns 1 if the record says that
// audio was dropped: this machine has stood still for seconds.
func (s *testDaemon) conversed(b *bot.Bot, report switchsim.Report) (late int) {
	s.t.Helper()
	id := report.UUID
	s.record(id)
	talk, err := verify.Conversation(s.dir, report, verify.SessionOf(b, id))
	if a := talk.Record.Agent; a != nil && a.DroppedMS > 0 {
		late = 1 // and the bot has not heard every word
	} else if err != nil || talk.Record.Result != "completed" || a == nil || a.EndedBy != "bot" || a.Reconnects != 0 || len(talk.Spoken) == 0 {
		s.t.Errorf("%s: %v; %+v, %+v", id, err, talk, a)
	}
	if late == 0 && talk.Bot < 16000 || talk.Caller != 12000 || talk.Right < 16000 {
		s.t.Errorf("%s: %d, %d and %d samples compared: %v", id, talk.Bot, talk.Caller, talk.Right, err)
	}
	return late
}

// The comparison finds the end of what a bot said missing, also if the bot clears long after it.
func TestLostEndBeforeAClear(t *testing.T) {
	b := startBot(t, bot.Options{Behaviour: func(s *bot.Session) bot.Hooks {
		return bot.Hooks{Run: func() {
			s.PlayIn(noise(1, 2500*time.Millisecond), 100*time.Millisecond)
			s.Sleep(4 * time.Second)
			s.Clear()
			s.Close(websocket.StatusNormalClosure, "")
		}}
	}})
	s := newTestDaemon(t, fmt.Sprintf(talkingCalls, b.URL(), bot.Twilio), func(c *config.Config) {
		c.Player.Method, c.Player.Directory = "files", t.TempDir()
	})
	report := s.place(switchsim.CallSpec{Voice: silent, Faults: switchsim.Faults{LoseFile: 4}}).Wait()
	s.record(report.UUID)
	if talk, err := verify.Conversation(s.dir, report, verify.SessionOf(b, report.UUID)); err == nil || !strings.Contains(err.Error(), "which cleared it only") {
		t.Errorf("%v, %+v; faults %q", err, talk, report.Faults)
	}
}

// A bot that is killed under many calls harms no recording.
func TestKilledBot(t *testing.T) {
	calls := max(conversations(t)/2, 2)
	b := startBot(t, bot.Options{Behaviour: func(s *bot.Session) bot.Hooks {
		s.PlayIn(bot.Tone(8000, 440, 3*time.Second), 100*time.Millisecond)
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
