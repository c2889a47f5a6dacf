package callview

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
)

// Print writes the running calls and the ended ones, each the newest first. rows bounds
// the lines, for a terminal of that height; 0 is no bound.
func (p *Page) Print(w io.Writer, rows int) error {
	const headings = 7
	running, ended := slices.Clone(p.Running), p.Ended
	slices.Reverse(running)
	if rows > 0 {
		room := max(1, rows-headings)
		running = running[:min(len(running), room)]
		ended = ended[:min(len(ended), max(0, room-len(running)))]
	}
	fmt.Fprintf(w, "%s running\n", plural(len(p.Running), "call"))
	if len(running) > 0 {
		if err := printRunning(w, running); err != nil {
			return err
		}
	}
	if more := len(p.Running) - len(running); more > 0 {
		fmt.Fprintf(w, "… and %d more\n", more)
	}
	if len(ended) == 0 {
		return nil
	}
	fmt.Fprintln(w, "\nended last")
	return printEnded(w, ended)
}

func newTable(w io.Writer) *tabwriter.Writer { return tabwriter.NewWriter(w, 0, 0, 2, ' ', 0) }

// printRunning has a column for who speaks if any of the calls talks with a bot.
func printRunning(w io.Writer, calls []Running) error {
	talks := slices.ContainsFunc(calls, func(c Running) bool { return c.Speaks != "" })
	cell := func(text string) string {
		if talks {
			return text + "\t"
		}
		return ""
	}
	t := newTable(w)
	fmt.Fprintf(t, "CALL\tCALLER\tTO\tPLAN\tSTEP\tAGE\tAUDIO\t%sLEVEL\n", cell("SPEAKS"))
	for _, c := range calls {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s%s\n", c.Call, orDash(c.Caller), orDash(c.Destination), orDash(c.Plan),
			c.Step, seconds(c.AgeMS), seconds(c.AudioMS), cell(orDash(c.Speaks)), levelBar(c.LevelDBFS, c.Live))
	}
	return t.Flush()
}

func printEnded(w io.Writer, calls []Record) error {
	t := newTable(w)
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
			orDash(r.Destination), orDash(r.Plan), r.Result, took, seconds(r.AudioMS), level, orDash(r.WAV+inParentheses(r.Err)))
	}
	return t.Flush()
}

const (
	// barCells is how wide a level bar is.
	barCells = 20
	// barFloor is the level, in dB of full scale, of an empty one.
	barFloor = -60
)

// levelBar draws a level, in dB of full scale.
func levelBar(dbfs *float64, live bool) string {
	switch {
	case dbfs == nil && !live:
		return "no stream"
	case dbfs == nil:
		return "no audio yet"
	}
	full := math.Round((*dbfs - barFloor) / -barFloor * barCells)
	n := int(min(max(full, 0), barCells))
	state := ""
	if !live {
		state = ", no stream"
	}
	return fmt.Sprintf("%s%s %.0f dBFS%s", strings.Repeat("█", n), strings.Repeat("·", barCells-n), *dbfs, state)
}

// seconds writes milliseconds as 2.3s, and from a minute on as 1m1s.
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

// printable is text of a caller's choosing without control characters, which could do
// more on a terminal than be read.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, s)
}

func orDash(s string) string { return cmp.Or(printable(s), "-") }

// between is printable text after and before others, nothing if it is empty.
func between(before, s, after string) string {
	if s == "" {
		return ""
	}
	return before + printable(s) + after
}

func inParentheses(s string) string { return between(" (", s, ")") }
