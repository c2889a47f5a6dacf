package controller_test

import (
	"testing"
	"time"

	"tapdeck/controller"
	"tapdeck/controller/switchsim"
)

// A recording is told how far its call has come, each step once, and nothing once the call is over.
func TestRecordingIsToldTheCallSoFar(t *testing.T) {
	t.Parallel()
	l := good().start(t)
	report := l.dial(switchsim.CallSpec{Voice: switchsim.ToneVoice(8000, 440, 0.3)}).Wait()
	l.close()
	checkGood(t, l.ended(report))
	notes := l.rec.recording(report.UUID).notes
	if len(notes) == 0 || len(notes) > 8 {
		t.Fatalf("%d notes", len(notes))
	}
	last := notes[len(notes)-1]
	for name, at := range map[string]time.Time{
		"connect": last.Timeline.Connect, "answer": last.Timeline.Answer, "stream_start": last.Timeline.StreamStart,
		"prompt": last.Timeline.Prompt, "listen": last.Timeline.Listen,
	} {
		if at.IsZero() {
			t.Errorf("the last note has no %s", name)
		}
	}
	var known controller.Timeline
	for _, n := range notes {
		if n.Result != "" || n.Timeline == known {
			t.Errorf("note %+v", n)
		}
		known = n.Timeline
	}
}

// A restart is told, too.
func TestRecordingIsToldOfRestarts(t *testing.T) {
	t.Parallel()
	s := good()
	s.behave = func(_ string, socket int) behaviour { return behaviour{cutAfter: map[int]int{1: 5}[socket]} }
	l := s.start(t)
	report := l.dial(switchsim.CallSpec{}).Wait()
	l.close()
	notes := l.rec.recording(report.UUID).notes
	if n := len(notes); n == 0 || notes[n-1].Restarts != l.ended(report).outcome.Restarts || notes[n-1].Restarts == 0 {
		t.Errorf("notes %+v, outcome %+v", notes, l.ended(report).outcome)
	}
}
