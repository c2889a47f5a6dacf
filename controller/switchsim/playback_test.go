package switchsim

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// wideband is the leg of a caller whose codec is L16 at 16 kHz.
var wideband = Leg{Codecs: []Codec{{Rate: 16000}}}

// A playback says how much was heard, in samples of the channel's codec (F114).
func TestLastOffset(t *testing.T) {
	t.Parallel()
	for perSecond, leg := range map[int]Leg{8000: {}, 16000: wideband} {
		rate := itoa(perSecond)
		call, c := answered(t, New(Config{Speed: 10}), CallSpec{Leg: leg})
		complete := func(response string) (offset string) {
			t.Helper()
			m := c.until("CHANNEL_EXECUTE_COMPLETE playback " + response)
			if got := m.headers["Channel-Write-Codec-Rate"]; got != rate {
				t.Errorf("Channel-Write-Codec-Rate %s, want %s", got, rate)
			}
			return m.headers["variable_playback_last_offset_pos"]
		}
		c.execute("playback", "missing.wav", "1")
		if got := complete("FILE NOT FOUND"); got != "" {
			t.Errorf("offset %q of a file that is missing, with none before", got)
		}
		c.execute("playback", "tone_stream://%(700,0,440)", "2")
		if got := complete("FILE PLAYED"); got != itoa(7*perSecond/10) {
			t.Errorf("offset %q of 700 ms at %s Hz", got, rate)
		}
		c.execute("playback", "silence_stream://-1", "3")
		c.until("CHANNEL_EXECUTE playback ")
		call.Press("*")
		broken := complete("FILE PLAYED")
		c.execute("playback", "missing.wav", "4")
		if got := complete("FILE NOT FOUND"); got != broken {
			t.Errorf("offset %q of a file that is missing, want that of the playback before, %q", got, broken)
		}
	}
}

// Without all, a break ends what plays and no more: the next one plays whole (F122).
func TestBreakOfOne(t *testing.T) {
	t.Parallel()
	_, c := answered(t, New(Config{Speed: 20}), CallSpec{})
	c.execute("playback", "silence_stream://-1", "1")
	c.until("CHANNEL_EXECUTE playback ")
	c.execute("playback", "tone_stream://%(300,0,440)", "2")
	c.api("uuid_break "+callID, "+OK\n")
	want := []string{"CHANNEL_EXECUTE_COMPLETE 1", "CHANNEL_EXECUTE 2", "CHANNEL_EXECUTE_COMPLETE 2"}
	if d := cmp.Diff(want, labelsUntil(c, "CHANNEL_EXECUTE_COMPLETE 2")); d != "" {
		t.Error(d)
	}
	if got := c.command("getvar playback_last_offset_pos").outer.Get("Reply-Text"); got != "2400" {
		t.Errorf("%s samples of the second were heard, want 2400", got)
	}
}
