package agent

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tapdeck/controller/pcm"

	"github.com/coder/websocket"
	"go.uber.org/zap"
)

// payload returns the audio of a media message as linear PCM, and its timestamp.
func payload(t *testing.T, message map[string]any) ([]byte, int) {
	t.Helper()
	if message["event"] != "media" {
		t.Fatalf("a message %v, want media", message)
	}
	media := message["media"].(map[string]any)
	ulaw, err := base64.StdEncoding.DecodeString(media["payload"].(string))
	if err != nil {
		t.Fatal(err)
	}
	at, err := strconv.Atoi(media["timestamp"].(string))
	if err != nil {
		t.Fatal(err)
	}
	return pcm.AppendLinear(nil, ulaw), at
}

// A conversation from its begin to its end on the twilio wire.
func TestTwilioConversation(t *testing.T) {
	var told []map[string]any
	c := testConfig(FormatTwilio)
	bubble(t, c, func(b *botConn) {
		b.say(`{"event":"mark","mark":{"name":"early"}}`)
		told = b.all()
	}, func(b *bed) {
		b.await(Connected)
		b.ear.at = 60 * time.Millisecond
		b.ear.hear(frame(1)[:100])
		b.ear.hear(append(frame(1)[100:], frame(2)...))
		b.ear.hear(frame(3)[:318])
		synctest.Wait()
		b.Digit("5", 100*time.Millisecond)
		b.Speech(true, 100*time.Millisecond)
		b.mouth.flush(false)
		synctest.Wait()
		b.Stop("test over")
	})
	var events []string
	for i, m := range told {
		events = append(events, m["event"].(string))
		if i > 0 && m["sequenceNumber"] != strconv.Itoa(i) {
			t.Errorf("message %d has the number %v", i, m["sequenceNumber"])
		}
	}
	if want := []string{"connected", "start", "media", "media", "dtmf", "mark", "stop"}; !reflect.DeepEqual(events, want) {
		t.Fatalf("the bot was told %q, want %q", events, want)
	}
	for i, n := range []byte{1, 2} {
		audio, at := payload(t, told[2+i])
		if want := pcm.AppendLinear(nil, pcm.AppendULaw(nil, frame(n))); !bytes.Equal(audio, want) || at != 60+20*i {
			t.Errorf("frame %d at %d ms is %x, want %x", i, at, audio[:8], want[:8])
		}
	}
}

// What a bot says is heard, at once however much it is, and its marks come back one for one.
func TestTwilioBotSpeaks(t *testing.T) {
	ulaw := bytes.Repeat([]byte{1, 2, 0xff, 0x80}, 2000)
	var marks []any
	bubble(t, testConfig(FormatTwilio), func(b *botConn) {
		b.skip(1)
		start, _ := b.hear()
		sid := start["streamSid"].(string)
		for range 50 {
			b.say(`{"event":"media","streamSid":"` + sid + `","media":{"payload":"` + base64.StdEncoding.EncodeToString(ulaw) + `"}}`)
			b.say(`{"event":"mark","streamSid":"` + sid + `","mark":{"name":"responsePart"}}`)
			b.say(`{"event":"mark","streamSid":"` + sid + `"}`)
		}
		b.say(`{"event":"clear","streamSid":"` + sid + `"}`)
		for range 100 {
			m, _ := b.hear()
			marks = append(marks, m["mark"].(map[string]any)["name"])
		}
		b.ws.Close(websocket.StatusNormalClosure, "")
	}, func(b *bed) {
		b.await(Connected)
		b.await(Cleared)
		b.await(Ended)
		if want := bytes.Repeat(pcm.AppendLinear(nil, ulaw), 50); !bytes.Equal(b.mouth.played, want) {
			t.Errorf("%d bytes were played, want %d", len(b.mouth.played), len(want))
		}
		if st := b.State(); st.FirstAudio.IsZero() || st.Clears != 1 || st.Connects != 1 || st.Connected {
			t.Errorf("state %+v", st)
		}
	})
	for i, name := range marks {
		if want := []string{"responsePart", ""}[i%2]; name != want {
			t.Errorf("mark %d is %q, want %q", i, name, want)
		}
	}
}

