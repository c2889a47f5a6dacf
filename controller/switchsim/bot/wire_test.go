package bot

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// Compressing an expanded code gives the code again, and no sample is further from what comes back than
// half a step of its segment.
func TestULaw(t *testing.T) {
	for code := range 256 {
		if got := compress(expand(byte(code))); got != byte(code) && code != 0x7f { // 0x7f is -0
			t.Errorf("%#x is %d, which is %#x", code, expand(byte(code)), got)
		}
	}
	for s := -32768; s < 32768; s++ {
		back := int(expand(compress(int16(s))))
		if d, m := max(back-s, s-back), max(s, -s); d > max(m/16, 8) && m < 32124 {
			t.Fatalf("%d comes back as %d", s, back)
		}
	}
	for code, want := range map[byte]int16{0x00: -32124, 0x80: 32124, 0xff: 0, 0x8f: 16764} {
		if got := expand(code); got != want {
			t.Errorf("%#x is %d, want %d", code, got, want)
		}
	}
}

const (
	goodStart = `{"event":"start","sequenceNumber":"1","streamSid":"` + testStream + `","start":{"accountSid":"AC00112233445566778899aabbccddeeff",` +
		`"streamSid":"` + testStream + `","callSid":"CA00112233445566778899aabbccddeeff","tracks":["inbound"],` +
		`"mediaFormat":{"encoding":"audio/x-mulaw","sampleRate":8000,"channels":1},"customParameters":{}}}`
	goodMedia = `{"event":"media","sequenceNumber":"2","streamSid":"` + testStream + `","media":{"track":"inbound","chunk":"1","timestamp":"5","payload":"//8="}}`
)

// Each wrong message of a daemon is complained of.
func TestTwilioIsStrict(t *testing.T) {
	for _, tc := range []struct{ old, new, want string }{
		{"", "", ""},
		{`"version":"1.0.0"`, `"version":"1"`, "connected:"},
		{`"sequenceNumber":"2"`, `"sequenceNumber":"3"`, "sequenceNumber"},
		{`"sequenceNumber":"2"`, `"sequenceNumber":2`, "cannot unmarshal number"},
		{`"sampleRate":8000`, `"sampleRate":"8000"`, "cannot unmarshal string"},
		{`"encoding":"audio/x-mulaw"`, `"encoding":"mulaw"`, "mediaFormat"},
		{`"tracks":["inbound"]`, `"tracks":["inbound","outbound"]`, "tracks"},
		{`,"customParameters":{}`, ``, "no customParameters"},
		{`"callSid":"CA`, `"callSid":"ca`, "no SID of CA"},
		{`"chunk":"1"`, `"chunk":"0"`, "chunk"},
		{`"timestamp":"5"`, `"timestamp":"-5"`, "timestamp"},
		{`"payload":"//8="`, `"payload":"//8"`, "payload"},
		{`"event":"media"`, `"event":"medium"`, `event "medium"`},
		{`"media":{`, `"more":1,"media":{`, "unknown field"},
	} {
		var problems []string
		c := newCodec(Twilio)
		for _, m := range []string{`{"event":"connected","protocol":"Call","version":"1.0.0"}`, goodStart, goodMedia} {
			if tc.old != "" {
				m = strings.Replace(m, tc.old, tc.new, 1)
			}
			c.decode(websocket.MessageText, []byte(m), func(f string, args ...any) { problems = append(problems, fmt.Sprintf(f, args...)) })
		}
		if all := strings.Join(problems, "\n"); tc.want == "" && all != "" || !strings.Contains(all, tc.want) {
			t.Errorf("%s: %q, want %q", tc.new, all, tc.want)
		}
	}
}

func TestTwilioAudioDoesNotGoBack(t *testing.T) {
	var problems int
	complain := func(string, ...any) { problems++ }
	c := newCodec(Twilio)
	c.decode(websocket.MessageText, []byte(`{"event":"connected","protocol":"Call","version":"1.0.0"}`), complain)
	c.decode(websocket.MessageText, []byte(goodStart), complain)
	for i, ms := range []int{0, 20, 1000, 1019, 1030} {
		before := problems
		c.decode(websocket.MessageText, fmt.Appendf(nil, `{"event":"media","sequenceNumber":"%d","streamSid":%q,"media":{"track":"inbound","chunk":"%d","timestamp":"%d","payload":%q}}`,
			i+2, testStream, i+1, ms, strings.Repeat("////", 53)+"/w=="), complain)
		if bad := problems > before; bad != (i >= 3) {
			t.Errorf("at %d ms: a problem %v", ms, bad)
		}
	}
}

