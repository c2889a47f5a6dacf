package callview

import (
	"fmt"
	"io"
	"strings"
	"time"

	"tapdeck/controller"
	"tapdeck/sink/store"
)

// Print writes how a running call stands.
func (r *Running) Print(w io.Writer) error {
	fmt.Fprintf(w, "call %s runs\n", r.Call)
	t := newTable(w)
	rows := [][2]string{
		{"caller", r.Caller},
		{"destination", r.Destination},
		{"plan", r.Plan},
		{"peer", r.Peer},
		{"started", r.Started.Local().Format(time.DateTime) + ", " + seconds(r.AgeMS) + " ago"},
		{"step", r.Step + ", for " + seconds(r.StepMS)},
		{"stream", fmt.Sprintf("%s of audio, %s", seconds(r.AudioMS), plural(r.Connections, "connection"))},
		{"level", levelBar(r.LevelDBFS, r.Live)},
	}
	if r.Speaks != "" {
		rows = append(rows, [2]string{"speaks", r.Speaks})
	}
	if a := r.Agent; a != nil {
		rows = append(rows, [2]string{"bot", strings.Join([]string{a.Format, plural(a.Connects, "connection"), plural(a.Utterances, "utterance"), plural(a.BargeIns, "barge-in")}, ", ")})
	}
	for _, row := range append(rows, r.Transcript.rows()...) {
		fmt.Fprintf(t, "  %s\t%s\n", row[0], printable(row[1]))
	}
	return t.Flush()
}

// PrintTimeline writes what happened in a call that has ended, and what was recorded.
func PrintTimeline(w io.Writer, r *Record) error {
	fmt.Fprintf(w, "call %s: %s%s\n", r.Call, r.Result, inParentheses(r.Err))
	if r.Hint != "" {
		fmt.Fprintf(w, "  hint: %s\n", printable(r.Hint))
	}
	if r.Started.IsZero() { // its record could not be kept
		return nil
	}
	t := newTable(w)
	for _, m := range moments(r) {
		at := r.Started.Add(time.Duration(m.MS) * time.Millisecond).Local()
		fmt.Fprintf(t, "  %s\t+%.3f\t%s\n", at.Format("15:04:05.000"), float64(m.MS)/1000, m.Name)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if r.Agent != nil {
		if err := printConversation(w, r.Agent); err != nil {
			return err
		}
	}
	if r.Transcript != nil {
		if err := printTranscript(w, r); err != nil {
			return err
		}
	}
	return printRecording(w, r)
}

// moments are the timeline of a call, from its start to its end, in words.
func moments(r *Record) store.Timeline {
	list := make(store.Timeline, 0, len(r.Timeline)+2)
	list.Add(fmt.Sprintf("call started: %s to %s, plan %s", orDash(r.Caller), orDash(r.Destination), orDash(r.Plan)), 0)
	listened := false // whether the last listening time, of which listen_ended_by is, lies before
	for i, m := range r.Timeline {
		words := inWords(r, m.Name)
		if m.Name == "stop" && listened {
			words += between(": listening was ended by ", r.ListenEndedBy, "")
		}
		listened = m.Name == "listen" && r.Timeline[i+1:].At("listen") == nil || listened && m.Name != "stop"
		list.Add(words, m.MS)
	}
	if !r.Ended.IsZero() {
		list.Add("call ended: "+r.Result, r.Ended.Sub(r.Started).Milliseconds())
	}
	return list.InOrder()
}

// inWords says what a moment of a call is; one that is not known here has its name.
func inWords(r *Record, name string) string {
	switch name {
	case "connect":
		return "channel data"
	case "answer":
		return "answered"
	case "stream_start", "stream_connected", "first_audio":
		return strings.ReplaceAll(name, "_", " ")
	case "hangup":
		return "hung up" + between(" by ", r.HungUpBy, "") + inParentheses(r.HangupCause)
	}
	return printable(name)
}

// unrecorded says why a call has no recording, if its error does not.
func unrecorded(r *Record) string {
	switch controller.Result(r.Result) {
	case controller.Completed, controller.CallerHangup, controller.SwitchHangup, controller.Transferred, controller.AgentFailed, controller.Aborted, controller.SwitchLost:
	default:
		return ""
	}
	switch {
	case r.Mix == "":
		return fmt.Sprintf(": plan %s has no step stream", orDash(r.Plan))
	case r.Timeline.At("stream") == nil && r.Timeline.At("stream_start") == nil:
		return ": the call ended before the stream began"
	case r.Connections == 0:
		return ": the call ended before the stream's socket came"
	}
	return ""
}

func printRecording(w io.Writer, r *Record) error {
	if r.WAV == "" {
		_, err := fmt.Fprintf(w, "  no recording%s\n", unrecorded(r))
		return err
	}
	notes := []string{
		fmt.Sprintf("%s of audio", seconds(r.AudioMS)), fmt.Sprintf("%d ms missing", r.MissingMS),
		fmt.Sprintf("level %.1f dBFS, peak %.1f", r.RMSDBFS, r.PeakDBFS), plural(r.Connections, "connection"),
	}
	for _, g := range r.Gaps {
		notes = append(notes, fmt.Sprintf("gap of %d ms at %.3f s", g.MS, float64(g.AtMS)/1000)+inParentheses(g.Reason))
	}
	for _, a := range r.Alarms {
		notes = append(notes, "alarm "+a)
	}
	if r.Recovered {
		notes = append(notes, "recovered after a crash")
	}
	_, err := fmt.Fprintf(w, "  %s\n  %s\n", r.WAV, strings.Join(notes, ", "))
	return err
}