// Gaps are silence, so that timestamps and audio agree; long ones are jumped over.
func TestGapsAreSilence(t *testing.T) {
	type heard struct {
		at     int
		silent bool
	}
	for name, c := range map[string]struct {
		gap     time.Duration
		dropped bool
		silence time.Duration
	}{
		"short":       {60 * time.Millisecond, false, 60 * time.Millisecond},
		"whole":       {10 * time.Second, false, 10 * time.Second},
		"long":        {time.Hour, false, 10 * time.Second},
		"missed":      {700 * time.Millisecond, true, 700 * time.Millisecond},
		"much missed": {5 * time.Second, true, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			var got []heard
			bubble(t, testConfig(FormatTwilio), func(b *botConn) {
				b.skip(2)
				for _, m := range b.all() {
					if m["event"] == "media" {
						audio, at := payload(t, m)
						got = append(got, heard{at, bytes.Equal(audio, make([]byte, 320))})
					}
				}
			}, func(b *bed) {
				b.await(Connected)
				b.ear.gap(time.Minute, true) // before all audio: there is nothing to agree with
				b.ear.hear(frame(1))
				b.ear.gap(c.gap, c.dropped)
				b.ear.hear(frame(2))
				synctest.Wait()
				want := time.Minute
				if c.dropped {
					want += c.gap
				}
				if st := b.State(); st.Dropped != want {
					t.Errorf("%v were dropped, want %v", st.Dropped, want)
				}
			})
			want := []heard{{60_000, false}}
			for i := range int(c.silence / frameTime) {
				want = append(want, heard{60_020 + 20*i, true})
			}
			want = append(want, heard{60_020 + int(c.gap.Milliseconds()), false})
			if !reflect.DeepEqual(got, want) {
				t.Errorf("%d frames, the last %v; want %d, the last %v", len(got), got[len(got)-1], len(want), want[len(want)-1])
			}
		})
	}
}

// An ear at 16000 Hz is heard at 8000 Hz by a bot of the twilio wire, in frames of 20 ms.
func TestTwilioResamples(t *testing.T) {
	c := testConfig(FormatTwilio)
	c.Rate = 16000
	var at []int
	bubble(t, c, func(b *botConn) {
		b.skip(2)
		for _, m := range b.all() {
			if m["event"] == "media" {
				audio, ms := payload(t, m)
				at = append(at, ms)
				if len(audio) != 320 {
					t.Errorf("a frame of %d bytes", len(audio))
				}
			}
		}
	}, func(b *bed) {
		b.await(Connected)
		for range 50 {
			b.ear.hear(make([]byte, 640))
		}
		synctest.Wait()
	})
	if len(at) < 49 || at[0] != 0 || at[48] != 960 {
		t.Errorf("%d frames at %v", len(at), at)
	}
}

