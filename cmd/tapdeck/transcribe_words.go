package main

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"tapdeck/controller/transcript"
	"tapdeck/sink/store"
)

// words writes what was said.
type words struct {
	w       io.Writer
	output  string // text, vtt or json
	several bool   // files: each line says of which it is

	// Of vtt, whose cues must be in the order of time.
	kept        []store.Segment
	bytes, most int // of these, and how many there may be
	dropped     int
}

// maxWords bounds the words that wait to be written, in bytes: no file of 4 GiB has as many.
const maxWords = 64 << 20

// say writes a segment, or keeps it.
func (o *words) say(path string, segment transcript.Segment) error {
	s := store.Segment{
		Channel: segment.Channel, FromMS: segment.From.Milliseconds(), ToMS: segment.To.Milliseconds(), Text: segment.Text, Confidence: segment.Confidence,
	}
	switch o.output {
	case "vtt":
		o.keep(s)
		return nil
	case "json":
		return json.NewEncoder(o.w).Encode(struct {
			File string `json:"file"`
			store.Segment
		}{path, s})
	}
	of := ""
	if o.several {
		of = visible(path) + ": "
	}
	_, err := fmt.Fprintf(o.w, "%s%.3f-%.3f %s: %s\n", of, float64(s.FromMS)/1000, float64(s.ToMS)/1000, s.Channel, visible(s.Text))
	return err
}

func (o *words) keep(s store.Segment) {
	const segment = 100 // bytes of one beside its text
	if o.bytes += len(s.Text) + segment; o.bytes > o.most {
		o.dropped++
		return
	}
	o.kept = append(o.kept, s)
}

// end writes what was kept of a file. The error says, too, what could not be.
func (o *words) end() error {
	if o.output != "vtt" {
		return nil
	}
	if _, err := o.w.Write(store.VTT(o.kept)); err != nil {
		return err
	}
	if o.dropped > 0 {
		return fmt.Errorf("%d segments are missing above: there are more than %d MiB of words; --output json writes them as they come", o.dropped, o.most>>20)
	}
	return nil
}

// notes are lines for a person beside the words.
type notes struct {
	w     io.Writer
	shown bool // a line of progress, which the next one replaces
}

func (n *notes) print(line string) {
	n.clear()
	fmt.Fprintln(n.w, line)
}

// progress shows on a terminal how far a file was read.
func (n *notes) progress(path string, read, length time.Duration) {
	n.shown = true
	fmt.Fprintf(n.w, "\r\x1b[K%s: %s of %s", path, read.Round(time.Second), length.Round(time.Second))
}

// clear removes a line of progress.
func (n *notes) clear() {
	if n.shown {
		fmt.Fprint(n.w, "\r\x1b[K")
		n.shown = false
	}
}
