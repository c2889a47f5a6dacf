package doctor

import (
	"encoding/binary"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"tapdeck/cmd/internal/callview"
	"tapdeck/wav"
)

// testRecording is the name of the check of what is in a test call's recording.
const testRecording = "test recording"

// listen looks for the pattern in the recording, and whether that is as long as
// the call's stream was.
func (x *examination) listen(r *callview.Record) {
	if r.WAV == "" {
		x.report(finding(Fail, testRecording, "there is none: no stream came"+because(r.Err), x.resultHint(&callview.Record{Result: "stream_failed"})))
		return
	}
	path := filepath.Join(x.Loaded.Config.Sink.Directory, filepath.FromSlash(r.WAV))
	format, pcm, err := callview.ReadWAV(path)
	if err != nil {
		x.report(finding(Fail, testRecording, fmt.Sprintf("%s can't be read (%v)", path, err), x.pathHint()))
		return
	}
	audio := sound{format, pcm}
	caller := audio.channel(0)
	found := search(caller, format.SampleRate)
	if r.Mix == "mixed" { // what FreeSWITCH plays may cover the caller
		const enough = 3
		found.there, found.broken = found.pulses >= enough, 0
	}
	if !found.there {
		seen, todo := x.notFound(r, audio)
		x.report(finding(Fail, testRecording, fmt.Sprintf("the caller's %d Hz pattern is not in %s: %s", patternHz, path, seen), todo))
		return
	}
	seen := fmt.Sprintf("the caller's %d Hz pattern is in %s from %.2f s on, at %.1f dBFS", patternHz, path, found.offset.Seconds(), found.level)
	switch {
	case found.broken > 0:
		x.report(finding(Fail, testRecording, fmt.Sprintf("%s, but interrupted for %.2f s at %.2f s", seen, found.broken.Seconds(), found.breakAt.Seconds()), lossHint(r)))
	case found.dropouts > found.pulses/4:
		x.report(finding(Warn, testRecording, fmt.Sprintf("%s, with %d dropouts of at most %v", seen, found.dropouts, maxDropout), "is FreeSWITCH's machine, or this one, overloaded? Try again when it has less to do"))
	case found.dropouts > 0:
		x.report(pass(testRecording, "%s; dropouts of at most %v: %d", seen, maxDropout, found.dropouts))
	default:
		x.report(pass(testRecording, "%s", seen))
	}
	right := x.length(r, format.Duration(int64(len(caller))))
	if right && found.broken == 0 && (len(r.Alarms) > 0 || r.Restarts > 0) {
		x.report(finding(Warn, "test stream", "all of the caller is there, but the stream was not in order", lossHint(r)))
	}
}

// pathHint says why a recording may not be where it is looked for.
func (x *examination) pathHint() string {
	if dir := x.Loaded.Config.Sink.Directory; !filepath.IsAbs(dir) {
		return fmt.Sprintf("sink.directory %q is relative: run doctor in the folder in which the daemon was started, or make it a whole path", dir)
	}
	return "run doctor on the daemon's machine, with its configuration, as a user who may read its recordings"
}

// notFound says what is there in the pattern's stead.
func (x *examination) notFound(r *callview.Record, audio sound) (seen, todo string) {
	const rates = "the module sends another sample rate than the stream's: set the plan's stream.sample_rate to 8000, the rate of the call's own codec, or try another build of mod_audio_stream"
	samples, rate := audio.channel(0), audio.format.SampleRate
	switch {
	case len(samples) == 0:
		return "it holds no audio", "FreeSWITCH's log says why mod_audio_stream sent none"
	case r.DigitalSilence || silent(samples):
		return "it holds only silence", "FreeSWITCH sent no audio of the caller: does the switch's log complain of media or codecs in this call?"
	case audio.format.Channels == 2 && search(audio.channel(1), rate).there:
		return "it is in the right channel, which is FreeSWITCH's own", "the module swaps the channels of a stereo stream: set the plan's stream.mix to mono"
	case search(samples, 2*rate).there:
		return "it is there an octave too low", rates
	case search(samples, rate/2).there:
		return "it is there an octave too high", rates
	}
	hz, share := loudest(samples, rate)
	return fmt.Sprintf("its %.2f s are something else, most of all near %d Hz (%.0f %%)", audio.format.Duration(int64(len(samples))).Seconds(), hz, 100*share),
		fmt.Sprintf("listen to it; the stream's mix is %s: mono is the caller alone", r.Mix)
}

func lossHint(r *callview.Record) string {
	if len(r.Alarms) > 0 || r.Restarts > 0 {
		return fmt.Sprintf("the call's record says alarms [%s], restarts %d: is the network between FreeSWITCH and tapdeck in order?", strings.Join(r.Alarms, ", "), r.Restarts)
	}
	return "the call's record says more in gaps and missing_ms; is either machine overloaded?"
}

// lengthGrace is how far a recording's length may be from its stream's time, beyond
// the last buffer of the stream, which FreeSWITCH does not send.
const lengthGrace = 300 * time.Millisecond

// length compares the recording's length with the stream's time, and says whether it
// is right as far as that can be told.
func (x *examination) length(r *callview.Record, got time.Duration) bool {
	const check = "recording length"
	t := r.Timeline
	if t.StreamConnected == nil || t.Stop == nil {
		x.report(finding(Unknown, check, "the record does not say when the stream ran", ""))
		return true
	}
	plan, _ := x.Loaded.Plan(r.Plan)
	want := time.Duration(*t.Stop-*t.StreamConnected) * time.Millisecond
	seen := fmt.Sprintf("%.2f s, and the stream ran for %.2f s", got.Seconds(), want.Seconds())
	if (got - want).Abs() > lengthGrace+plan.Stream.Buffer {
		x.report(finding(Fail, check, seen, lossHint(r)))
		return false
	}
	x.report(pass(check, "%s", seen))
	return true
}

// sound is a whole recording.
type sound struct {
	format wav.Format
	pcm    []byte
}

// channel is one channel's samples; 0 is the only one, or the left.
func (s sound) channel(n int) []int16 {
	frame := s.format.FrameBytes()
	samples := make([]int16, 0, len(s.pcm)/frame)
	for at := 0; at+frame <= len(s.pcm); at += frame {
		samples = append(samples, int16(binary.LittleEndian.Uint16(s.pcm[at+2*n:])))
	}
	return samples
}
