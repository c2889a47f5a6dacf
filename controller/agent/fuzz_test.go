package agent

import (
	"strings"
	"testing"
)

// Whatever a bot sends is a command or a wrong message, and what is asked of the call is safe in a
// command of the switch.
func FuzzTwilio(f *testing.F) {
	for _, m := range []string{`{"event":"media","media":{"payload":"/38A"}}`, `{"event":"mark","mark":{"name":"a"}}`, `{"event":"clear"}`, `{"event":"mark"`} {
		f.Add(false, []byte(m))
	}
	f.Add(true, []byte{0})
	f.Fuzz(func(t *testing.T, binary bool, message []byte) {
		w := newTwilio(testConfig(FormatTwilio))
		c, wrong := w.decode(binary, message)
		checkDecoded(t, c, wrong)
		if c.kind != commandNone && c.kind != commandAudio && c.kind != commandMark && c.kind != commandClear {
			t.Errorf("%q asks for %d", message, c.kind)
		}
	})
}

func FuzzPCM(f *testing.F) {
	_, fromBot := schemas(f)
	for _, m := range pcmMessages {
		f.Add(false, []byte(m.message))
	}
	f.Add(true, []byte{0, 1})
	f.Fuzz(func(t *testing.T, binary bool, message []byte) {
		w := newPCM(testConfig(FormatPCM))
		c, wrong := w.decode(binary, message)
		checkDecoded(t, c, wrong)
		if wrong == nil && !binary {
			if err := valid(fromBot, message); err != nil {
				t.Errorf("%q is taken, but %v", message, err)
			}
		}
	})
}

func checkDecoded(t *testing.T, c command, wrong *wrong) {
	t.Helper()
	switch {
	case wrong != nil && (wrongHints[wrong.kind] == "" || c.kind != commandNone || len(wrong.Error()) > 800):
		t.Errorf("%v of %d bytes, command %d", wrong.kind, len(wrong.Error()), c.kind)
	case len(c.pcm)%2 != 0 || len(c.text) > maxMarkName:
		t.Errorf("%d bytes of audio, %d of text", len(c.pcm), len(c.text))
	case (c.kind == commandTransfer || c.kind == commandHangUp || c.kind == commandDigits) && (c.text == "" || strings.ContainsAny(c.text, "\r\n'\"\\${}`,;:/") || strings.Contains(" "+c.text, " -")):
		t.Errorf("the call is asked for %q", c.text)
	}
}
