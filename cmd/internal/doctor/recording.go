package doctor

import (
	"encoding/binary"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"tapdeck/cmd/internal/callview"
	"tapdeck/controller"
	"tapdeck/controller/flow"
	"tapdeck/wav"
)

// testRecording is the name of the check of what is in a test call's recording.
const testRecording = "test recording"

// shortest is how long a recording is in which the pattern is missed.
const shortest = 3 * (patternOn + patternOff)

// listen looks for the pattern in the recording, and whether that is as long as
// the call's stream was.
func (x *examination) listen(r *callview.Record) {
	plan := x.plan(r.Plan)
	switch {
	case r.WAV == "" && plan != nil && !flow.Streams(plan.Steps):
		x.noStream(r.Plan)
		return
	case r.WAV == "":
		x.report(Fail, testRecording, x.recordHint(&callview.Record{Result: "stream_failed", Hint: r.Hint}), "there is none: no stream came%s", because(r.Err))
		return
	}
	path := filepath.Join(x.Loaded.Config.Sink.Directory, filepath.FromSlash(r.WAV))
	format, pcm, err := callview.ReadWAV(path)
	if err != nil {
		x.report(Fail, testRecording,
			"run doctor on the daemon's machine, with its configuration, as a user who may read its recordings; if sink.directory is relative, in its folder",
			"%s can't be read (%v)", path, err)
		return
	}
	caller := channel(format, pcm, 0)
	found := search(caller, format.SampleRate)
	spoken := x.forgive(&found, r, plan)
	if length := format.Duration(int64(len(caller))); !found.there && length > 0 && length < shortest {
		x.report(Unknown, testRecording, "see what has ended the call so soon", "%s has %v of audio, too little to find the caller's %d Hz pattern in it", path, length.Round(time.Millisecond), patternHz)
		return
	}
	if !found.there {
		seen, todo := notFound(r, format, pcm)
		x.report(Fail, testRecording, todo, "the caller's %d Hz pattern is not in %s: %s", patternHz, path, seen)
		return
	}
	seen := fmt.Sprintf("the caller's %d Hz pattern is in %s from %.2f s on, at %.1f dBFS, with %d dropouts of at most %v",
		patternHz, path, found.offset.Seconds(), found.level, found.dropouts, maxDropout)
	if spoken {
		seen += "; FreeSWITCH itself takes 40 ms of the caller at the begin of each piece of a bot's voice"
	}
	switch {
	case found.broken > 0:
		x.report(Fail, testRecording, lossHint(r), "%s, but interrupted for %.2f s at %.2f s", seen, found.broken.Seconds(), found.breakAt.Seconds())
	case found.dropouts > found.pulses/4 && !spoken:
		x.report(Warn, testRecording, "is FreeSWITCH's machine, or this one, overloaded? Try again when it has less to do", "%s", seen)
	default:
		x.pass(testRecording, "%s", seen)
	}
	right := x.length(r, format.Duration(int64(len(caller))))
	if right && found.broken == 0 && (len(r.Alarms) > 0 || r.Restarts > 0) {
		x.report(Warn, "test stream", lossHint(r), "all of the caller is there, but the stream was not in order")
	}
}

// forgive leaves out what no fault has broken of the pattern. It says whether a bot has spoken, for which
// FreeSWITCH itself takes some of the caller (F155).
func (x *examination) forgive(found *heard, r *callview.Record, plan *controller.Plan) (spoken bool) {
	if r.Mix == "mixed" { // what FreeSWITCH plays may cover the caller
		const enough = 3
		found.there, found.broken = found.pulses >= enough, 0
	}
	spoken = r.Agent != nil && len(r.Agent.Utterances) > 0
	if plan != nil && flow.LengthOf(plan.Steps).Starts > 1 || spoken { // else the breaks are the plan's own
		found.broken = 0
	}
	return spoken
}

