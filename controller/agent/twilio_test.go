package agent

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"tapdeck/controller/pcm"
)

// The messages are those of Twilio's documentation, with numbers as strings but in mediaFormat.
func TestTwilioMessages(t *testing.T) {
	c := testConfig(FormatTwilio)
	c.AccountSID = "AC00000000000000000000000000000001"
	w := newTwilio(c)
	w.streamSID = "MZ00000000000000000000000000000002"
	open := w.open()
	audio, binary := w.audio([]byte("x")[:0], bytes.Repeat([]byte{0}, 320), 1234567*time.Microsecond)
	if binary {
		t.Error("audio is binary")
	}
	audio = bytes.Clone(audio)
	second, _ := w.audio(nil, bytes.Repeat([]byte{0}, 320), 1254*time.Millisecond)
	got := []string{
		string(open[0]), string(open[1]), string(audio), string(second),
		string(w.tell(nil, notice{kind: noticeDigit, text: "#"})),
		string(w.tell(nil, notice{kind: noticeSpeech, on: true})),
		string(w.tell(nil, notice{kind: noticeCleared, text: "barge_in"})),
		string(w.tell(nil, notice{kind: noticeMark, text: `my "label"`})),
		string(w.tell(nil, notice{kind: noticeMark})),
		string(w.tell(nil, notice{kind: noticeStop, text: "x"})),
	}
	silence := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{0xff}, 160))
	const sid, call = `"streamSid":"MZ00000000000000000000000000000002"`, `"callSid":"CA0f0a1b2c3d4e4f508a6b7c8d9e0f1a2b"`
	const account = `"accountSid":"AC00000000000000000000000000000001"`
	want := []string{
		`{"event":"connected","protocol":"Call","version":"1.0.0"}`,
		`{"event":"start","sequenceNumber":"1",` + sid + `,"start":{` + account + `,` + sid + `,` + call + `,"tracks":["inbound"],` +
			`"mediaFormat":{"encoding":"audio/x-mulaw","sampleRate":8000,"channels":1},"customParameters":{"FirstName":"Jane \"J\" Doe","a":""}}}`,
		`{"event":"media","sequenceNumber":"2",` + sid + `,"media":{"track":"inbound","chunk":"1","timestamp":"1234","payload":"` + silence + `"}}`,
		`{"event":"media","sequenceNumber":"3",` + sid + `,"media":{"track":"inbound","chunk":"2","timestamp":"1254","payload":"` + silence + `"}}`,
		`{"event":"dtmf","sequenceNumber":"4",` + sid + `,"dtmf":{"track":"inbound_track","digit":"#"}}`,
		``, ``,
		`{"event":"mark","sequenceNumber":"5",` + sid + `,"mark":{"name":"my \"label\""}}`,
		`{"event":"mark","sequenceNumber":"6",` + sid + `,"mark":{"name":""}}`,
		`{"event":"stop","sequenceNumber":"7",` + sid + `,"stop":{` + account + `,` + call + `}}`,
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("message %d:\n got %s\nwant %s", i, got[i], want[i])
		}
	}
}

