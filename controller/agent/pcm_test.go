package agent

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// schemas returns the definitions of the two directions.
func schemas(t testing.TB) (toBot, fromBot *jsonschema.Schema) {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(PCMSchema))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("pcm.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	if _, err := compiler.Compile("pcm.schema.json"); err != nil {
		t.Fatal(err)
	}
	return compiler.MustCompile("pcm.schema.json#/$defs/to_bot"), compiler.MustCompile("pcm.schema.json#/$defs/from_bot")
}

// valid says whether a message is as a schema wants it.
func valid(s *jsonschema.Schema, message []byte) error {
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(message))
	if err != nil {
		return err
	}
	return s.Validate(value)
}

// All that a bot can be told is as the schema says.
func TestPCMToBotIsAsTheSchemaSays(t *testing.T) {
	toBot, _ := schemas(t)
	c := testConfig(FormatPCM)
	bare := c
	bare.Parameters, bare.Call = nil, Call{ID: "1"}
	bare.Rate = 16000
	messages := append(newPCM(c).open(), newPCM(bare).open()...)
	w := newPCM(c)
	for _, n := range []notice{
		{kind: noticeDigit, text: "#", at: time.Second},
		{kind: noticeMark, text: `a "name"` + "\n"},
		{kind: noticeMark, on: true},
		{kind: noticeSpeech, on: true, at: time.Minute},
		{kind: noticeSpeech},
		{kind: noticeCleared, text: "barge_in"},
		{kind: noticeStop, text: "hangup"},
	} {
		messages = append(messages, w.tell(nil, n))
	}
	for _, m := range messages {
		if err := valid(toBot, m); err != nil {
			t.Errorf("%s: %v", m, err)
		}
	}
	for _, m := range []string{
		`{"event":"start"}`, `{"event":"mark","name":"m"}`, `{"event":"mark","cleared":true}`, `{"event":"speech","speaking":1,"at_ms":1}`,
		`{"event":"dtmf","digit":"12","at_ms":1}`, `{"event":"dtmf","digit":"1","at_ms":-1}`, `{"event":"clear"}`, `{"event":"stop"}`,
		`{"event":"hello"}`, `{}`, `[]`, strings.Replace(string(messages[0]), "8000", "44100", 1), strings.Replace(string(messages[0]), `"version":1`, `"version":2`, 1),
	} {
		if valid(toBot, []byte(m)) == nil {
			t.Errorf("%s is valid", m)
		}
	}
}

