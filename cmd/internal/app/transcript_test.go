package app

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tapdeck/cmd/internal/apptest"
	"tapdeck/controller/switchsim"
	"tapdeck/controller/switchsim/recogniser"
	"tapdeck/sink/store"
	"tapdeck/wav"
)

// transcribedPlan is shortCalls' plan with a service, at its URL and of its wire.
const transcribedPlan = `
esl: {listen: "127.0.0.1:0"}
sink: {listen: "127.0.0.1:0", min_free: 0MiB, advertise: "ws://127.0.0.1:1"}
admin: {listen: "127.0.0.1:0"}
plans:
  default:
    stream: {mix: stereo}
    transcribe: {url: %q, format: %s}
    steps: [answer, stream, play: ivr/prompt.wav, listen: {for: 5s, until_said: [stop]}, hangup]
`

// What is said in a call stands in its record and beside its WAV, at its place in the recording, and is told
// live.
func TestTranscribedCall(t *testing.T) {
	for _, format := range []recogniser.Format{recogniser.Deepgram, recogniser.Vosk} {
		t.Run(string(format), func(t *testing.T) {
			server := &recogniser.Server{Format: format}
			url, stop := server.Start()
			defer stop()
			s := newTestDaemon(t, fmt.Sprintf(transcribedPlan, url, format))
			lines := s.follow()
			s.awaitLine(lines, ":")
			voice := recogniser.Say(8000, recogniser.Spoken{At: time.Second, Word: "one"}, recogniser.Spoken{At: 4500 * time.Millisecond, Word: "stop"}, recogniser.Spoken{At: 10 * time.Second})
			call := s.place(switchsim.CallSpec{Voice: switchsim.VoiceFromBytes(8000, voice, false)})
			s.awaitLine(lines, "event: transcript.final")
			if data := s.awaitLine(lines, "data: "); !strings.Contains(data, `"text":"one"`) || !strings.Contains(data, `"subject":"`+call.UUID()+`"`) || !strings.Contains(data, `"channel":"caller"`) {
				t.Error(data)
			}
			call.Wait()
			r := s.record(call.UUID())
			if r.ListenEndedBy != "said" || r.Transcript == nil || r.TranscriptMissingMS == nil || *r.TranscriptMissingMS != 0 || len(r.Alarms) > 0 {
				t.Fatalf("%+v %+v", r, r.Transcript)
			}
			compareWithWAV(t, s, r.WAV, r.Transcript.Segments)
			vtt, err := os.ReadFile(filepath.Join(s.dir, r.Transcript.VTT))
			if err != nil || r.Transcript.VTT != strings.TrimSuffix(r.WAV, ".wav")+".vtt" {
				t.Fatal(err, r.Transcript.VTT)
			}
			if text := string(vtt); !strings.HasPrefix(text, "WEBVTT\n") || !strings.Contains(text, "<v caller>one") || !strings.Contains(text, "<v caller>stop") {
				t.Error(text)
			}
			if n := strings.Count(s.journal.String(), `"msg":"transcript"`); n != 2 {
				t.Errorf("%d lines of words", n)
			}
			_, metrics := s.ask("GET", "/metrics", "")
			apptest.Until(t, "the session's end", func() bool {
				_, metrics = s.ask("GET", "/metrics", "")
				return strings.Contains(metrics, "\ntapdeck_transcript_sessions 0\n")
			})
			for _, want := range []string{"\ntapdeck_transcript_segments_total 2\n", "\ntapdeck_transcript_missing_seconds_total 0\n", "\ntapdeck_transcript_failures_total 0\n"} {
				if !strings.Contains(metrics, want) {
					t.Errorf("no %q", want)
				}
			}
		})
	}
}

// compareWithWAV hears the words of a recording itself: each segment has to be where they are.
func compareWithWAV(t *testing.T, s *testDaemon, path string, segments []store.Segment) {
	t.Helper()
	file, err := os.ReadFile(filepath.Join(s.dir, path))
	if err != nil {
		t.Fatal(err)
	}
	format, pcm, err := wav.Decode(file)
	if err != nil {
		t.Fatal(err)
	}
	words := recogniser.Hear(format.SampleRate, format.Channels, pcm)
	if len(words) != len(segments) {
		t.Fatalf("the WAV has %+v, the record %+v", words, segments)
	}
	for i, w := range words {
		off := max((w.From - time.Duration(segments[i].FromMS)*time.Millisecond).Abs(), (w.To - time.Duration(segments[i].ToMS)*time.Millisecond).Abs())
		if w.Word != segments[i].Text || w.Channel != 0 || segments[i].Channel != "caller" || off > 40*time.Millisecond {
			t.Errorf("%+v is %+v", w, segments[i])
		}
	}
}