// The pcm wire, both ways.
func TestPCMConversation(t *testing.T) {
	var told []map[string]any
	var audio [][]byte
	bubble(t, testConfig(FormatPCM), func(b *botConn) {
		b.sayBinary(frame(9))
		b.say(`{"event":"start","sample_rate":24000}`)
		b.sayBinary(frame(8))
		for _, m := range []string{`{"event":"mark","name":"m"}`, `{"event":"dtmf","digits":"12w#"}`, `{"event":"transfer","to":"5000 XML default"}`, `{"event":"hangup"}`} {
			b.say(m)
		}
		for {
			m, binary := b.hear()
			if m == nil && binary == nil {
				return
			}
			if m != nil {
				told = append(told, m)
			} else {
				audio = append(audio, binary)
			}
		}
	}, func(b *bed) {
		b.await(Connected)
		if e := b.await(SendDigits); e.Text != "12w#" {
			t.Errorf("digits %q", e.Text)
		}
		if e := b.await(Transfer); e.Text != "5000 XML default" {
			t.Errorf("transfer to %q", e.Text)
		}
		if e := b.await(HangUp); e.Text != "NORMAL_CLEARING" {
			t.Errorf("hangup with %q", e.Text)
		}
		b.ear.hear(append(frame(1), frame(2)...))
		b.Speech(true, 20*time.Millisecond)
		b.mouth.flush(true)
		b.BargeIn(25 * time.Millisecond)
		b.Digit("*", 30*time.Millisecond)
		b.Speech(false, 40*time.Millisecond)
		synctest.Wait()
		b.Stop("hangup")
		if want := append(frame(9), frame(8)...); !bytes.Equal(b.mouth.played, want) || !reflect.DeepEqual(b.mouth.rates, []int{8000, 24000}) {
			t.Errorf("%d bytes were played at %v", len(b.mouth.played), b.mouth.rates)
		}
		if b.State().BargeIns != 1 {
			t.Errorf("%d barge-ins", b.State().BargeIns)
		}
	})
	if !bytes.Equal(bytes.Join(audio, nil), append(frame(1), frame(2)...)) || len(audio) != 2 {
		t.Errorf("the bot heard %d messages", len(audio))
	}
	want := []map[string]any{
		{
			"event": "start", "version": 1., "call": testID, "caller": "+4930123", "destination": "5000", "plan": "default",
			"sample_rate": 8000., "encoding": "pcm_s16le", "parameters": map[string]any{"FirstName": `Jane "J" Doe`, "a": ""},
		},
		{"event": "speech", "speaking": true, "at_ms": 20.},
		{"event": "mark", "name": "m", "cleared": true},
		{"event": "clear", "reason": "barge_in"},
		{"event": "dtmf", "digit": "*", "at_ms": 30.},
		{"event": "speech", "speaking": false, "at_ms": 40.},
		{"event": "stop", "reason": "hangup"},
	}
	if !reflect.DeepEqual(told, want) {
		t.Errorf("the bot was told\n%v\nwant\n%v", told, want)
	}
}

// A bot that closes as one does ends the conversation; so it is not lost.
func TestBotEnds(t *testing.T) {
	for _, status := range []websocket.StatusCode{websocket.StatusNormalClosure, websocket.StatusGoingAway, websocket.StatusNoStatusRcvd} {
		t.Run(fmt.Sprint(int(status)), func(t *testing.T) {
			bubble(t, testConfig(FormatPCM), func(b *botConn) {
				b.skip(1)
				b.ws.Close(status, "")
			}, func(b *bed) {
				b.await(Connected)
				b.await(Ended)
			})
		})
	}
}

// So is one that closes while the caller's audio is being sent, which the close may have fail first.
func TestBotEndsInTheMiddle(t *testing.T) {
	for range 50 {
		bubble(t, testConfig(FormatPCM), func(b *botConn) {
			b.skip(3)
			b.ws.Close(websocket.StatusNormalClosure, "")
		}, func(b *bed) {
			b.await(Connected)
			b.ear.hear(make([]byte, 60*16000))
			b.await(Ended)
		})
	}
}