// pcmMessages are what a bot can say, right and wrong.
var pcmMessages = []struct {
	message string
	want    command
	wrong   wrongKind
}{
	{`{"event":"start","sample_rate":16000}`, command{}, ""},
	{`{"event":"mark","name":"a \"b\""}`, command{kind: commandMark, text: `a "b"`}, ""},
	{`{"event":"mark","name":""}`, command{kind: commandMark}, ""},
	{`{"event":"clear"}`, command{kind: commandClear}, ""},
	{`{"event":"hangup"}`, command{kind: commandHangUp, text: "NORMAL_CLEARING"}, ""},
	{`{"event":"hangup","cause":"USER_BUSY"}`, command{kind: commandHangUp, text: "USER_BUSY"}, ""},
	{`{"event":"transfer","to":"5000"}`, command{kind: commandTransfer, text: "5000"}, ""},
	{`{"event":"transfer","to":"+49-30.1_#* XML public"}`, command{kind: commandTransfer, text: "+49-30.1_#* XML public"}, ""},
	{`{"event":"transfer","to":"inline XML inline"}`, command{kind: commandTransfer, text: "inline XML inline"}, ""},
	{`{"event":"dtmf","digits":"09ABCD*#wW"}`, command{kind: commandDigits, text: "09ABCD*#wW"}, ""},

	{`{"event":"start"}`, command{}, wrongMember},
	{`{"event":"start","sample_rate":44100}`, command{}, wrongMember},
	{`{"event":"start","sample_rate":"8000"}`, command{}, wrongMember},
	{`{"event":"mark"}`, command{}, wrongMember},
	{`{"event":"mark","name":null}`, command{}, wrongMember},
	{`{"event":"mark","name":"` + strings.Repeat("n", maxMarkName+1) + `"}`, command{}, wrongMark},
	{`{"event":"clear","now":true}`, command{}, wrongMember},
	{`{"event":"hangup","cause":"busy"}`, command{}, wrongMember},
	{`{"event":"hangup","cause":"A\nB"}`, command{}, wrongMember},
	{`{"event":"hangup","cause":null}`, command{}, wrongMember},
	{`{"event":"transfer"}`, command{}, wrongMember},
	{`{"event":"transfer","to":5000}`, command{}, wrongMember},
	{`{"event":"transfer","to":""}`, command{}, wrongMember},
	{`{"event":"transfer","to":"-both 5000"}`, command{}, wrongMember},
	{`{"event":"transfer","to":"5000 -x"}`, command{}, wrongMember},
	{`{"event":"transfer","to":"5000  XML"}`, command{}, wrongMember},
	{`{"event":"transfer","to":"5000 XML default x"}`, command{}, wrongMember},
	{`{"event":"transfer","to":"hangup inLINE"}`, command{}, wrongMember},
	{`{"event":"transfer","to":"1 LUA script.lua"}`, command{}, wrongMember},
	{`{"event":"transfer","to":"5000 xml"}`, command{kind: commandTransfer, text: "5000 xml"}, ""},
	{`{"event":"transfer","to":"park inline default"}`, command{}, wrongMember},
	{`{"event":"transfer","to":"${x}"}`, command{}, wrongMember},
	{`{"event":"transfer","to":"5000\nhangup"}`, command{}, wrongMember},
	{`{"event":"transfer","to":"5000\n"}`, command{}, wrongMember},
	{`{"event":"transfer","to":"'5000'"}`, command{}, wrongMember},
	{`{"event":"transfer","to":"5000","file":"x"}`, command{}, wrongMember},
	{`{"event":"dtmf","digits":""}`, command{}, wrongMember},
	{`{"event":"dtmf","digits":"1 2"}`, command{}, wrongMember},
	{`{"event":"dtmf","digits":"` + strings.Repeat("1", 33) + `"}`, command{}, wrongMember},
	{`{"event":"dtmf","digit":"1"}`, command{}, wrongMember},
	{`{"Event":"clear"}`, command{}, wrongEvent},
	{`{"event":["clear"]}`, command{}, wrongEvent},
	{`{"event":"play","file":"/etc/passwd"}`, command{}, wrongEvent},
	{`{}`, command{}, wrongEvent},
	{`null`, command{}, wrongEvent},
	{`"clear"`, command{}, wrongJSON},
	{`{"event":"clear"`, command{}, wrongJSON},
	{``, command{}, wrongJSON},
}

// What is decoded is what the schema calls valid.
func TestPCMDecode(t *testing.T) {
	_, fromBot := schemas(t)
	for _, c := range pcmMessages {
		got, wrong := newPCM(testConfig(FormatPCM)).decode(false, []byte(c.message))
		check(t, c.message, got, c.want, wrong, c.wrong)
		if err := valid(fromBot, []byte(c.message)); (err == nil) != (wrong == nil) {
			t.Errorf("%s: the schema says %v, the decoder %v", c.message, err, wrong)
		}
	}
}

func TestPCMAudio(t *testing.T) {
	w := newPCM(testConfig(FormatPCM))
	got, wrong := w.decode(true, []byte("abcd"))
	check(t, "whole samples", got, command{kind: commandAudio, pcm: []byte("abcd"), rate: 8000}, wrong, "")
	got, wrong = w.decode(true, []byte("abc"))
	check(t, "half a sample", got, command{}, wrong, wrongOdd)
	if message, binary := w.audio([]byte("x")[:0], []byte("abcd"), time.Second); string(message) != "abcd" || !binary {
		t.Errorf("audio is %q, binary %v", message, binary)
	}
}
