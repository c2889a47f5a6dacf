package switchsim

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// labelsUntil collects labels with the Application-UUID up to and including one.
func labelsUntil(c *controller, last string) []string {
	var labels []string
	for {
		m := c.next()
		label := m.name()
		if id := m.headers["Application-UUID"]; id != "" {
			label += " " + id
		}
		labels = append(labels, label)
		if label == last {
			return labels
		}
	}
}

func answered(t *testing.T, s *Switch, spec CallSpec) (*Call, *controller) {
	t.Helper()
	spec.UUID = callID
	call, c := place(t, s, spec)
	c.command("connect")
	c.wants("linger 1", "+OK will linger 1 seconds")
	c.wants("myevents", "+OK Events Enabled")
	c.wants("nixevent CHANNEL_PARK CHANNEL_STATE CHANNEL_UNPARK", "+OK events nixed")
	c.execute("answer", "", "a")
	c.until("CHANNEL_EXECUTE_COMPLETE answer _none_")
	return call, c
}

func TestAnswerEvents(t *testing.T) {
	_, c := place(t, New(Config{Speed: 20}), CallSpec{})
	c.command("connect")
	c.wants("myevents", "+OK Events Enabled")
	c.wants("nixevent CHANNEL_PARK", "+OK events nixed")
	c.execute("answer", "", "a")
	want := []string{"CHANNEL_EXECUTE a", "CHANNEL_PROGRESS_MEDIA", "CHANNEL_ANSWER", "CHANNEL_EXECUTE_COMPLETE a"}
	if d := cmp.Diff(want, without(labelsUntil(c, "CHANNEL_EXECUTE_COMPLETE a"), "CHANNEL_PARK")); d != "" {
		t.Error(d)
	}
}

func TestNestedPlaybacks(t *testing.T) {
	_, c := answered(t, New(Config{Speed: 10}), CallSpec{})
	for i := 1; i <= 3; i++ {
		c.wants(fmt.Sprintf("sendmsg\ncall-command: execute\nexecute-app-name: playback\nexecute-app-arg: tone_stream://%%(1500,0,%d00)\nEvent-UUID: q%d", i, i), "+OK")
	}
	want := []string{
		"CHANNEL_EXECUTE q1", "CHANNEL_EXECUTE q2", "CHANNEL_EXECUTE q3",
		"CHANNEL_EXECUTE_COMPLETE q3", "CHANNEL_EXECUTE_COMPLETE q2", "CHANNEL_EXECUTE_COMPLETE q1",
	}
	if d := cmp.Diff(want, labelsUntil(c, "CHANNEL_EXECUTE_COMPLETE q1")); d != "" {
		t.Error(d)
	}
}

func TestLockedQueue(t *testing.T) {
	_, c := answered(t, New(Config{Speed: 10}), CallSpec{})
	c.execute("playback", "tone_stream://%(1000,0,500)", "q1")
	c.execute("playback", "does/not/exist.wav", "q2")
	c.execute("sleep", "60000", "q3")
	c.execute("playback", "tone_stream://%(1000,0,500)", "q4")
	want := []string{
		"CHANNEL_EXECUTE q1", "CHANNEL_EXECUTE_COMPLETE q1", "CHANNEL_EXECUTE q2", "CHANNEL_EXECUTE_COMPLETE q2", "CHANNEL_EXECUTE q3",
	}
	if d := cmp.Diff(want, labelsUntil(c, "CHANNEL_EXECUTE q3")); d != "" {
		t.Error(d)
	}
	c.wants("sendmsg\ncall-command: hangup\nhangup-cause: USER_BUSY", "+OK") // waits behind the lock
	c.api("uuid_break "+callID+" all", "+OK\n")                              // and is forgotten with q4
	c.until("CHANNEL_EXECUTE_COMPLETE sleep _none_")
	c.execute("playback", "tone_stream://%(60000,0,500)", "q5")
	if m := c.until("CHANNEL_EXECUTE"); m.headers["Application-UUID"] != "q5" {
		t.Errorf("%s executed, want q5: break all forgets what is queued", m.headers["Application-UUID"])
	}
	c.api("uuid_kill "+callID+" CALL_REJECTED", "+OK\n") // at once
	if m := c.until("CHANNEL_HANGUP"); m.headers["Hangup-Cause"] != "CALL_REJECTED" {
		t.Errorf("cause %s", m.headers["Hangup-Cause"])
	}
}

