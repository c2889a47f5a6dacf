package switchsim

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

const callID = "45e46232-d4de-41ff-9bd8-0a3bb61e2d2c"

// connectWithLinger connects with linger and events, as a controller does.
func connectWithLinger(c *controller) {
	c.command("connect")
	c.wants("linger 5", "+OK will linger 5 seconds")
	c.wants("myevents json", "+OK Events Enabled")
	c.wants("event json BACKGROUND_JOB CUSTOM mod_audio_stream::connect mod_audio_stream::disconnect mod_audio_stream::error mod_audio_stream::json",
		"+OK event listener enabled json")
}

func TestWholeCall(t *testing.T) {
	s := New(Config{Speed: 20})
	web := newWebServer(t)
	call, c := place(t, s, CallSpec{UUID: callID, Voice: ToneVoice(8000, 1000, 0.5)})
	connectWithLinger(c)
	c.execute("answer", "", "a1")
	c.until("CHANNEL_EXECUTE_COMPLETE answer _none_")
	c.execute("playback", "tone_stream://%(500,0,800)", "t1")
	c.until("CHANNEL_EXECUTE_COMPLETE playback FILE PLAYED")
	c.wants("bgapi uuid_audio_stream "+callID+" start "+web.url+"/x mono 8000\nJob-UUID: j1", "+OK Job-UUID: j1")
	for job, connected := false, false; !job || !connected; { // in any order
		switch m := c.next(); {
		case m.is("mod_audio_stream::connect"):
			connected = true
		case m.is("BACKGROUND_JOB"):
			if job = true; m.headers["_body"] != "+OK Success\n" || m.headers["Job-UUID"] != "j1" {
				t.Fatalf("job %v", m.headers)
			}
		}
	}
	c.execute("playback", "ivr/x.wav", "p1")
	c.until("CHANNEL_EXECUTE_COMPLETE playback FILE PLAYED")
	c.wants("bgapi uuid_audio_stream "+callID+" stop\nJob-UUID: j2", "+OK Job-UUID: j2")
	c.until("BACKGROUND_JOB")
	c.execute("hangup", "", "h1")
	got := []string{c.next().label(), c.next().label(), c.next().label(), c.next().label(), c.next().label(), c.next().label(), c.next().label(), c.next().label(), c.next().label()}
	want := []string{
		"CHANNEL_EXECUTE hangup ", "CHANNEL_HANGUP", "CHANNEL_EXECUTE_COMPLETE hangup _none_", "CHANNEL_UNPARK",
		"CHANNEL_EXECUTE_COMPLETE socket _none_", "CHANNEL_STATE", "CHANNEL_STATE", "CHANNEL_HANGUP_COMPLETE",
		"text/disconnect-notice linger",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	c.wants("exit", "+OK bye")
	r := call.Wait()
	sent := web.received(t)
	sameAudio(t, &r.Streams[0], sent.audio)
	if len(sent.audio) < 3*16000 {
		t.Errorf("%d bytes arrived", len(sent.audio))
	}
	if r.HangupCause != "NORMAL_CLEARING" || r.HungUpBy != "controller" || r.Streams[0].End != "stop" {
		t.Errorf("report %+v", r)
	}
}
