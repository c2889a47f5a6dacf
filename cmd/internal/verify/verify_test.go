package verify

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tapdeck/cmd/internal/callview"
	"tapdeck/controller/switchsim"
	"tapdeck/sink/track"
)

// The silence of gaps is taken out to the sample, though records have ms; nothing else is.
func TestWithoutGaps(t *testing.T) {
	said := make([]byte, 0, 16000)
	for i := range 8000 {
		v := int16(i*7919%20000 - 10000)
		if i > 3000 && i < 3100 {
			v = 0 // silence of the caller's own
		}
		said = append(said, byte(v), byte(v>>8))
	}
	one, two := make([]byte, 2*1603), make([]byte, 2*2405)
	pcm := slices.Concat(said[:6100], one, said[6100:10000], two, said[10000:])
	record := callview.Record{SampleRate: 8000, Channels: 1}
	record.Gaps = []track.Gap{{AtMS: 381, MS: 200}, {AtMS: 826, MS: 301}}
	if got := WithoutGaps(pcm, said, record); !bytes.Equal(got, said) {
		t.Errorf("%d bytes are not the %d that were said", len(got), len(said))
	}
	pcm[7000]++ // in the silence
	if got := WithoutGaps(pcm, said, record); bytes.Equal(got, said) {
		t.Error("sound in a gap passes")
	}
	if got := WithoutGaps(said[2:], said, record); bytes.Equal(got, said) {
		t.Error("a sample less passes")
	}
	record.Gaps = nil
	if got := WithoutGaps(pcm, said, record); bytes.Equal(got, said) {
		t.Error("silence that is in no record passes")
	}
}

// Gaps of which one begins where another ends are taken out, and so are those at the end.
func TestWithoutAdjacentGaps(t *testing.T) {
	said := make([]byte, 0, 16000)
	for i := range 8000 {
		v := int16(i*7919%20000 - 10000)
		said = append(said, byte(v), byte(v>>8))
	}
	// 1,003 ms and 750.4 ms and, at the end, 500.4 ms and 10.25 ms.
	two, end := make([]byte, 2*(8024+6003)), make([]byte, 2*(4003+82))
	pcm := slices.Concat(said[:6400], two, said[6400:], end)
	record := callview.Record{SampleRate: 8000, Channels: 1}
	record.Gaps = []track.Gap{
		{AtMS: 400, MS: 1003, Reason: track.GapReconnect},
		{AtMS: 1403, MS: 750, Reason: track.GapStopped},
		{AtMS: 2753, MS: 500, Reason: track.GapNoFrames},
		{AtMS: 3254, MS: 10, Reason: track.GapStopped},
	}
	if got := WithoutGaps(pcm, said, record); !bytes.Equal(got, said) {
		t.Errorf("%d bytes are not the %d that were said", len(got), len(said))
	}
	if got := WithoutGaps(append(pcm, make([]byte, 320)...), said, record); bytes.Equal(got, said) {
		t.Error("more silence at the end than the gaps have passes")
	}
	record.Gaps = record.Gaps[:3]
	if got := WithoutGaps(pcm, said, record); bytes.Equal(got, said) {
		t.Error("silence at the end that is in no gap passes")
	}
}

// A call that has asked for no stream, and that nothing went wrong in, has no recording; any other
// must have one.
func TestCallsWithoutRecording(t *testing.T) {
	const id = "0a6f8b7e-5c4d-4e3f-9a2b-1c0d9e8f7a6b"
	const start = "bgapi uuid_audio_stream " + id + " start ws://127.0.0.1:8080 mono 8000"
	for name, tt := range map[string]struct{ record, command, want string }{
		"no stream":    {`{"result":"completed"}`, "execute playback", ""},
		"transferred":  {`{"result":"transferred"}`, "bgapi uuid_transfer " + id + " 5000", ""},
		"no extension": {`{"result":"transferred","err":"there was nothing to transfer the call to"}`, "bgapi uuid_transfer " + id + " 5000", ""},
		"lost":         {`{"result":"switch_lost","err":"the event socket ended"}`, "execute playback", "names no WAV: the event socket ended"},
		"none came":    {`{"result":"completed"}`, start, "names no WAV"},
	} {
		dir := t.TempDir()
		day := filepath.Join(dir, "2026-11-22")
		if err := os.Mkdir(day, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(day, id+".json"), []byte(tt.record), 0o600); err != nil {
			t.Fatal(err)
		}
		record, samples, err := Recording(dir, switchsim.Report{UUID: id, Commands: []string{tt.command}})
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) || samples != 0 || record.Result == "" {
			t.Errorf("%s: %+v, %d samples, %v", name, record, samples, err)
		}
	}
}

func TestNoRecord(t *testing.T) {
	if _, _, err := Recording(t.TempDir(), switchsim.Report{UUID: "a"}); !errors.Is(err, ErrNoRecord) {
		t.Error(err)
	}
}
