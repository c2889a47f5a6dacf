package bot

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// deadline is far beyond what any step of a test takes.
const deadline = 20 * time.Second

// daemon is the test's end of one connection, on the twilio wire.
type daemon struct {
	t        *testing.T
	ws       *websocket.Conn
	session  *Session
	sequence int
	chunk    int
	ms       int
}

const testStream = "MZ00112233445566778899aabbccddeeff"

func startBot(t *testing.T, o Options) *Bot {
	t.Helper()
	b := Start(o)
	t.Cleanup(b.Close)
	return b
}

func dial(t *testing.T, b *Bot) *websocket.Conn {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	ws, _, err := websocket.Dial(ctx, b.URL(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ws.CloseNow() })
	ws.SetReadLimit(-1)
	return ws
}

// converse begins a call with a bot.
func converse(t *testing.T, b *Bot) *daemon {
	t.Helper()
	d := &daemon{t: t, ws: dial(t, b)}
	d.text(`{"event":"connected","protocol":"Call","version":"1.0.0"}`)
	d.numbered("start", `"start":{"accountSid":"AC00112233445566778899aabbccddeeff","streamSid":"`+testStream+`","callSid":"CA00112233445566778899aabbccddeeff",`+
		`"tracks":["inbound"],"mediaFormat":{"encoding":"audio/x-mulaw","sampleRate":8000,"channels":1},"customParameters":{"from":"1001"}}`)
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	var err error
	if d.session, err = b.Next(ctx); err != nil {
		t.Fatal(err)
	}
	return d
}

func (d *daemon) text(s string) {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(d.t.Context(), deadline)
	defer cancel()
	if err := d.ws.Write(ctx, websocket.MessageText, []byte(s)); err != nil {
		d.t.Fatal(err)
	}
}

func (d *daemon) numbered(event, rest string) {
	d.t.Helper()
	d.sequence++
	d.text(fmt.Sprintf(`{"event":%q,"sequenceNumber":"%d","streamSid":%q,%s}`, event, d.sequence, testStream, rest))
}

// say sends PCM as frames of 20 ms.
func (d *daemon) say(pcm []byte) {
	d.t.Helper()
	for ; len(pcm) >= 320; pcm = pcm[320:] {
		d.chunk++
		d.numbered("media", fmt.Sprintf(`"media":{"track":"inbound","chunk":"%d","timestamp":"%d","payload":%q}`,
			d.chunk, d.ms, base64.StdEncoding.EncodeToString(appendCodes(nil, pcm[:320]))))
		d.ms += 20
	}
}

func (d *daemon) mark(name string) { d.numbered("mark", fmt.Sprintf(`"mark":{"name":%q}`, name)) }

// fromBot is what a bot has sent.
type fromBot struct {
	Event, StreamSID string
	Media            struct{ Payload []byte }
	Mark             *struct{ Name string }
}

func (d *daemon) read() fromBot {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(d.t.Context(), deadline)
	defer cancel()
	_, b, err := d.ws.Read(ctx)
	if err != nil {
		d.t.Fatal(err)
	}
	var m fromBot
	if err := json.Unmarshal(b, &m); err != nil || m.StreamSID != testStream {
		d.t.Fatalf("%.100s: %v", b, err)
	}
	return m
}

// hear reads until something that is no audio comes, and returns both.
func (d *daemon) hear() (pcm []byte, m fromBot) {
	d.t.Helper()
	for {
		if m = d.read(); m.Event != "media" {
			return pcm, m
		}
		pcm = appendSamples(pcm, m.Media.Payload)
	}
}

// until waits until a session is as it should be.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(deadline); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("never: " + what)
		}
	}
}
