package agent

import (
	"bytes"
	"encoding/base64"
	"reflect"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"tapdeck/controller/pcm"

	"github.com/coder/websocket"
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
		b.ear.At = 60 * time.Millisecond
		b.ear.Add(frame(1)[:100])
		b.ear.Add(append(frame(1)[100:], frame(2)...))
		b.ear.Add(frame(3)[:318])
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
				b.ear.Gap(time.Minute, true) // before all audio: there is nothing to agree with
				b.ear.Add(frame(1))
				b.ear.Gap(c.gap, c.dropped)
				b.ear.Add(frame(2))
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
			b.ear.Add(make([]byte, 640))
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
		b.ear.Add(append(frame(1), frame(2)...))
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
