package main

import (
	"fmt"
	"io"
	"math"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"tapdeck/sink"
)

// printCalls writes the running calls and the ended ones, each the latest first.
// rows bounds the lines, for a terminal of that height; 0 is no bound.
func printCalls(w io.Writer, page *callsPage, rows int) error {
	const headings = 7
	shown, over := page.Running, page.Ended
	if rows > 0 {
		room := max(1, rows-headings)
		shown = shown[:min(len(shown), room)]
		over = over[:min(len(over), max(0, room-len(shown)))]
	}
	fmt.Fprintf(w, "%s running\n", plural(len(page.Running), "call"))
	if err := printRunning(w, shown); err != nil {
		return err
	}
	if more := len(page.Running) - len(shown); more > 0 {
		fmt.Fprintf(w, "… and %d more\n", more)
	}
	if len(over) == 0 {
		return nil
	}
	fmt.Fprintln(w, "\nended last")
	return printEnded(w, over)
}

func printRunning(w io.Writer, calls []runningCall) error {
	if len(calls) == 0 {
		return nil
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "CALL\tCALLER\tTO\tPLAN\tSTEP\tAGE\tAUDIO\tLEVEL")
	for _, c := range calls {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", c.Call, orDash(c.Caller), orDash(c.Destination), orDash(c.Plan),
			c.Step, seconds(c.AgeMS), seconds(c.AudioMS), meter(c.LevelDBFS, c.Live))
	}
	return t.Flush()
}

func printEnded(w io.Writer, calls []sink.Record) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "ENDED\tCALL\tCALLER\tTO\tPLAN\tRESULT\tTOOK\tAUDIO\tLEVEL\tFILE")
	for _, r := range calls {
		took, level := "-", "-"
		if !r.Started.IsZero() {
			took = seconds(r.Ended.Sub(r.Started).Milliseconds())
		}
		if r.AudioMS > 0 {
			level = fmt.Sprintf("%.0f dBFS", r.RMSDBFS)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", r.Ended.Local().Format("15:04:05"), r.Call, orDash(r.Caller),
			orDash(r.Destination), orDash(r.Plan), r.Result, took, seconds(r.AudioMS), level, orDash(r.WAV+parenthesis(r.Err)))
	}
	return t.Flush()
}

// meterCells is how wide a level meter is; meterFloor is the level, in dB of
// full scale, of an empty one.
const (
	meterCells = 20
	meterFloor = -60
)

// meter draws a level, in dB of full scale.
func meter(dbfs *float64, live bool) string {
	switch {
	case dbfs == nil && !live:
		return "no stream"
	case dbfs == nil:
		return "no audio yet"
	}
	full := math.Round((*dbfs - meterFloor) / -meterFloor * meterCells)
	n := int(min(max(full, 0), meterCells))
	state := ""
	if !live {
		state = ", no stream"
	}
	return fmt.Sprintf("%s%s %.0f dBFS%s", strings.Repeat("█", n), strings.Repeat("·", meterCells-n), *dbfs, state)
}

func seconds(ms int64) string {
	if ms >= time.Minute.Milliseconds() {
		return (time.Duration(ms) * time.Millisecond).Round(time.Second).String()
	}
	return fmt.Sprintf("%.1fs", float64(ms)/1000)
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return printable(s)
}

// printable is text of a caller's choosing, made fit for a terminal: without
// control characters, which could do more there than be read.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, s)
}

func parenthesis(s string) string {
	if s == "" {
		return ""
	}
	return " (" + printable(s) + ")"
}
