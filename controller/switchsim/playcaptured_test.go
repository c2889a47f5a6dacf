package switchsim

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// told is what an event of a captured sequence says: its name, and of those that it has the id, the
// response and the status.
func told(m *message) string {
	words := []string{m.name()}
	for _, name := range []string{"Application-UUID", "Application-Response", "Playback-Status"} {
		if value := m.headers[name]; value != "" {
			words = append(words, value)
		}
	}
	if m.is("CHANNEL_STATE") {
		words = append(words, m.headers["Channel-State"])
	}
	return strings.Join(words, " ")
}

// sequence is what is told up to the event that says last; the id of an application of the dialplan is -.
func sequence(c *controller, last string) []string {
	var list []string
	for {
		m := c.next()
		if id := m.headers["Application-UUID"]; len(id) == len(callID) {
			m.headers["Application-UUID"] = "-"
		}
		line := told(m)
		list = append(list, line)
		if line == last {
			return list
		}
	}
}

// The events of a captured call whose controller queued four chunks, then a long one with one behind
// it, and broke that off.
func TestQueueIsAsCaptured(t *testing.T) {
	t.Parallel()
	spec := CallSpec{}
	playing := notePlaying(&spec)
	_, c := answered(t, New(Config{Speed: 5}), spec)
	c.wants("event plain PLAYBACK_START PLAYBACK_STOP", "+OK event listener enabled plain")
	tenth := noise(8000, 100*time.Millisecond)
	var want []string
	for i := range 4 {
		id := "chunk-" + itoa(i)
		c.execute("playback", chunk(t, "cap.r8", tenth), id)
		want = append(want, "CHANNEL_EXECUTE "+id, "PLAYBACK_START", "PLAYBACK_STOP done", "CHANNEL_EXECUTE_COMPLETE "+id+" FILE PLAYED")
	}
	if d := cmp.Diff(want, sequence(c, "CHANNEL_EXECUTE_COMPLETE chunk-3 FILE PLAYED")); d != "" {
		t.Error(d)
	}
	for range 4 {
		<-playing
	}
	c.execute("playback", chunk(t, "cap.r8", noise(8000, 10*time.Second)), "long")
	c.execute("playback", chunk(t, "cap.r8", tenth), "after")
	<-playing
	c.api("uuid_break "+callID+" all", "+OK\n")
	want = []string{"CHANNEL_EXECUTE long", "PLAYBACK_START", "PLAYBACK_STOP break", "CHANNEL_EXECUTE_COMPLETE long FILE PLAYED"}
	if d := cmp.Diff(want, sequence(c, "CHANNEL_EXECUTE_COMPLETE long FILE PLAYED")); d != "" {
		t.Error(d)
	}
	c.wants("sendmsg\ncall-command: hangup", "+OK")
	if got := told(c.next()); got != "CHANNEL_HANGUP" {
		t.Errorf("%s came after the break", got)
	}
}

// The variables that the COMPLETE of a broken playback ends with, in the captured order: 400 ms of a
// file of one second were heard.
func TestBrokenPlaybackIsAsCaptured(t *testing.T) {
	t.Parallel()
	call, c := answered(t, New(Config{Speed: 4}), CallSpec{})
	c.execute("playback", "silence_stream://-1", "wait")
	c.until("CHANNEL_EXECUTE playback ")
	file := chunk(t, "u_0.tmp.r8", noise(8000, time.Second))
	c.execute("playback", file, "utt-1")
	c.api("uuid_break "+callID, "+OK\n")
	c.until("CHANNEL_EXECUTE playback ")
	for len(call.Heard()) < 2 || call.now() < call.Heard()[1].From+10 {
		call.pause(time.Millisecond)
	}
	c.api("uuid_break "+callID+" all", "+OK\n")
	var m *message
	for m = c.until("CHANNEL_EXECUTE_COMPLETE"); m.headers["Application-UUID"] != "utt-1"; m = c.until("CHANNEL_EXECUTE_COMPLETE") {
	}
	heard := m.headers["variable_playback_last_offset_pos"]
	lines := headerLines(m)
	for i := range lines {
		lines[i] = strings.ReplaceAll(lines[i], heard, "HEARD")
	}
	from := slices.Index(lines, "variable_current_loop: 1")
	want := []string{
		"variable_current_loop: 1", "variable_total_loops: 1", "variable_current_application_data: " + file, "variable_current_application: playback",
		"variable_playback_last_offset_pos: HEARD", "variable_playback_seconds: 1", "variable_playback_ms: 1000", "variable_playback_samples: 8000",
		"variable_current_application_response: FILE%20PLAYED", "Application: playback", "Application-Data: " + file, "Application-Response: FILE%20PLAYED", "Application-UUID: utt-1",
	}
	if from < 0 {
		t.Fatal("variable_current_loop is missing")
	}
	if d := cmp.Diff(want, lines[from:]); d != "" {
		t.Error(d)
	}
	if n := int64(len(heardOf(call)[1].PCM) / 2); heard != itoa(int(n)) || n == 8000 {
		t.Errorf("offset %s, %d samples were heard", heard, n)
	}
}

