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
		"all of the flat form": {"{prompt: a.wav, stop_on: '#', silence_level: auto, no_input: 8s, typeahead: true, dtmf: inband}", `
0.0 answer
0.5 tone 800 Hz for 0.5 s
1.0 stream start, mono 8000 Hz, frames of 20ms (connects within 3 s, else hangup)
1.0 prompt a.wav (its length is the switch's, ends earlier on digit #)
prompt+0.0 listen 15 s (ends earlier on 8 s without speech, hangup)
prompt+15.0 stream stop
prompt+15.0 hangup`},
		"steps": {"{stream: {mix: stereo}, steps: [answer, pause: 500ms, play: {file: a.wav, stop_on: '*#'}, tone: 250ms, stream, listen: {for: 60s, silence: 3s}, stream: stop, set: a=b, play: [b.wav, c.wav], listen: 1s, transfer: {number: 5000, context: x}]}", `
0.0 answer
0.0 pause 0.5 s
0.5 prompt a.wav (its length is the switch's, ends earlier on digit * or #)
play+0.0 tone 800 Hz for 0.25 s
play+0.25 stream start, stereo 8000 Hz, frames of 20ms (connects within 3 s, else hangup)
play+0.25 listen 60 s (ends earlier on 3 s of silence after speech, hangup)
play+60.25 stream stop
play+60.25 set a=b
play+60.25 prompt b.wav (its length is the switch's)
play_2+0.0 prompt c.wav (its length is the switch's)
play_2:2+0.0 listen 1 s (ends earlier on hangup)
play_2:2+1.0 transfer to 5000 XML x`},
		"transcribed": {"{transcribe: {url: 'wss://api.deepgram.com/v1/listen?tag=a', model: m}, steps: [answer, stream, listen: {for: 1s, until_said: [stop, good bye]}]}", `
0.0 answer
0.0 stream start, mono 8000 Hz, frames of 20ms (connects within 3 s, else hangup), transcribed by api.deepgram.com (deepgram)
0.0 listen 1 s (ends earlier on the caller says "stop" or "good bye", hangup)
1.0 stream stop
1.0 hangup`},
		"steps without a stream": {"{steps: [hangup: USER_BUSY]}", `
0.0 hangup, USER_BUSY`},
		"steps without an end": {"{steps: [answer, stream]}", `
0.0 answer
0.0 stream start, mono 8000 Hz, frames of 20ms (connects within 3 s, else hangup)
0.0 stream stop
0.0 hangup`},
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
