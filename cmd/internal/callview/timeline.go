package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"tapdeck/sink"
)

// printCall writes one call: its timeline, or where it stands if it still runs.
func printCall(ctx context.Context, w io.Writer, client *adminClient, id string) error {
	now, record, err := client.call(ctx, id)
	switch {
	case err != nil:
		return fmt.Errorf("show call %s: %w", id, err)
	case now != nil:
		return printRunningCall(w, now)
	}
	return printRecord(w, record)
}

func printRunningCall(w io.Writer, c *runningCall) error {
	fmt.Fprintf(w, "call %s runs\n", c.Call)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range [][2]string{
		{"caller", c.Caller},
		{"destination", c.Destination},
		{"plan", c.Plan},
		{"peer", c.Peer},
		{"started", c.Started.Local().Format(time.DateTime) + ", " + seconds(c.AgeMS) + " ago"},
		{"step", c.Step + ", for " + seconds(c.StepMS)},
		{"stream", fmt.Sprintf("%s of audio, %s", seconds(c.AudioMS), plural(c.Connections, "connection"))},
		{"level", meter(c.LevelDBFS, c.Live)},
	} {
		fmt.Fprintf(t, "  %s\t%s\n", row[0], printable(row[1]))
	}
	return t.Flush()
}

func printRecord(w io.Writer, r *sink.Record) error {
	fmt.Fprintf(w, "call %s: %s%s\n", r.Call, r.Result, parenthesis(r.Err))
	if r.Started.IsZero() { // its record could not be kept
		return nil
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, m := range moments(r) {
		at := r.Started.Add(time.Duration(m.ms) * time.Millisecond).Local()
		fmt.Fprintf(t, "  %s\t+%.3f\t%s\n", at.Format("15:04:05.000"), float64(m.ms)/1000, m.what)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	return printSound(w, r)
}

// moment is one line of a call's timeline, in ms since the call started.
type moment struct {
	ms   int64
	what string
}

// moments are the timeline of a call in the order of time.
func moments(r *sink.Record) []moment {
	tl := r.Timeline
	list := []moment{{0, fmt.Sprintf("call started: %s to %s, plan %s", orDash(r.Caller), orDash(r.Destination), r.Plan)}}
	for _, m := range []struct {
		at   *int64
		what string
	}{
		{tl.Connect, "channel data"},
		{tl.Answer, "answered"},
		{tl.Tone, "tone"},
		{tl.StreamStart, "stream start"},
		{tl.StreamConnected, "stream connected"},
		{tl.FirstAudio, "first audio"},
		{tl.Prompt, "prompt"},
		{tl.Listen, "listen"},
		{tl.Stop, listened(r)},
		{tl.Hangup, hungUp(r)},
	} {
		if m.at != nil {
			list = append(list, moment{*m.at, m.what})
		}
	}
	if !r.Ended.IsZero() {
		list = append(list, moment{r.Ended.Sub(r.Started).Milliseconds(), "call ended: " + r.Result})
	}
	slices.SortStableFunc(list, func(a, b moment) int { return int(a.ms - b.ms) })
	return list
}

// hungUp says by whom the call was hung up, and with which cause.
func hungUp(r *sink.Record) string {
	words := "hung up"
	if r.HungUpBy != "" {
		words += " by " + r.HungUpBy
	}
	return words + parenthesis(r.HangupCause)
}

// listened says when the listening time was over, and what ended it.
func listened(r *sink.Record) string {
	if r.ListenEndedBy == "" {
		return "stop"
	}
	return "stop: listening was ended by " + r.ListenEndedBy
}

func printSound(w io.Writer, r *sink.Record) error {
	if r.WAV == "" {
		_, err := fmt.Fprintln(w, "  no recording")
		return err
	}
	notes := []string{
		fmt.Sprintf("%s of audio", seconds(r.AudioMS)), fmt.Sprintf("%d ms missing", r.MissingMS),
		fmt.Sprintf("level %.1f dBFS, peak %.1f", r.RMSDBFS, r.PeakDBFS), plural(r.Connections, "connection"),
	}
	for _, g := range r.Gaps {
		notes = append(notes, fmt.Sprintf("gap of %d ms at %.3f s", g.MS, float64(g.AtMS)/1000))
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