// A lost bot is dialled again, with pauses that grow; each time it is told all from the begin.
func TestReconnect(t *testing.T) {
	c := testConfig(FormatTwilio)
	c.Reconnect = 6
	var sids []string
	bubble(t, c, func(b *botConn) {
		b.skip(1)
		start, _ := b.hear()
		sids = append(sids, start["start"].(map[string]any)["streamSid"].(string))
		b.say(`{"event":"mark","mark":{"name":"forgotten"}}`)
		if start["sequenceNumber"] != "1" {
			t.Errorf("start has the number %v", start["sequenceNumber"])
		}
		if b.n == 2 {
			if m, _ := b.hear(); m["event"] != "dtmf" {
				t.Errorf("the bot was told %v, want the digit of before", m)
			}
		}
		b.die()
	}, func(b *bed) {
		var lost Event
		for i, pause := range []time.Duration{0, 200, 400, 800, 1600, 3200} {
			pause *= time.Millisecond
			if took := b.await(Connected).At.Sub(lost.At); i > 0 && (took < pause || took > pause*6/5) {
				t.Errorf("dialled again after %v, want about %v", took, pause)
			}
			lost = b.await(Lost)
			if lost.Text != hintCrash {
				t.Errorf("hint %q of %v", lost.Text, lost.Err)
			}
			if i == 0 {
				b.Speech(true, 0) // means nothing later
				b.Digit("1", 0)
			}
			b.mouth.flush(false) // marks of a connection that is over
		}
		if took := b.await(Connected).At.Sub(lost.At); took < maxPause || took > maxPause*6/5 {
			t.Errorf("dialled again after %v, want about %v", took, maxPause)
		}
		b.await(Failed)
		if st := b.State(); st.Connects != 7 || st.Reconnects != 6 || b.lines("agent connected") != 7 || b.lines("agent lost") != 6 {
			t.Errorf("state %+v, %d lines", st, b.lines("agent lost"))
		}
	})
	if len(sids) != 7 || sids[0] == sids[1] {
		t.Errorf("stream SIDs %v", sids)
	}
}

func elapse(d time.Duration) { <-time.After(d) }

// The attempts are counted anew after a connection that lasted.
func TestReconnectsAreCountedAnew(t *testing.T) {
	c := testConfig(FormatPCM)
	c.Reconnect = 1
	bubble(t, c, func(b *botConn) {
		b.skip(1)
		if b.n <= 3 {
			elapse(proven)
		}
		b.die()
	}, func(b *bed) {
		for range 3 {
			b.await(Connected)
			b.await(Lost)
		}
		b.await(Connected)
		b.await(Failed)
	})
}

// A bot may be silent for as long as it likes, and so may the caller.
func TestIdleBotStays(t *testing.T) {
	bubble(t, testConfig(FormatTwilio), func(b *botConn) { b.all() }, func(b *bed) {
		b.await(Connected)
		elapse(6 * time.Hour)
		b.ear.hear(frame(1))
		synctest.Wait()
		if st := b.State(); !st.Connected || st.Frames != 1 {
			t.Errorf("state %+v", st)
		}
	})
}

// A host that is gone without a word answers no ping.
func TestDeadHostIsLost(t *testing.T) {
	bubble(t, testConfig(FormatTwilio), func(b *botConn) {
		b.skip(2)
		<-time.After(time.Hour) // and reads nothing: no pong
	}, func(b *bed) {
		began := b.await(Connected).At
		lost := b.await(Lost)
		if took := lost.At.Sub(began); took != pingInterval+pongTimeout || !errors.Is(lost.Err, errNoPong) || lost.Text != hintSlow {
			t.Errorf("lost after %v: %v (%s)", took, lost.Err, lost.Text)
		}
	})
}

// A bot that reads nothing is lost once the network takes nothing more.
func TestSlowBotIsLost(t *testing.T) {
	bubble(t, testConfig(FormatTwilio), func(b *botConn) { elapse(time.Hour) }, func(b *bed) {
		b.await(Connected)
		b.ear.hear(make([]byte, 320*400)) // 400 messages of about 340 bytes: more than the pipe takes
		began := time.Now()
		lost := b.await(Lost)
		if took := time.Since(began); took != writeTimeout || !errors.Is(lost.Err, errNoWrite) {
			t.Errorf("lost after %v: %v", took, lost.Err)
		}
	})
}

// A bot that sends marks without end and never reads what comes back is not read either, and is lost.
func TestMarksWithoutEnd(t *testing.T) {
	bubble(t, testConfig(FormatTwilio), func(b *botConn) {
		for {
			if b.ws.Write(context.Background(), websocket.MessageText, []byte(`{"event":"mark","mark":{"name":"`+strings.Repeat("m", 900)+`"}}`)) != nil {
				return
			}
		}
	}, func(b *bed) {
		b.mouth.set(func() { b.mouth.instant = true })
		b.await(Connected)
		if lost := b.await(Lost); !errors.Is(lost.Err, errNoWrite) {
			t.Errorf("lost by %v", lost.Err)
		}
		if n := len(b.notices.waiting); n > 2*readNotices {
			t.Errorf("%d notices wait", n)
		}
	})
}