func TestResponses(t *testing.T) {
	_, c := answered(t, New(Config{Speed: 20}), CallSpec{})
	for _, tc := range []struct{ app, arg, want string }{
		{"playback", "ivr/prompt.wav", "FILE PLAYED"},
		{"set", "a=b", "_none_"},
		{"playback", "ivr/missing.wav", "FILE NOT FOUND"},
		{"sleep", "100", "_none_"},
		{"playback", "tone_stream://%(100,100,440);loops=2", "FILE PLAYED"},
	} {
		c.execute(tc.app, tc.arg, "x")
		c.until("CHANNEL_EXECUTE_COMPLETE " + tc.app + " " + tc.want)
	}
	for name, want := range map[string]string{"a": "b"} {
		c.wants("getvar "+name, want)
	}
}

func TestUnknownApplication(t *testing.T) {
	_, c := answered(t, New(Config{Speed: 20}), CallSpec{})
	c.execute("audio_stream", "start", "x")
	m := c.next()
	if m.name() != "CHANNEL_HANGUP" || m.headers["Hangup-Cause"] != "DESTINATION_OUT_OF_ORDER" {
		t.Errorf("got %s %s", m.label(), m.headers["Hangup-Cause"])
	}
}

func TestDigits(t *testing.T) {
	_, c := answered(t, New(Config{Speed: 20}), CallSpec{DTMF: []Digit{{At: 200 * time.Millisecond, Digit: "1"}, {At: 600 * time.Millisecond, Digit: "#"}}})
	for _, want := range []string{"1", "#"} {
		if got := c.until("DTMF").headers["DTMF-Digit"]; got != want {
			t.Errorf("digit %q, want %q", got, want)
		}
	}
}

// What a transfer by somebody else ends says so in Channel-State-Number, before the
// event that tells of it; what plays is broken off (F10, F89, F100).
func TestTransferInPlayback(t *testing.T) {
	t.Parallel()
	for response, f := range map[string]Faults{"PLAYBACK ERROR": {}, "FILE PLAYED": {BrokenIsPlayed: true}} {
		call, c := answered(t, New(Config{Speed: 20}), CallSpec{Faults: f, Then: []Action{{Application: "playback", Data: "next.wav"}}})
		c.execute("playback", "silence_stream://-1", "1")
		c.execute("playback", "silence_stream://-1", "2")
		c.until("CHANNEL_EXECUTE playback ")
		call.Transfer()
		for range 2 {
			if m := c.until("CHANNEL_EXECUTE_COMPLETE playback " + response); m.headers["Channel-State-Number"] != "2" {
				t.Errorf("state %s, want 2", m.headers["Channel-State-Number"])
			}
		}
		c.until("CHANNEL_EXECUTE_COMPLETE socket " + response)
		if m := c.until("CHANNEL_EXECUTE_COMPLETE playback FILE PLAYED"); m.headers["Channel-State-Number"] != "4" {
			t.Errorf("state %s of the next action's event, want 4", m.headers["Channel-State-Number"])
		}
		c.conn.Close()
		if next := call.Wait().Executed; next[len(next)-1].Data != "next.wav" {
			t.Errorf("executed %+v, want the next action last", next)
		}
	}
}

// A playback ends on *, or on what playback_terminators says (F67, F101).
func TestTerminators(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ set, digit, used string }{
		{"", "*", "*"}, {"", "#", ""}, {"none", "*", ""}, {"#", "#", "#"}, {"any", "7", "7"},
	} {
		playing := make(chan struct{}, 2)
		spec := CallSpec{Progress: func(e Event) {
			if e.Step == "playing" {
				playing <- struct{}{}
			}
		}}
		if tc.set != "" {
			spec.Variables = map[string]string{"playback_terminators": tc.set}
		}
		call, c := answered(t, New(Config{Speed: 10}), spec)
		c.execute("playback", "tone_stream://%(2000,0,440)", "1")
		<-playing
		call.Press(tc.digit)
		m := c.until("CHANNEL_EXECUTE_COMPLETE playback FILE PLAYED")
		if used := m.headers["variable_playback_terminator_used"]; used != tc.used {
			t.Errorf("terminators %q, digit %s: ended by %q, want %q", tc.set, tc.digit, used, tc.used)
		}
		c.execute("playback", "tone_stream://%(100,0,440)", "2")
		if used := c.until("CHANNEL_EXECUTE_COMPLETE playback FILE PLAYED").headers["variable_playback_terminator_used"]; used != "" {
			t.Errorf("the next playback is said to be ended by %q", used)
		}
	}
}
