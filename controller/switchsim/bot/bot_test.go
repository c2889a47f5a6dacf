package bot

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"
)

func TestEchoRepeatsAfterAPause(t *testing.T) {
	d := converse(t, startBot(t, Options{Behaviour: Echo(EchoOptions{})}))
	words, silence := Tone(8000, 440, 500*time.Millisecond), make([]byte, 8000)
	for _, name := range []string{"echo-1", "echo-2"} {
		d.say(words)
		d.say(silence)
		pcm, m := d.hear()
		if m.Event != "mark" || m.Mark == nil || m.Mark.Name != name {
			t.Fatalf("%+v after %d bytes", m, len(pcm))
		}
		if want := appendSamples(nil, appendCodes(nil, words)); !bytes.Equal(pcm[:min(len(want), len(pcm))], want) || len(pcm)-len(want) > 320 {
			t.Fatalf("heard %d bytes, which are not the %d that were said", len(pcm), len(want))
		}
		d.mark(name)
	}
	s := d.session
	until(t, "both marks came back", func() bool { return s.Counts().MarksBack == 2 })
	if p := s.Problems(); p != nil {
		t.Error(p)
	}
	if c := s.Counts(); c.Frames != 100 || c.FrameBytes != 32000 || c.SaidBytes != len(s.Said()) || c.Marks != 2 || len(s.Pending()) != 0 {
		t.Errorf("%+v, pending %q", c, s.Pending())
	}
	want := appendSamples(nil, appendCodes(nil, bytes.Join([][]byte{words, silence, words, silence}, nil)))
	if !bytes.Equal(s.Heard(), want) {
		t.Error("what it heard is not what was said")
	}
	if f := s.Frames(); len(f) != 100 || f[99].Timestamp != 1980*time.Millisecond || f[99].Bytes != 320 {
		t.Errorf("frames %d", len(f))
	}
	if diff := cmp.Diff(map[string]string{"from": "1001"}, s.Call().Parameters); diff != "" {
		t.Error(diff)
	}
}

// Only one that is told to lets itself be interrupted.
func TestBargeInClears(t *testing.T) {
	for name, want := range map[string]string{"barge-in": "clear", "interrupted": "clear"} {
		d := converse(t, startBot(t, Options{Behaviour: Behaviours()[name]}))
		loud := Tone(8000, 440, 100*time.Millisecond)
		if name == "interrupted" {
			d.say(loud)
			d.say(make([]byte, 8000))
		}
		if pcm, m := d.hear(); m.Event != "mark" || len(pcm) == 0 {
			t.Fatalf("%s: %+v", name, m)
		}
		d.say(loud)
		if m := d.read(); m.Event != want {
			t.Errorf("%s: %+v", name, m)
		}
	}
}

func TestBehavioursOfOneMessage(t *testing.T) {
	d := converse(t, startBot(t, Options{Behaviour: Behaviours()["greeting"]}))
	if pcm, m := d.hear(); len(pcm) != 8000 || m.Mark.Name != "greeting" {
		t.Errorf("greeting: %d bytes, %+v", len(pcm), m)
	}
	d = converse(t, startBot(t, Options{Behaviour: Behaviours()["digits"]}))
	d.numbered("dtmf", `"dtmf":{"track":"inbound_track","digit":"5"}`)
	if m := d.read(); m.Event != "media" || len(m.Media.Payload) != 800 {
		t.Errorf("digits: %+v", m)
	}
	if m := d.session.Messages(); len(m) != 3 || m[2].Kind != KindDTMF || m[2].Text != "5" {
		t.Errorf("messages %+v", m)
	}
	d = converse(t, startBot(t, Options{Behaviour: Behaviours()["hangup"]}))
	d.hear()
	d.mark("goodbye")
	_, _, err := d.ws.Read(t.Context())
	if websocket.CloseStatus(err) != websocket.StatusNormalClosure {
		t.Error(err)
	}
}

func TestTalkerSaysItAgain(t *testing.T) {
	d := converse(t, startBot(t, Options{Behaviour: Talk(TalkOptions{
		Length: 60 * time.Millisecond, Every: time.Millisecond, Chunk: 20 * time.Millisecond, Paced: true, Mark: "m",
	})}))
	for range 3 {
		if pcm, m := d.hear(); len(pcm) != 960 || m.Mark.Name != "m" {
			t.Errorf("%d bytes, %+v", len(pcm), m)
		}
	}
}

// What is counted only is the same in number.
func TestCounting(t *testing.T) {
	d := converse(t, startBot(t, Options{Count: true}))
	d.say(make([]byte, 32000))
	d.numbered("stop", `"stop":{"accountSid":"AC00112233445566778899aabbccddeeff","callSid":"CA00112233445566778899aabbccddeeff"}`)
	until(t, "stop", d.session.Stopped)
	if c := d.session.Counts(); c.Frames != 100 || c.FrameBytes != 32000 {
		t.Errorf("%+v", c)
	}
	if d.session.Heard() != nil || d.session.Frames() != nil || d.session.Problems() != nil {
		t.Errorf("kept %d bytes; problems %q", len(d.session.Heard()), d.session.Problems())
	}
}