// noStream reports that a plan has no stream, so that nothing of it can be heard.
func (x *examination) noStream(plan string) {
	if !x.anyStreams() {
		x.pass(testRecording, "there is none: no plan has a stream")
		return
	}
	x.report(Unknown, testRecording, "to prove the stream, give --call a number of a plan that has one: "+strings.Join(x.streaming(), ", "),
		"there is none, because plan %s has no stream", plan)
}

// notFound says what is there in the pattern's stead.
func notFound(r *callview.Record, format wav.Format, pcm []byte) (seen, todo string) {
	const rates = "the module sends another sample rate than the stream's: set the plan's stream.sample_rate to 8000, the rate of the call's own codec, or try another build of mod_audio_stream"
	samples, rate := channel(format, pcm, 0), format.SampleRate
	audible := func(v int16) bool { return v != 0 && v != -1 } // a caller who sends nothing may arrive as either
	switch {
	case len(samples) == 0:
		return "it holds no audio", "FreeSWITCH's log says why mod_audio_stream sent none"
	case r.DigitalSilence || !slices.ContainsFunc(samples, audible):
		return "it holds only silence", "FreeSWITCH sent no audio of the caller: does the switch's log complain of media or codecs in this call?"
	case format.Channels == 2 && search(channel(format, pcm, 1), rate).there:
		return "it is in the right channel, which is FreeSWITCH's own", "the module swaps the channels of a stereo stream: set the plan's stream.mix to mono"
	case search(samples, 2*rate).there:
		return "it is there an octave too low", rates
	case search(samples, rate/2).there:
		return "it is there an octave too high", rates
	}
	hz, share := loudest(samples, rate)
	return fmt.Sprintf("its %.2f s are something else, most of all near %d Hz (%.0f %%)", format.Duration(int64(len(samples))).Seconds(), hz, 100*share),
		fmt.Sprintf("listen to it; the stream's mix is %s: mono is the caller alone", r.Mix)
}

func lossHint(r *callview.Record) string {
	return fmt.Sprintf("the call's record says alarms [%s], restarts %d, and more in gaps and missing_ms: is the network in order, or a machine overloaded?",
		strings.Join(r.Alarms, ", "), r.Restarts)
}

// lengthGrace is how far a recording's length may be from its stream's time, beyond
// the last buffer of the stream, which FreeSWITCH does not send (F57 of
// controller/switchsim/FACTS.md).
const lengthGrace = 300 * time.Millisecond

// length compares the recording's length with the stream's time, and says whether it
// is right as far as that can be told.
func (x *examination) length(r *callview.Record, got time.Duration) bool {
	const check, text = "recording length", "%.2f s, and the stream ran for %.2f s"
	connected, stop := r.Timeline.At("stream_connected"), last(r, "stop")
	if connected == nil || stop == nil {
		x.report(Unknown, check, "", "the record does not say when the stream ran")
		return true
	}
	var buffer time.Duration
	if plan := x.plan(r.Plan); plan != nil {
		buffer = plan.Stream.Buffer
	}
	want := time.Duration(*stop-*connected) * time.Millisecond
	if (got - want).Abs() > lengthGrace+buffer {
		x.report(Fail, check, lossHint(r), text, got.Seconds(), want.Seconds())
		return false
	}
	x.pass(check, text, got.Seconds(), want.Seconds())
	return true
}

// last is the last moment of that name, nil if there is none.
func last(r *callview.Record, name string) *int64 {
	for _, m := range slices.Backward(r.Timeline) {
		if m.Name == name {
			return &m.MS
		}
	}
	return nil
}

// channel is one channel's samples; 0 is the only one, or the left.
func channel(format wav.Format, pcm []byte, n int) []int16 {
	var samples []int16
	for frame := range slices.Chunk(pcm, format.FrameBytes()) {
		samples = append(samples, int16(binary.LittleEndian.Uint16(frame[2*n:])))
	}
	return samples
}
