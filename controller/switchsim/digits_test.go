package switchsim

import (
	"strings"
	"testing"
)

// What tells that no telephone-event was negotiated, and which digits come then (F115).
func TestTelephoneEvent(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, kind, payload string
		spec                CallSpec
		heard               []string
	}{
		{name: "offered", kind: "rfc2833", payload: "101", heard: []string{"1 RTP"}},
		{name: "not offered", kind: "info", spec: CallSpec{NoTelephoneEvent: true}, heard: []string{"2 ENDPOINT"}},
		{name: "loopback", spec: CallSpec{Loopback: true}, heard: []string{"1 UNKNOWN", "2 UNKNOWN"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			call, c := place(t, New(Config{Speed: 20}), tc.spec)
			data := c.command("connect").outer
			if got := data.Get("Variable_dtmf_type"); got != "" {
				t.Errorf("dtmf_type %q before the answer", got)
			}
			if got := strings.Contains(data.Get("Variable_switch_r_sdp"), "telephone-event"); got != (tc.kind == "rfc2833") {
				t.Errorf("the offer has telephone-event: %v", got)
			}
			c.wants("myevents", "+OK Events Enabled")
			c.execute("answer", "", "a")
			headers := c.until("CHANNEL_EXECUTE_COMPLETE answer _none_").headers
			if got := headers["variable_dtmf_type"]; got != tc.kind {
				t.Errorf("dtmf_type %q, want %q", got, tc.kind)
			}
			if got := headers["variable_rtp_2833_recv_payload"]; got != tc.payload {
				t.Errorf("payload %q, want %q", got, tc.payload)
			}
			call.Press("1")
			call.PressBy("2", SIPInfo)
			for _, want := range tc.heard {
				if m := c.until("DTMF"); m.headers["DTMF-Digit"]+" "+m.headers["DTMF-Source"] != want {
					t.Errorf("heard %s %s, want %s", m.headers["DTMF-Digit"], m.headers["DTMF-Source"], want)
				}
			}
			call.Hangup()
			if rest := c.rest(); len(without(rest, "DTMF")) != len(rest) {
				t.Errorf("more digits in %q", rest)
			}
		})
	}
}

func TestTelephoneEventOfAnAnsweredCall(t *testing.T) {
	t.Parallel()
	_, c := place(t, New(Config{Speed: 20}), CallSpec{NoTelephoneEvent: true, Before: []Action{{Application: "answer"}}})
	if got := c.command("connect").outer.Get("Variable_dtmf_type"); got != "info" {
		t.Errorf("dtmf_type %q, want info", got)
	}
}

// A digit in band is heard between start_dtmf and stop_dtmf, and ends a playback as any other (F116).
func TestStartDTMF(t *testing.T) {
	t.Parallel()
	spec := CallSpec{NoTelephoneEvent: true}
	playing := notePlaying(&spec)
	call, c := answered(t, New(Config{Speed: 20}), spec)
	execute := func(app, arg string) {
		c.execute(app, arg, app)
		c.until("CHANNEL_EXECUTE " + app + " ")
	}
	call.PressBy("1", InBand)
	execute("start_dtmf", "")
	execute("start_dtmf", "") // changes nothing
	c.until("CHANNEL_EXECUTE_COMPLETE start_dtmf _none_")
	execute("playback", "silence_stream://-1")
	<-playing
	call.PressBy("*", InBand)
	if m := c.until("DTMF"); m.headers["DTMF-Digit"] != "*" || m.headers["DTMF-Source"] != "INBAND_AUDIO" {
		t.Errorf("heard %s by %s", m.headers["DTMF-Digit"], m.headers["DTMF-Source"])
	}
	if m := c.until("CHANNEL_EXECUTE_COMPLETE playback FILE PLAYED"); m.headers["variable_playback_terminator_used"] != "*" {
		t.Error("the playback was not ended by the digit")
	}
	execute("stop_dtmf", "")
	c.until("CHANNEL_EXECUTE_COMPLETE stop_dtmf _none_")
	call.PressBy("2", InBand)
	execute("sleep", "500")
	if got := labelsUntil(c, "CHANNEL_EXECUTE_COMPLETE sleep"); len(got) != 1 {
		t.Errorf("after stop_dtmf: %q", got)
	}
}

// start_dtmf lets media flow: before the answer the caller gets early media.
func TestStartDTMFBeforeTheAnswer(t *testing.T) {
	t.Parallel()
	_, c := place(t, New(Config{Speed: 20}), CallSpec{})
	c.command("connect")
	c.wants("myevents", "+OK Events Enabled")
	c.execute("start_dtmf", "", "1")
	c.until("CHANNEL_PROGRESS_MEDIA")
	c.until("CHANNEL_EXECUTE_COMPLETE start_dtmf _none_")
}

// A key that is pressed while nothing plays, or while it may not end what plays, does nothing to
// what plays later (F118).
func TestDigitsTypedAhead(t *testing.T) {
	t.Parallel()
	spec := CallSpec{Variables: map[string]string{"playback_terminators": "none"}}
	playing := notePlaying(&spec)
	call, c := answered(t, New(Config{Speed: 20}), spec)
	whole := func(id string) {
		t.Helper()
		c.execute("playback", "tone_stream://%(400,0,440)", id)
		<-playing
		m := c.until("CHANNEL_EXECUTE_COMPLETE playback FILE PLAYED")
		if got := m.headers["variable_playback_last_offset_pos"]; got != "3200" {
			t.Errorf("%s: %s samples played, want 3200", id, got)
		}
	}
	c.execute("playback", "silence_stream://-1", "1")
	<-playing
	call.Press("#")
	c.until("DTMF")
	c.api("uuid_break "+callID, "+OK\n")
	c.until("CHANNEL_EXECUTE_COMPLETE playback FILE PLAYED")
	c.api("uuid_setvar "+callID+" playback_terminators #", "+OK\n")
	whole("after a key that did not end the playback")
	call.Press("#")
	c.until("DTMF")
	whole("after a key in park")
	c.execute("playback", "silence_stream://-1", "2")
	<-playing
	call.Press("5")
	call.Press("#")
	if used := c.until("CHANNEL_EXECUTE_COMPLETE playback FILE PLAYED").headers["variable_playback_terminator_used"]; used != "#" {
		t.Errorf("ended by %q, want #", used)
	}
}
