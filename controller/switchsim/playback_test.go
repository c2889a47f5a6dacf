package switchsim

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// wideband is the leg of a caller whose codec is L16 at 16 kHz.
var wideband = Leg{Codecs: []Codec{{Rate: 16000}}}

// notePlaying returns what is sent to when a playback has begun: from then on a key or a break ends it.
func notePlaying(spec *CallSpec) <-chan struct{} {
	playing := make(chan struct{}, 10)
	spec.Progress = func(e Event) {
		if e.Step == "playing" {
			playing <- struct{}{}
		}
	}
	return playing
}

// A playback says how much was heard, in samples of the channel's codec (F114).
func TestLastOffset(t *testing.T) {
	t.Parallel()
	for perSecond, leg := range map[int]Leg{8000: {}, 16000: wideband} {
		rate := itoa(perSecond)
		spec := CallSpec{Leg: leg}
		playing := notePlaying(&spec)
		call, c := answered(t, New(Config{Speed: 10}), spec)
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
		<-playing
		if got := complete("FILE PLAYED"); got != itoa(7*perSecond/10) {
			t.Errorf("offset %q of 700 ms at %s Hz", got, rate)
		}
		c.execute("playback", "silence_stream://-1", "3")
		<-playing
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
	spec := CallSpec{}
	playing := notePlaying(&spec)
	_, c := answered(t, New(Config{Speed: 20}), spec)
	c.execute("playback", "silence_stream://-1", "1")
	<-playing
	c.execute("playback", "tone_stream://%(300,0,440)", "2")
	c.api("uuid_break "+callID, "+OK\n")
	want := []string{"CHANNEL_EXECUTE 1", "CHANNEL_EXECUTE_COMPLETE 1", "CHANNEL_EXECUTE 2", "CHANNEL_EXECUTE_COMPLETE 2"}
	if d := cmp.Diff(want, labelsUntil(c, "CHANNEL_EXECUTE_COMPLETE 2")); d != "" {
		t.Error(d)
	}
	if got := c.command("getvar playback_last_offset_pos").outer.Get("Reply-Text"); got != "2400" {
		t.Errorf("%s samples of the second were heard, want 2400", got)
	}
}

// A change of the codec within a playback changes nothing in what it counts, but the event's headers (F114).
func TestLastOffsetAfterChangeOfCodec(t *testing.T) {
	t.Parallel()
	_, c := answered(t, New(Config{Speed: 20}), CallSpec{Leg: Leg{Codecs: []Codec{{At: 10 * time.Second, Rate: 16000}}}})
	c.execute("playback", "tone_stream://%(12000,0,440)", "1")
	h := c.until("CHANNEL_EXECUTE_COMPLETE playback FILE PLAYED").headers
	if got := h["variable_playback_last_offset_pos"]; got != "96000" {
		t.Errorf("offset %s, want 96000", got)
	}
	if got := h["Channel-Write-Codec-Rate"]; got != "16000" {
		t.Errorf("Channel-Write-Codec-Rate %s, want 16000", got)
	}
}
