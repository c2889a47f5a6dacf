package switchsim

import (
	"testing"
	"time"

	"tapdeck/controller/switchsim/audiostream"
)

// What some events have, and lack, beside the channel's headers.
func TestHeadersOfEvents(t *testing.T) {
	t.Parallel()
	w := newRawServer(t)
	call, c := streaming(t, New(Config{Speed: 20}), CallSpec{HangupAfter: time.Minute})
	c.api(streamCmd+" start "+w.url+" mono 8000", "+OK Success\n")
	w.upgrade(w.accept())
	want := func(event string, headers map[string]string) {
		t.Helper()
		m := c.until(event)
		for name, value := range headers {
			if got := m.headers[name]; got != value {
				t.Errorf("%s: %s is %q, want %q", event, name, got, value)
			}
		}
	}
	want("mod_audio_stream::connect", map[string]string{
		"Event-Calling-File": "mod_audio_stream.c", "Event-Calling-Function": "responseHandler", "Event-Calling-Line-Number": "16",
	})
	call.Press("5")
	want("DTMF", map[string]string{"DTMF-Digit": "5", "DTMF-Source": "RTP", "variable_channel_name": "", "variable_sip_call_id": ""})
	c.execute("playback", "tone_stream://%(500,0,440)", "p")
	played := c.until("CHANNEL_EXECUTE_COMPLETE playback FILE PLAYED").headers
	ms := audiostream.Number(played["variable_playback_ms"])
	for name, value := range map[string]int{"last_offset_pos": 8 * ms, "seconds": ms / 1000, "samples": 8 * ms} {
		if got := played["variable_playback_"+name]; ms < 500 || got != itoa(value) {
			t.Errorf("playback_%s is %q of %d ms, want %d", name, got, ms, value)
		}
	}
	call.hangup("NORMAL_CLEARING", "operator")
	want("CHANNEL_HANGUP", map[string]string{"variable_sip_hangup_disposition": "", "Hangup-Cause": "NORMAL_CLEARING"})
	want("CHANNEL_HANGUP_COMPLETE", map[string]string{"variable_sip_hangup_disposition": "send_bye"})
	c.conn.Close()
	call.Wait()
}

func TestDispositionOfCallersHangup(t *testing.T) {
	t.Parallel()
	call, c := answered(t, New(Config{Speed: 20}), CallSpec{})
	call.Hangup()
	if got := c.until("CHANNEL_HANGUP_COMPLETE").headers["variable_sip_hangup_disposition"]; got != "recv_bye" {
		t.Errorf("disposition %q, want recv_bye", got)
	}
	c.conn.Close()
	call.Wait()
}
