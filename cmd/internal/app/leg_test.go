package app

import (
	"bytes"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"tapdeck/cmd/internal/apptest"
	"tapdeck/cmd/internal/callview"
	"tapdeck/cmd/internal/config"
	"tapdeck/controller/switchsim"
	"tapdeck/sink/track"
)

// gapsOf are a record's gaps of a reason, in ms.
func gapsOf(r *callview.Record, reason string) (ms int64) {
	for _, g := range r.Gaps {
		if g.Reason == reason {
			ms += g.MS
		}
	}
	return ms
}

// TestHoldKeepsTheCallsTime holds a call for a while: what was said before it is at the
// beginning of the WAV, what was said after it at its end, and silence is between them.
func TestHoldKeepsTheCallsTime(t *testing.T) {
	t.Parallel()
	s := newTestDaemon(t, shortCalls)
	report := s.place(switchsim.CallSpec{
		Voice: switchsim.ToneVoice(8000, 440, 0.5), Variables: map[string]string{"tapdeck_listen": "4s"},
		Leg: switchsim.Leg{Holds: []switchsim.Hold{{From: time.Second, To: 2500 * time.Millisecond}}},
	}).Wait()
	record := s.record(report.UUID)
	got, stream := readSound(t, filepath.Join(s.dir, record.WAV)).bytes(), report.Streams[0]
	if record.Result != "completed" || len(report.Streams) != 1 || len(stream.Parts) != 2 {
		t.Fatalf("result %s, %d streams, parts %+v", record.Result, len(report.Streams), stream.Parts)
	}
	pcm, first := stream.PCM(), int(stream.Parts[0].Count)*320
	if !bytes.HasPrefix(got, pcm[:first]) || !bytes.HasSuffix(got, pcm[first:]) {
		t.Errorf("the WAV's %d bytes are not the %d that were said, with silence in the hold", len(got), len(pcm))
	}
	if held := gapsOf(&record, track.GapNoFrames); held < 1000 || record.MissingMS == 0 {
		t.Errorf("gaps %+v, missing %d ms", record.Gaps, record.MissingMS)
	}
}

// TestCodecChangeStartsTheStreamAgain changes the call's codec (F50): of the frames that are six
// times too long hardly any are in the WAV, and what comes after the restart is at its end.
func TestCodecChangeStartsTheStreamAgain(t *testing.T) {
	t.Parallel()
	s := newTestDaemon(t, shortCalls)
	report := s.place(switchsim.CallSpec{
		Voice: switchsim.ToneVoice(8000, 440, 0.5), Variables: map[string]string{"tapdeck_listen": "7s"},
		Leg: switchsim.Leg{Codecs: []switchsim.Codec{{At: 2 * time.Second, Rate: 48000}}},
	}).Wait()
	record := s.record(report.UUID)
	if record.Result != "completed" || len(report.Streams) != 2 || record.Restarts != 1 {
		t.Fatalf("result %s, %d streams, restarts %d", record.Result, len(report.Streams), record.Restarts)
	}
	got, last := readSound(t, filepath.Join(s.dir, record.WAV)).bytes(), report.Streams[1].PCM()
	if !bytes.HasSuffix(got, last) {
		t.Errorf("the WAV's %d bytes don't end with the %d that were said after the restart", len(got), len(last))
	}
	if wrong := gapsOf(&record, track.GapWrongRate); wrong == 0 || record.AudioMS > 9000 || !slices.Contains(record.Alarms, "long_audio") {
		t.Errorf("audio %d ms, gaps %+v, alarms %v", record.AudioMS, record.Gaps, record.Alarms)
	}
}

// TestCallComesBack transfers a call to the extension that it is in: both of its calls have a
// recording and a record, and the second the first free name.
func TestCallComesBack(t *testing.T) {
	t.Parallel()
	s := newTestDaemon(t, shortCalls, func(c *config.Config) { c.ESL.MaxCalls = 1 })
	call := s.place(switchsim.CallSpec{Voice: switchsim.ToneVoice(8000, 440, 0.5), Variables: map[string]string{"tapdeck_listen": "1m"}})
	listens := func() bool {
		calls := s.controller.Calls()
		return len(calls) == 1 && calls[0].Step == "listen" && calls[0].Stream != nil && calls[0].Stream.Audio > 0
	}
	apptest.Until(t, "the first listening", listens)
	call.TransferBack()
	apptest.Until(t, "the end of the first call", func() bool { return len(s.controller.Ended()) == 1 })
	apptest.Until(t, "the second listening", listens)
	call.Hangup()
	report := call.Wait()
	apptest.Until(t, "the end of both", func() bool { return len(s.controller.Ended()) == 2 })
	for name, result := range map[string]string{report.UUID: "switch_lost", report.UUID + "-2": "caller_hangup"} {
		record := s.record(name)
		if record.Call != report.UUID || record.Result != result || filepath.Base(record.WAV) != name+".wav" || record.AudioMS == 0 {
			t.Errorf("%s: %+v, want %s with audio", name, record, result)
		}
	}
}
