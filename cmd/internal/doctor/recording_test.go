package doctor

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"tapdeck/cmd/internal/callview"
	"tapdeck/cmd/internal/config"
	"tapdeck/sink/store"
)

// ran is the record of a call whose stream ran for so long.
func ran(length time.Duration) callview.Record {
	r := callview.Record{Call: "3f0c", Plan: "default", Result: "completed", Mix: "mono"}
	r.Timeline.Add("stream_connected", 1000)
	r.Timeline.Add("stop", 1000+length.Milliseconds())
	return r
}

func TestListen(t *testing.T) {
	const four = 4 * time.Second
	voice, prompt, quiet := pattern(0.1, 0.25), sine(350, 0.25), sine(0, 0)
	with := func(change func(*callview.Record)) callview.Record {
		r := ran(four)
		change(&r)
		return r
	}
	for name, tt := range map[string]struct {
		path   string
		record callview.Record
		want   []amiss
	}{
		"mono":        {write(t, 8000, four, voice), ran(four), nil},
		"16 kHz":      {write(t, 16000, four, voice), ran(four), nil},
		"stereo":      {write(t, 8000, four, voice, prompt), ran(four), nil},
		"mixed":       {write(t, 8000, four, sum(voice, cut(prompt, 1.5, 9))), with(func(r *callview.Record) { r.Mix = "mixed" }), nil},
		"last buffer": {write(t, 8000, four, voice), ran(four + 310*time.Millisecond), nil},

		"a dropout":   {write(t, 8000, four, cut(voice, 1.4, 1.42)), ran(four), nil},
		"dropouts":    {write(t, 8000, four, gated(voice, 0, 0.04, 0.02)), ran(four), []amiss{{testRecording, Warn, "dropouts", "overloaded"}}},
		"a bot spoke": {write(t, 8000, four, gated(voice, 0, 0.04, 0.02)), with(func(r *callview.Record) { r.Agent = &store.Agent{Utterances: []store.Utterance{{ToMS: 1000}}} }), nil},
		"swapped":     {write(t, 8000, four, prompt, voice), ran(four), []amiss{{testRecording, Fail, "right channel", "stream.mix"}}},
		"silence":     {write(t, 8000, four, quiet), ran(four), []amiss{{testRecording, Fail, "only silence", "media or codecs"}}},
		"no RTP":      {write(t, 8000, four, quiet), with(func(r *callview.Record) { r.DigitalSilence = true }), []amiss{{testRecording, Fail, "only silence", "media or codecs"}}},
		"empty":       {write(t, 8000, 0, quiet), ran(four), []amiss{{testRecording, Fail, "no audio", "mod_audio_stream"}}},
		"brief":       {write(t, 8000, 460*time.Millisecond, cut(voice, 0, 0.1)), ran(460 * time.Millisecond), []amiss{{testRecording, Unknown, "has 460ms of audio, too little", "ended the call"}}},
		"rate low":    {write(t, 8000, 2*four, half(voice)), ran(2 * four), []amiss{{testRecording, Fail, "octave too low", "sample rate"}}},
		"rate high":   {write(t, 8000, four/2, double(voice)), ran(four / 2), []amiss{{testRecording, Fail, "octave too high", "sample rate"}}},
		"other voice": {write(t, 8000, four, sine(650, 0.3)), ran(four), []amiss{{testRecording, Fail, "near 650 Hz (100 %)", "mix is mono"}}},
		"broken":      {write(t, 8000, four, cut(voice, 1, 2)), with(func(r *callview.Record) { r.Restarts = 1; r.Alarms = []string{"missing_audio"} }), []amiss{{testRecording, Fail, "interrupted for 1.10 s at 1.00 s", "missing_audio], restarts 1"}}},
		"alarms":      {write(t, 8000, four, voice), with(func(r *callview.Record) { r.Alarms = []string{"late_audio"} }), []amiss{{"test stream", Warn, "not in order", "late_audio"}}},
		"too short":   {write(t, 8000, 3*time.Second, voice), ran(four), []amiss{{"recording length", Fail, "3.00 s, and the stream ran for 4.00 s", "missing_ms"}}},
		"too long":    {write(t, 8000, 5*time.Second, voice), ran(four), []amiss{{"recording length", Fail, "5.00 s", ""}}},
		"no times":    {write(t, 8000, four, voice), callview.Record{Plan: "default", Mix: "mono"}, []amiss{{"recording length", Unknown, "does not say", ""}}},
		"no WAV":      {text(t, "RIFF, but no more"), ran(four), []amiss{{testRecording, Fail, "can't be read", "daemon's machine"}}},
		"no file":     {filepath.Join(t.TempDir(), "gone.wav"), ran(four), []amiss{{testRecording, Fail, "no such file", "daemon's machine"}}},
		"relative":    {"gone.wav", ran(four), []amiss{{testRecording, Fail, "no such file", "is relative"}}},
		"none":        {"", ran(four), []amiss{{testRecording, Fail, "there is none", "sink.advertise"}}},
	} {
		t.Run(name, func(t *testing.T) {
			l := newSetup(t)
			l.options.Report = func(f Finding) { l.findings = append(l.findings, f) }
			x := newExamination(l.options)
			x.Loaded.Config.Sink.Directory = filepath.Dir(tt.path)
			if tt.path == "gone.wav" {
				x.Loaded.Config.Sink.Directory = "recordings"
			}
			if tt.path != "" {
				tt.record.WAV = filepath.Base(tt.path)
			}
			x.listen(&tt.record)
			l.compare(!x.failed, tt.want)
		})
	}
}

func half(f func(float64) float64) func(float64) float64 {
	return func(t float64) float64 { return f(t / 2) }
}

func double(f func(float64) float64) func(float64) float64 {
	return func(t float64) float64 { return f(t * 2) }
}

func text(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a.wav")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestLongest(t *testing.T) {
	l := newSetup(t)
	change(l, func(p *config.Plan) { p.Listen = 30 * time.Second })
	x := newExamination(l.options)
	if got, prompts := x.longest(); got != 31*time.Second || prompts != 1 || x.longestText() != "31s and its prompt" {
		t.Errorf("%v, %d prompts, %q", got, prompts, x.longestText())
	}
}