func TestTwilioDecode(t *testing.T) {
	w := newTwilio(testConfig(FormatTwilio))
	sid := `"streamSid":"` + w.streamSID + `"`
	long := strings.Repeat("n", maxMarkName)
	for _, c := range []struct {
		message string
		want    command
		wrong   wrongKind
	}{
		{`{"event":"media",` + sid + `,"media":{"payload":"/38A"}}`, command{kind: commandAudio, rate: 8000, pcm: pcm.AppendLinear(nil, []byte{0xff, 0x7f, 0})}, ""},
		{`{"event":"media","media":{"payload":"","track":"outbound"},"extra":1}`, command{kind: commandAudio, rate: 8000}, ""},
		{`{"event":"mark",` + sid + `,"mark":{"name":"a"}}`, command{kind: commandMark, text: "a"}, ""},
		{`{"event":"mark",` + sid + `,"mark":{}}`, command{kind: commandMark}, ""},
		{`{"event":"mark",` + sid + `}`, command{kind: commandMark}, ""},
		{`{"event":"mark","mark":{"name":"` + long + `"}}`, command{kind: commandMark, text: long}, ""},
		{`{"event":"clear",` + sid + `}`, command{kind: commandClear}, ""},
		{`{"event":"clear","streamSid":"MZ1"}`, command{}, wrongStream},
		{`{"event":"media","streamSid":"MZ1","media":{"payload":"/38A"}}`, command{}, wrongStream},
		{`{"event":"media","media":{"payload":"/38"}}`, command{}, wrongBase64},
		{`{"event":"media","media":{"payload":"*"}}`, command{}, wrongBase64},
		{`{"event":"media","media":{"playload":"/38A"}}`, command{}, wrongMember},
		{`{"event":"media","media":"/38A"}`, command{}, wrongMember},
		{`{"event":"media"}`, command{}, wrongMember},
		{`{"event":"media","media":null}`, command{}, wrongMember},
		{`{"event":"media","media":{}}`, command{}, wrongMember},
		{`{"event":"media","media":{"payload":null}}`, command{}, wrongMember},
		{`{"event":7}`, command{}, wrongMember},
		{`{"event":"mark","mark":{"name":` + `"` + long + `n"}}`, command{}, wrongMark},
		{`{"event":"mark","mark":{"name":7}}`, command{}, wrongMember},
		{`{"event":"hangup"}`, command{}, wrongEvent},
		{`{}`, command{}, wrongEvent},
		{`null`, command{}, wrongEvent},
		{`[1]`, command{}, wrongJSON},
		{`hello`, command{}, wrongJSON},
		{``, command{}, wrongJSON},
		{`{"event":"clear"} {}`, command{}, wrongJSON},
		{strings.Repeat(`{"a":`, 200_000), command{}, wrongJSON},
	} {
		got, wrong := w.decode(false, []byte(c.message))
		check(t, c.message, got, c.want, wrong, c.wrong)
	}
	_, wrong := w.decode(true, []byte("abcd"))
	check(t, "binary", command{}, command{}, wrong, wrongBinary)
}

// check compares what was decoded, and how an error reads.
func check(t *testing.T, message string, got, want command, wrong *wrong, kind wrongKind) {
	t.Helper()
	if len(message) > 100 {
		message = message[:100] + "…"
	}
	switch {
	case wrong == nil && kind != "":
		t.Errorf("%s: no error, want %q", message, kind)
	case wrong != nil && wrong.kind != kind:
		t.Errorf("%s: %v, want %q", message, wrong, kind)
	case wrong != nil && (len(wrong.Error()) > 400 || wrongHints[kind] == ""):
		t.Errorf("%s: the error is %d bytes long, the hint %q", message, len(wrong.Error()), wrongHints[kind])
	case got.kind != want.kind || got.text != want.text || got.rate != want.rate || !bytes.Equal(got.pcm, want.pcm):
		t.Errorf("%s: got %+v, want %+v", message, got, want)
	}
}

func TestSIDs(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{CallSID(testID), "CA0f0a1b2c3d4e4f508a6b7c8d9e0f1a2b"},
		{CallSID(strings.ToUpper(testID)), "CA0f0a1b2c3d4e4f508a6b7c8d9e0f1a2b"},
		{CallSID("abc"), "CAba7816bf8f01cfea414140de5dae2223"}, // SHA-256 of abc, FIPS 180-2
		{CallSID(strings.Replace(testID, "0f0a", "0g0a", 1)), "CA" + digest(strings.Replace(testID, "0f0a", "0g0a", 1))},
		{AccountSID("abc"), "ACba7816bf8f01cfea414140de5dae2223"},
	} {
		if c.got != c.want {
			t.Errorf("got %s, want %s", c.got, c.want)
		}
	}
	if one, two := StreamSID(), StreamSID(); one == two || len(one) != 34 || one[:2] != "MZ" {
		t.Errorf("stream SIDs %s, %s", one, two)
	}
}