// The events of a captured call that was transferred with one playing and two queued: each is
// answered, none is heard, the stream and the event socket go on.
func TestTransferWithQueueIsAsCaptured(t *testing.T) {
	t.Parallel()
	web := newWebServer(t)
	spec := CallSpec{UUID: callID, Extensions: map[string][]Action{"5000": {{Application: "answer"}, {Application: "playback", Data: "silence_stream://-1"}}}}
	playing := notePlaying(&spec)
	call, c := place(t, New(Config{Speed: 5}), spec)
	c.command("connect")
	c.wants("linger 5", "+OK will linger 5 seconds")
	c.wants("myevents", "+OK Events Enabled")
	c.wants("event plain BACKGROUND_JOB CUSTOM mod_audio_stream::connect mod_audio_stream::json mod_audio_stream::play", "+OK event listener enabled plain")
	c.execute("answer", "", "ans")
	c.until("CHANNEL_EXECUTE_COMPLETE answer _none_")
	c.api(streamCmd+" start "+web.url+" mono 8000", "+OK Success\n")
	c.until("mod_audio_stream::connect")
	file := chunk(t, "f3s.r8", noise(8000, 30*time.Second))
	for i := range 3 {
		c.execute("playback", file, "q"+itoa(i))
	}
	<-playing
	c.api("uuid_transfer "+callID+" 5000 XML default", "+OK\n")
	want := []string{
		"CHANNEL_EXECUTE q0",
		"CHANNEL_EXECUTE_COMPLETE q0 PLAYBACK ERROR",
		"CHANNEL_EXECUTE q1", "CHANNEL_EXECUTE_COMPLETE q1 PLAYBACK ERROR",
		"CHANNEL_EXECUTE q2", "CHANNEL_EXECUTE_COMPLETE q2 PLAYBACK ERROR",
		"CHANNEL_UNPARK", "CHANNEL_EXECUTE_COMPLETE - PLAYBACK ERROR",
		"CHANNEL_STATE CS_ROUTING", "CHANNEL_STATE CS_EXECUTE",
		"CHANNEL_EXECUTE -", "CHANNEL_EXECUTE_COMPLETE - _none_",
		"CHANNEL_EXECUTE -",
	}
	got := sequence(c, "CHANNEL_EXECUTE_COMPLETE - _none_")
	got = append(got, told(c.next())[:len("CHANNEL_EXECUTE")]+" -")
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if heard := heardOf(call); len(heard) > 2 || len(heard) == 2 && heard[1].Source == file {
		t.Errorf("%d stretches were heard, nothing of the queue may be", len(heard))
	}
	call.Hangup()
	for c.until("CHANNEL_EXECUTE_COMPLETE").headers["Application-Response"] != "PLAYBACK ERROR" {
	}
	c.until("CHANNEL_HANGUP_COMPLETE")
	if r := web.received(t); len(r.audio) == 0 {
		t.Error("the stream has brought nothing")
	}
}