// All that a bot can send wrong is counted, and the conversation goes on.
func TestWrongMessages(t *testing.T) {
	long := strings.Repeat("x", 500_000)
	for _, c := range []struct {
		name   string
		format Format
		binary bool
		bad    string
		kind   wrongKind
	}{
		{"no JSON", FormatTwilio, false, "hello", wrongJSON},
		{"long text", FormatTwilio, false, long, wrongJSON},
		{"deep JSON", FormatTwilio, false, strings.Repeat("[", 500_000), wrongJSON},
		{"unknown event", FormatTwilio, false, `{"event":"` + long + `"}`, wrongEvent},
		{"no base64", FormatTwilio, false, `{"event":"media","media":{"payload":"` + long + `!"}}`, wrongBase64},
		{"binary", FormatTwilio, true, long, wrongBinary},
		{"no JSON", FormatPCM, false, "\x00\xff", wrongJSON},
		{"deep JSON", FormatPCM, false, strings.Repeat(`{"event":`, 50_000), wrongJSON},
		{"odd bytes", FormatPCM, true, "abc", wrongOdd},
		{"a file", FormatPCM, false, `{"event":"play","file":"/etc/passwd"}`, wrongEvent},
		{"a transfer that is a command", FormatPCM, false, `{"event":"transfer","to":"system:reboot inline"}`, wrongMember},
		{"a long mark", FormatPCM, false, `{"event":"mark","name":"` + long + `"}`, wrongMark},
	} {
		t.Run(string(c.format)+" "+c.name, func(t *testing.T) {
			bubble(t, testConfig(c.format), func(b *botConn) {
				for range 3 {
					if c.binary {
						b.sayBinary([]byte(c.bad))
					} else {
						b.say(c.bad)
					}
				}
				b.say(map[Format]string{FormatTwilio: `{"event":"mark","mark":{"name":"n"}}`, FormatPCM: `{"event":"mark","name":"n"}`}[c.format])
				b.all()
			}, func(b *bed) {
				b.await(Connected)
				for range 3 {
					if e := b.await(BadMessage); e.Err == nil || len(e.Err.Error()) > 500 {
						t.Errorf("event %.500v", e.Err)
					}
				}
				elapse(10 * time.Second)
				b.mouth.set(func() {
					if st := b.State(); st.Wrong[string(c.kind)] != 3 || !st.Connected || len(b.mouth.marks) != 1 {
						t.Errorf("state %+v, %d marks", st, len(b.mouth.marks))
					}
				})
				checkWrongLines(t, b, 3)
			})
		})
	}
}

// checkWrongLines wants lines with a hint that the daemon's log can limit.
func checkWrongLines(t *testing.T, b *bed, n int) {
	t.Helper()
	lines := b.logs.FilterMessage("wrong message of an agent").All()
	if len(lines) != n {
		t.Errorf("%d lines, want %d", len(lines), n)
	}
	for _, l := range lines {
		limited := false
		for _, f := range l.Context {
			limited = limited || f.Key == "ratelog" && strings.HasPrefix(f.String, testID) // other calls' lines are not limited by it
		}
		if m := l.ContextMap(); m["hint"] == "" || m["cause"] == "" || !limited {
			t.Errorf("line %v, limited %v", m, limited)
		}
	}
}

