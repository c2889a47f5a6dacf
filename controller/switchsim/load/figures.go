package load

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"tapdeck/controller/switchsim"
)

// Figures are what many calls came to. Times are in milliseconds.
type Figures struct {
	Calls int            `json:"calls"`
	Good  int            `json:"good"`
	Ended map[string]int `json:"ended"`
	// Wrong says what was wrong, and how often.
	Wrong    map[string]int `json:"wrong"`
	Verified int            `json:"verified"`
	// NoStream counts the good calls for which the controller asked for no stream: that was
	// their plan, and nothing of them can be compared.
	NoStream int     `json:"no_stream"`
	Commands float64 `json:"commands_per_call"`
	Events   int64   `json:"events_per_call"`
	Bytes    int64   `json:"event_bytes_per_call"`
	// Talks are conversations with bots, as the records have them; nil if there were none.
	Talks *Talks         `json:"talks,omitempty"`
	Times []Distribution `json:"times_ms"`
}

// Distribution is how long something took, in milliseconds.
type Distribution struct {
	Name string  `json:"name"`
	N    int     `json:"n"`
	P50  float64 `json:"p50"`
	P90  float64 `json:"p90"`
	P99  float64 `json:"p99"`
	Max  float64 `json:"max"`
}

// Gather sums up the reports of so many calls; the times are of the good ones, as far as they
// came. verify, if it is not nil, compares a call's recording with what was said into it.
func Gather(reports []switchsim.Report, calls int, verify func(switchsim.Report) error) Figures {
	f := Figures{Calls: calls, Ended: map[string]int{}, Wrong: map[string]int{}}
	if missing := calls - len(reports); missing > 0 {
		f.Wrong["not placed"] = missing
	}
	var good []switchsim.Report
	var setup, turns, answer, stream, whole []time.Duration
	commands := 0
	for _, r := range reports {
		f.Ended[strings.TrimSpace(r.HungUpBy+" "+r.HangupCause)]++
		f.Events += r.EventsSent
		f.Bytes += r.BytesSent
		commands += len(r.Commands)
		if wrong := f.problem(r, verify); wrong != "" {
			f.Wrong[wrong]++
			continue
		}
		f.Good++
		good = append(good, r)
		setup = append(setup, r.FirstCommand.Sub(r.Connected))
		turns = append(turns, commandTime(r))
		if r.Answered {
			answer = append(answer, r.AnsweredAt.Sub(r.Connected))
		}
		if len(r.Streams) > 0 {
			stream = append(stream, r.Streams[0].Connected.Sub(r.Streams[0].Started))
		}
		whole = append(whole, r.SocketClosed.Sub(r.Began))
	}
	if n := int64(len(reports)); n > 0 {
		f.Events, f.Bytes = f.Events/n, f.Bytes/n
		f.Commands = float64(commands) / float64(n)
	}
	f.Times = []Distribution{
		Distribute("accept to first command", setup), Distribute("command to command", turns), Distribute("accept to answer", answer),
		Distribute("start to stream connected", stream), Distribute("whole call", whole),
	}
	f.Times = append(f.Times, talkTimes(good)...)
	return f
}

// commandTime is how long the controller took on average from one command to the next,
// up to answer: it waits for nothing but replies there (and for an API's answer, if the
// stream is stereo or mixed).
func commandTime(r switchsim.Report) time.Duration {
	last := slices.Index(r.Commands, "execute answer")
	if last < 1 {
		return 0
	}
	return r.CommandedAt[last].Sub(r.CommandedAt[0]) / time.Duration(last)
}

// problem is what was wrong with a call, or "". What a plan may leave out is not: the answer, if
// the call is hung up or transferred instead, and the stream.
func (f *Figures) problem(r switchsim.Report, verify func(switchsim.Report) error) string {
	streams := r.Asked("uuid_audio_stream")
	switch {
	case r.Controller == "":
		return "no controller answered"
	case !r.Answered && r.HungUpBy != "controller" && !r.Asked("uuid_transfer"):
		return "not answered"
	case streams && (len(r.Streams) == 0 || r.Streams[0].Connected.IsZero()):
		return "no stream"
	case streams && r.Streams[0].Samples == 0:
		return "no audio"
	}
	if verify != nil {
		if err := verify(r); err != nil {
			return "recording: " + err.Error()
		}
	}
	switch {
	case !streams:
		f.NoStream++
	case verify != nil:
		f.Verified++
	}
	return ""
}

// Distribute sums up how long something took each time, which it sorts.
func Distribute(name string, took []time.Duration) Distribution {
	d := Distribution{Name: name, N: len(took)}
	if len(took) == 0 {
		return d
	}
	slices.Sort(took)
	at := func(q float64) float64 {
		return took[int(q*float64(len(took)-1)+0.5)].Seconds() * 1000
	}
	d.P50, d.P90, d.P99, d.Max = at(.5), at(.9), at(.99), at(1)
	return d
}

// Print writes the figures for a person.
func (f Figures) Print(w io.Writer) error {
	fmt.Fprintf(w, "%d of %d calls went as they should have; %d recordings compared and equal\n", f.Good, f.Calls, f.Verified)
	if f.NoStream > 0 {
		fmt.Fprintf(w, "%d calls had no stream: nothing of them was recorded, or can be compared\n", f.NoStream)
	}
	fmt.Fprintf(w, "commands of the controller: %.1f a call; events to it: %d, %d bytes\n", f.Commands, f.Events, f.Bytes)
	printCounts(w, "hung up by", f.Ended)
	printCounts(w, "wrong", f.Wrong)
	if t := f.Talks; t != nil {
		fmt.Fprintf(w, "conversations: %d; barge-ins: %d; reconnects: %d; dropped: %d ms; refused: %d ms\n", t.Calls, t.BargeIns, t.Reconnects, t.DroppedMS, t.RefusedMS)
	}
	return PrintTimes(w, f.Times)
}

// PrintTimes writes distributions for a person.
func PrintTimes(w io.Writer, times []Distribution) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "ms\tp50\tp90\tp99\tmax\t")
	for _, d := range times {
		fmt.Fprintf(t, "%s\t%.1f\t%.1f\t%.1f\t%.1f\t\n", d.Name, d.P50, d.P90, d.P99, d.Max)
	}
	return t.Flush()
}

func printCounts(w io.Writer, title string, counts map[string]int) {
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		fmt.Fprintf(w, "%s: %s: %d\n", title, name, counts[name])
	}
}
