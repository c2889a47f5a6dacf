package config

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTimeline(t *testing.T) {
	for name, c := range map[string]struct{ plan, want string }{
		"as it is": {"{}", `
0.0 answer
0.5 tone 800 Hz for 0.5 s
1.0 stream start, mono 8000 Hz, frames of 20ms (connects within 3 s, else hangup)
1.0 prompt ivr/ivr-please_state_your_name_and_reason_for_calling.wav (its length is the switch's)
prompt+0.0 listen 15 s (ends earlier on hangup)
prompt+15.0 stream stop
prompt+15.0 hangup`},
		"no prompt": {"{prompt: '', answer_pause: 0s, tone: {duration: 250ms, frequency: 440}, on_stream_failure: dialplan}", `
0.0 answer
0.0 tone 440 Hz for 0.25 s
0.25 stream start, mono 8000 Hz, frames of 20ms (connects within 3 s, else back to the dialplan)
0.25 listen 15 s (ends earlier on hangup)
15.25 stream stop
15.25 hangup`},
		"nothing but the stream": {"{prompt: '', tone: {duration: 0s}, listen: 0s, on_stream_failure: continue}", `
0.0 answer
0.5 stream start, mono 8000 Hz, frames of 20ms (connects within 3 s, else on without a recording)
0.5 stream stop
0.5 hangup`},
		"ends early": {"{prompt: a.wav, finish_on: '*#', silence: 2500ms, stream: {mix: stereo, sample_rate: 16000, buffer: 100ms}}", `
0.0 answer
0.5 tone 800 Hz for 0.5 s
1.0 stream start, stereo 16000 Hz, frames of 100ms (connects within 3 s, else hangup)
1.0 prompt a.wav (its length is the switch's)
prompt+0.0 listen 15 s (ends earlier on digit * or #, 2.5 s of silence after speech, hangup)
prompt+15.0 stream stop
prompt+15.0 hangup`},
	} {
		t.Run(name, func(t *testing.T) {
			plan, _ := mustParse(t, "plans: {x: "+c.plan+"}", Options{}).Plan("x")
			var lines []string
			for _, step := range Timeline(plan) {
				lines = append(lines, step.Time+" "+step.Text)
			}
			if diff := cmp.Diff(strings.TrimSpace(c.want), strings.Join(lines, "\n")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