// A message that is too big ends the connection, and in the end the conversation.
func TestTooBigMessage(t *testing.T) {
	c := testConfig(FormatTwilio)
	c.Reconnect = 1
	bubble(t, c, func(b *botConn) {
		_ = b.ws.Write(context.Background(), websocket.MessageText, make([]byte, 10<<20))
	}, func(b *bed) {
		b.await(Connected)
		b.await(BadMessage)
		b.await(Lost)
		b.await(Connected)
		b.await(BadMessage)
		if e := b.await(Failed); !errors.Is(e.Err, websocket.ErrMessageTooBig) || e.Text != hintTooBig {
			t.Errorf("failed: %v (%s)", e.Err, e.Text)
		}
		if st := b.State(); st.Wrong[string(wrongSize)] != 2 {
			t.Errorf("state %+v", st)
		}
	})
}

// So does one in fragments, although the caller's audio is being sent: the library closes before it says why.
func TestTooBigInFragments(t *testing.T) {
	c := testConfig(FormatPCM)
	c.Reconnect = 0
	for range 20 {
		bubble(t, c, func(b *botConn) {
			b.skip(3)
			var reading sync.WaitGroup
			reading.Go(func() { b.all() })
			w, err := b.ws.Writer(context.Background(), websocket.MessageBinary)
			for err == nil {
				_, err = w.Write(make([]byte, 10_000))
			}
			reading.Wait()
		}, func(b *bed) {
			b.await(Connected)
			b.ear.hear(make([]byte, 60*16000))
			b.await(BadMessage)
			if e := b.await(Failed); !errors.Is(e.Err, websocket.ErrMessageTooBig) || e.Text != hintTooBig {
				t.Errorf("failed: %v (%s)", e.Err, e.Text)
			}
			if st := b.State(); st.Wrong[string(wrongSize)] != 1 {
				t.Errorf("state %+v", st)
			}
		})
	}
}

// Whoever floods us is read slowly: nonsense, clears and requests a hundred times in a second.
func TestFloodIsReadSlowly(t *testing.T) {
	for message, count := range map[string]func(*bed) int{
		`nonsense`:                         func(b *bed) int { return b.State().Wrong[string(wrongJSON)] },
		`{"event":"clear"}`:                func(b *bed) int { return b.State().Clears },
		`{"event":"hangup"}`:               func(b *bed) int { return b.State().Wrong[string(wrongTooMany)] + len(b.Events()) },
		`{"event":"dtmf","digits":"1"}`:    func(b *bed) int { return b.State().Wrong[string(wrongTooMany)] + len(b.Events()) },
		`{"event":"transfer","to":"5000"}`: func(b *bed) int { return b.State().Wrong[string(wrongTooMany)] + len(b.Events()) },
	} {
		t.Run(message, func(t *testing.T) {
			var quiet atomic.Bool
			bubble(t, testConfig(FormatPCM), func(b *botConn) {
				for !quiet.Load() && b.ws.Write(context.Background(), websocket.MessageText, []byte(message)) == nil {
				}
				b.all()
			}, func(b *bed) {
				b.await(Connected)
				elapse(9*time.Second + 500*time.Millisecond)
				if n := count(b); n < 900 || n > 1100 {
					t.Errorf("%d messages were read in 10 s", n)
				}
				if !b.State().Connected {
					t.Error("the bot is gone")
				}
				quiet.Store(true) // else it would be read as fast as it floods, and fake time would stand still
				elapse(time.Minute)
			})
		})
	}
}

// Digits that the switch would need minutes for are refused, and the bot may send more later.
func TestDigitsAreBounded(t *testing.T) {
	const most = `{"event":"dtmf","digits":"12345678901234567890123456789012"}`
	bubble(t, testConfig(FormatPCM), func(b *botConn) {
		for range 20 {
			b.say(most)
		}
		b.say(`{"event":"dtmf","digits":"1"}`)
		elapse(digitsWindow)
		b.say(most)
		b.all()
	}, func(b *bed) {
		b.await(Connected)
		b.await(SendDigits)
		b.await(SendDigits)
		for range 19 {
			if e := b.await(BadMessage); !strings.Contains(e.Err.Error(), "64 digits in 10s") {
				t.Errorf("wrong: %v", e.Err)
			}
		}
		b.await(SendDigits)
		if st := b.State(); st.Wrong[string(wrongTooMany)] != 19 || !st.Connected {
			t.Errorf("state %+v", st)
		}
	})
}

