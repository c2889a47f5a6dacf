// Package callview is a call as others see it: the JSON of the daemon's pages /calls
// and /calls/UUID, the client that reads them, and the table and the timeline that a
// person reads.
//
// A running call is a [Running]; a call that has ended is its [Record], the one that
// lies beside its WAV. The package starts no goroutine and keeps no state of calls.
package callview

import (
	"slices"
	"strings"
	"time"

	"tapdeck/controller"
	"tapdeck/sink/store"
)

// Record is what is kept of a call that has ended.
type Record = store.Record

// MaxEnded is how many ended calls a daemon remembers.
const MaxEnded = controller.MaxEnded

// Page is what /calls answers.
type Page struct {
	// Running are the running calls, the oldest first.
	Running []Running `json:"running"`
	// Ended are the records of the calls that ended last, the latest first.
	Ended []Record `json:"ended"`
}

// Running is a running call. Its times are in milliseconds.
type Running struct {
	Call        string    `json:"call"`
	Caller      string    `json:"caller"`
	Destination string    `json:"destination"`
	Plan        string    `json:"plan"`
	Peer        string    `json:"peer"`
	Started     time.Time `json:"started"`
	AgeMS       int64     `json:"age_ms"`
	Step        string    `json:"step"`
	StepMS      int64     `json:"step_ms"`
	Live        bool      `json:"stream_live"`
	Connections int       `json:"connections"`
	AudioMS     int64     `json:"audio_ms"`
	LevelDBFS   *float64  `json:"level_dbfs"`
	// Speaks is who speaks in a conversation with a bot: "caller", "bot", "both" or "nobody"; empty if
	// the call has none.
	Speaks string `json:"speaks,omitempty"`
	// Agent is what is known of its conversation with a bot; nil if it has had none.
	Agent *Talk `json:"agent,omitempty"`
	// Transcript is what was said, nil if nothing is transcribed.
	Transcript *Words `json:"transcript,omitempty"`
}

// Talk is a running call's conversation with a bot: what a record will have, as far as it has come.
type Talk struct {
	Format     string `json:"format"`
	Connects   int    `json:"connects"`
	Reconnects int    `json:"reconnects"`
	// Utterances counts those that are over.
	Utterances int `json:"utterance_count"`
	BargeIns   int `json:"barge_ins"`
}

// Calls are a daemon's calls; the controller has them.
type Calls interface {
	// Calls returns the running calls, the oldest first.
	Calls() []controller.Status
	// Ended returns the calls that ended last, the latest first.
	Ended() []controller.Ended
}

// NewPage is the page of all running calls and the last ones that ended.
func NewPage(calls Calls, last int) Page {
	p := Page{Running: []Running{}, Ended: []Record{}}
	for _, s := range calls.Calls() {
		p.Running = append(p.Running, running(s))
	}
	ended := calls.Ended()
	for _, e := range ended[:min(last, len(ended))] {
		p.Ended = append(p.Ended, record(e))
	}
	return p
}

// Find returns the call with this ID: the latest Running, else the latest Record, else nil. A
// channel that came back to tapdeck has several. If there is none, the case of its letters
// does not matter.
func Find(calls Calls, id string) any {
	if found := find(calls, func(have string) bool { return have == id }); found != nil {
		return found
	}
	return find(calls, func(have string) bool { return strings.EqualFold(have, id) })
}

func find(calls Calls, is func(id string) bool) any {
	for _, s := range slices.Backward(calls.Calls()) {
		if is(s.Info.UUID) {
			return running(s)
		}
	}
	for _, e := range calls.Ended() {
		if is(e.Info.UUID) {
			return record(e)
		}
	}
	return nil
}

func running(s controller.Status) Running {
	r := Running{
		Call: s.Info.UUID, Caller: s.Info.Caller, Destination: s.Info.Destination, Plan: s.Info.Plan, Peer: s.Info.Peer,
		Started: s.Info.Started, AgeMS: time.Since(s.Info.Started).Milliseconds(), Step: s.Step, StepMS: time.Since(s.StepBegan).Milliseconds(),
		Transcript: words(s.Transcript),
	}
	if s.Stream != nil {
		r.Live, r.Connections, r.AudioMS = s.Stream.Live, s.Stream.Connections, s.Stream.Audio.Milliseconds()
		if s.Stream.Audio > 0 {
			r.LevelDBFS = &s.Stream.LevelDBFS
		}
	}
	if s.Speaks != nil {
		r.Speaks = speaks(*s.Speaks)
	}
	if a := s.Agent; a != nil {
		r.Agent = &Talk{Format: a.Format, Connects: a.Connects, Reconnects: a.Reconnects, Utterances: len(a.Utterances) + a.UtterancesDropped, BargeIns: a.BargeIns}
	}
	return r
}

// speaks is a word for who speaks.
func speaks(s controller.Speaks) string {
	switch {
	case s.Caller && s.Bot:
		return "both"
	case s.Caller:
		return "caller"
	case s.Bot:
		return "bot"
	}
	return "nobody"
}

// record is the kept record of a call, or what is known of a call whose record could
// not be kept.
func record(e controller.Ended) Record {
	if r, ok := e.Record.(Record); ok {
		return r
	}
	o := e.Outcome
	return Record{
		Call: e.Info.UUID, Caller: e.Info.Caller, Destination: e.Info.Destination, Plan: e.Info.Plan, Variables: e.Info.Variables,
		Result: string(o.Result), HangupCause: o.HangupCause, HungUpBy: o.HungUpBy,
		Started: e.Info.Started.UTC(), Ended: o.Ended.UTC(), Err: o.Err, Hint: o.Hint,
	}
}