func TestHandshake(t *testing.T) {
	const secret = "simulated"
	b := startBot(t, Options{Token: secret, TwilioAuthToken: secret})
	signed := http.Header{"Authorization": {"Bearer " + secret}, "X-Twilio-Signature": {Signature(secret, b.URL()+"?a=b")}}
	for name, tc := range map[string]struct {
		query  string
		header http.Header
		status int
	}{
		"good":        {"?a=b", signed, 101},
		"other query": {"?a=c", signed, 403},
		"no token":    {"?a=b", nil, 401},
	} {
		ws, resp, err := websocket.Dial(t.Context(), b.URL()+tc.query, &websocket.DialOptions{HTTPHeader: tc.header})
		if resp == nil || resp.StatusCode != tc.status {
			t.Errorf("%s: %v, %v", name, resp, err)
		}
		if err == nil {
			_ = ws.CloseNow()
		}
	}
	if b.Connections() != 3 {
		t.Errorf("%d connections", b.Connections())
	}
}

// The same by openssl dgst -sha1 -hmac.
func TestSignature(t *testing.T) {
	if got := Signature("12345", "wss://example.com/media?a=b"); got != "p6V3mZgkPUdm0OPo2tLyAB5rZYc=" {
		t.Error(got)
	}
}

func TestFaultsOfTheHandshake(t *testing.T) {
	for name, status := range map[string]int{"refuse-401": 401, "refuse-500": 500, "no-websocket": 200} {
		b := startBot(t, Options{Faults: []Fault{Faults()[name]}})
		_, resp, err := websocket.Dial(t.Context(), b.URL(), nil)
		if err == nil || resp == nil || resp.StatusCode != status {
			t.Errorf("%s: %v, %v", name, resp, err)
		}
	}
	for _, name := range []string{"dead", "no-handshake"} {
		b := startBot(t, Options{Faults: []Fault{Faults()[name], {}}})
		conn, err := net.Dial("tcp", strings.TrimSuffix(strings.TrimPrefix(b.URL(), "ws://"), "/media"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Write([]byte("GET /media HTTP/1.1\r\nHost: x\r\n\r\n")); err != nil {
			t.Fatal(err)
		}
		until(t, "accepted", func() bool { return b.Connections() == 1 })
		converse(t, b) // the second connection is a good one
		_ = conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
		if n, err := conn.Read(make([]byte, 1)); n != 0 || err == nil || !err.(net.Error).Timeout() {
			t.Errorf("%s: %d bytes, %v", name, n, err)
		}
		_ = conn.Close()
	}
}

func TestFaultsThatSend(t *testing.T) {
	for name, want := range map[string]string{
		"not-json": "simulated: this", "unknown-event": `"simulated"`, "bad-base64": `"*simulated*"`, "wrong-stream": "MZffff",
		"odd-bytes": `"payload":"AAAA`, "huge": `"payload":"////`, "wrong-types": `"media":[]`, "nameless-marks": `{"event":"mark","streamSid":"` + testStream + `"}`,
		"flood-media": `"media"`, "flood-marks": `"mark"`, "flood-clears": `"clear"`, "flood-unknown": `simulated`,
	} {
		d := converse(t, startBot(t, Options{Faults: []Fault{Faults()[name]}}))
		_, b, err := d.ws.Read(t.Context())
		if err != nil || !strings.Contains(string(b), want) {
			t.Errorf("%s: %.80s, %v", name, b, err)
		}
	}
}

func TestFaultsThatClose(t *testing.T) {
	for name, code := range map[string]websocket.StatusCode{"close-1000": 1000, "close-1011": 1011, "reset": -1} {
		d := converse(t, startBot(t, Options{Faults: []Fault{Faults()[name]}}))
		d.say(make([]byte, 320*attackAfter))
		ctx, cancel := context.WithTimeout(t.Context(), deadline)
		_, _, err := d.ws.Read(ctx)
		cancel()
		if err == nil || websocket.CloseStatus(err) != code {
			t.Errorf("%s: %v", name, err)
		}
		<-d.session.Done()
	}
}

// One that is killed leaves connections that are reset, and one that is closed leaves no goroutine (goleak).
func TestKill(t *testing.T) {
	for _, name := range []string{"none", "deaf", "slow", "never-closes"} {
		b := startBot(t, Options{Faults: []Fault{Faults()[name]}})
		ws := dial(t, b)
		if name == "none" {
			_ = converse(t, b)
		}
		b.Kill()
		if _, _, err := ws.Read(t.Context()); err == nil || websocket.CloseStatus(err) != -1 {
			t.Errorf("%s: %v", name, err)
		}
	}
}