// The end of a conversation is told even if nobody has fetched the events before.
func TestEndFindsRoom(t *testing.T) {
	bubble(t, testConfig(FormatPCM), func(b *botConn) {
		b.skip(1)
		for range 70 {
			b.say(`{"event":"dtmf","digits":"1"}`)
			b.say(`{"event":"clear"}`)
		}
		b.ws.Close(websocket.StatusNormalClosure, "")
	}, func(b *bed) {
		elapse(time.Minute)
		var last Event
		n := 0
		for len(b.Events()) > 0 {
			last = <-b.Events()
			n++
		}
		if last.Kind != Ended || n > maxEvents {
			t.Errorf("%d events, the last %q", n, last.Kind)
		}
	})
}

// What was made of the mouth or the ear by others ends this conversation only.
func TestPanicEndsTheConversation(t *testing.T) {
	c := testConfig(FormatPCM)
	c.Reconnect = 0
	bubble(t, c, func(b *botConn) {
		b.sayBinary(frame(1))
		b.all()
	}, func(b *bed) {
		b.mouth.set(func() { b.mouth.panics = true })
		b.await(Connected)
		if e := b.await(Failed); !errors.Is(e.Err, errPanic) || e.Text != hintReport || b.lines("agent panicked") != 1 {
			t.Errorf("failed: %v (%s)", e.Err, e.Text)
		}
	})
}

func TestStop(t *testing.T) {
	silent := func(w http.ResponseWriter, r *http.Request, _ int) { elapse(time.Minute) }
	stuck := func(w http.ResponseWriter, r *http.Request, _ int) {
		if ws, err := websocket.Accept(w, r, nil); err == nil {
			elapse(time.Minute)
			ws.CloseNow()
		}
	}
	for name, c := range map[string]struct {
		bot   func(http.ResponseWriter, *http.Request, int)
		after time.Duration
		most  time.Duration
	}{
		"while it connects":        {silent, time.Second, 0},
		"before it connects again": {func(w http.ResponseWriter, _ *http.Request, _ int) { http.Error(w, "", 500) }, 50 * time.Millisecond, 0},
		"a bot that reads nothing": {stuck, time.Second, stopTimeout},
	} {
		t.Run(name, func(t *testing.T) {
			bubbleHTTP(t, testConfig(FormatTwilio), c.bot, func(b *bed) {
				b.ear.hear(make([]byte, 320*400))
				elapse(c.after)
				began := time.Now()
				b.Stop("test over")
				b.Stop("again")
				if took := time.Since(began); took > c.most {
					t.Errorf("it took %v, want %v at most", took, c.most)
				}
				select {
				case <-b.done:
				default:
					t.Error("goroutines still run")
				}
				elapse(time.Hour)
				b.Digit("1", 0)
				b.BargeIn(0)
				for len(b.Events()) > 0 {
					if e := <-b.Events(); e.Kind == Failed || e.Kind == Ended {
						t.Errorf("event %q after a stop", e.Kind)
					}
				}
			})
		})
	}
}

// The end of the context is a stop.
func TestContextEnds(t *testing.T) {
	told := make(chan []map[string]any, 1)
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ws, err := websocket.Accept(w, r, nil)
			if err != nil {
				t.Error(err)
				return
			}
			b := &botConn{t: t, ws: ws}
			told <- b.all()
		})}
		go srv.Serve(n)
		ctx, cancel := context.WithCancelCause(t.Context())
		s := start(ctx, testConfig(FormatPCM), newEar(), &testMouth{}, zap.NewNop(), nil, n.dial)
		<-s.Events()
		cancel(errors.New("shutdown"))
		<-s.done
		srv.Close()
	})
	all := <-told
	if last := all[len(all)-1]; last["event"] != "stop" || last["reason"] != "shutdown" {
		t.Errorf("the bot was told %v", all)
	}
}