func TestPCMConversation(t *testing.T) {
	b := startBot(t, Options{Format: PCM, Rate: 24000, Behaviour: func(s *Session) Hooks {
		return Hooks{
			Heard: func(pcm []byte) {
				s.Play(pcm)
				s.Mark("m")
				s.Clear()
				s.SendDigits("1")
				s.Transfer("5000")
				s.Hangup()
			},
			Cleared: func() { s.Mark("cleared") },
			Speech:  func(on bool) { s.Mark(fmt.Sprint(on)) },
		}
	}})
	ws := dial(t, b)
	send := func(kind websocket.MessageType, text string) {
		if err := ws.Write(t.Context(), kind, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	send(websocket.MessageText, `{"event":"start","version":1,"call":"c-1","caller":"1001","destination":"9999","plan":"bot","sample_rate":16000,"encoding":"pcm_s16le","parameters":{"a":"b"}}`)
	send(websocket.MessageBinary, "\x01\x00\x02\x00")
	for _, text := range []string{`{"event":"clear","reason":"barge_in"}`, `{"event":"speech","speaking":true,"at_ms":40}`, `{"event":"dtmf","digit":"5","at_ms":60}`} {
		send(websocket.MessageText, text)
	}
	for _, want := range []string{
		`{"event":"start","sample_rate":24000}`, "\x01\x00\x02\x00", `{"event":"mark","name":"m"}`, `{"event":"clear"}`, `{"digits":"1","event":"dtmf"}`,
		`{"event":"transfer","to":"5000"}`, `{"event":"hangup"}`, `{"event":"mark","name":"cleared"}`, `{"event":"mark","name":"true"}`,
	} {
		if _, got, err := ws.Read(t.Context()); err != nil || string(got) != want {
			t.Fatalf("%q, %v, want %q", got, err, want)
		}
	}
	send(websocket.MessageText, `{"event":"mark","name":"other","cleared":true}`)
	send(websocket.MessageText, `{"event":"stop","reason":"time"}`)
	s, err := b.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	until(t, "stop", s.Stopped)
	if p := s.Problems(); len(p) != 1 || !strings.Contains(p[0], `mark "other" came back`) {
		t.Errorf("problems %q", p)
	}
	if c := s.Call(); c.Call != "c-1" || c.Caller != "1001" || c.Destination != "9999" || c.Plan != "bot" || c.Rate != 16000 || c.Parameters["a"] != "b" || s.Rate() != 24000 {
		t.Errorf("%+v", c)
	}
}

func TestPCMIsStrict(t *testing.T) {
	const start = `{"event":"start","version":1,"call":"c","caller":"","destination":"","plan":"","sample_rate":8000,"encoding":"pcm_s16le","parameters":{}}`
	for text, want := range map[string]string{
		start: "message 2 is start", `{"event":"dtmf","digit":"55"}`: "digit", `{"event":"simulated"}`: "event", `{`: "unexpected EOF", `{"event":"stop","more":1}`: "unknown field",
	} {
		var problems []string
		complain := func(f string, args ...any) { problems = append(problems, fmt.Sprintf(f, args...)) }
		c := newCodec(PCM)
		c.decode(websocket.MessageText, []byte(start), complain)
		c.decode(websocket.MessageText, []byte(text), complain)
		if len(problems) != 1 || !strings.Contains(problems[0], want) {
			t.Errorf("%s: %q, want %q", text, problems, want)
		}
	}
	c, bad := newCodec(PCM), 0
	complain := func(string, ...any) { bad++ }
	c.decode(websocket.MessageBinary, make([]byte, 2), complain) // before start
	c.decode(websocket.MessageText, []byte(start), complain)
	c.decode(websocket.MessageBinary, make([]byte, 320), complain)
	if m := c.decode(websocket.MessageBinary, make([]byte, 321), complain); m.at != 20*time.Millisecond || bad != 3 {
		t.Errorf("%d problems; %+v", bad, m)
	}
}

func TestSpeechDetector(t *testing.T) {
	d := newSpeechDetector(60*time.Millisecond, 8000)
	loud, quiet := Tone(8000, 440, 20*time.Millisecond), binary.LittleEndian.AppendUint16(make([]byte, 318), 200)
	for i, tc := range []struct {
		pcm  []byte
		want bool
	}{{quiet, false}, {loud, true}, {quiet, true}, {quiet, true}, {loud, true}, {quiet, true}, {quiet, true}, {quiet, false}} {
		if got := d.hear(tc.pcm); got != tc.want {
			t.Errorf("message %d: %v", i, got)
		}
	}
}

// A bot must bear any daemon.
func FuzzDecode(f *testing.F) {
	for _, text := range []string{goodStart, goodMedia, `{"event":"mark"}`, `{"event":"stop","stop":{}}`, `{"event":"dtmf"}`, "\x00\x01\x02"} {
		f.Add(text, true)
		f.Add(text, false)
	}
	f.Fuzz(func(t *testing.T, text string, words bool) {
		kind := websocket.MessageBinary
		if words {
			kind = websocket.MessageText
		}
		for _, format := range []Format{Twilio, PCM} {
			c := newCodec(format)
			for range 2 {
				if m := c.decode(kind, []byte(text), func(string, ...any) {}); len(m.pcm)%2 != 0 {
					t.Errorf("%s: %d bytes of PCM", format, len(m.pcm))
				}
				c.skim(kind, []byte(text))
			}
		}
	})
}

// What a frame of a caller costs a bot: read whole, and counted.
func BenchmarkFrame(b *testing.B) {
	media := []byte(strings.Replace(goodMedia, "//8=", strings.Repeat("////", 53)+"/w==", 1))
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		c := newCodec(Twilio)
		for b.Loop() {
			c.decode(websocket.MessageText, media, func(string, ...any) {})
		}
	})
	b.Run("count", func(b *testing.B) {
		b.ReportAllocs()
		c := newCodec(Twilio)
		for b.Loop() {
			c.skim(websocket.MessageText, media)
		}
	})
}
