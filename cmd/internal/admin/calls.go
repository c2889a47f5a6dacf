package main

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"tapdeck/controller"
	"tapdeck/sink"
)

// callsPage is what /calls answers.
type callsPage struct {
	Running []runningCall `json:"running"`
	// Ended are the records of the calls that ended last, the latest first.
	Ended []sink.Record `json:"ended"`
}

// runningCall is a running call on the admin pages.
type runningCall struct {
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
}

func running(s controller.Status) runningCall {
	c := runningCall{
		Call: s.Info.UUID, Caller: s.Info.Caller, Destination: s.Info.Destination, Plan: s.Info.Plan, Peer: s.Info.Peer,
		Started: s.Info.Started, AgeMS: time.Since(s.Info.Started).Milliseconds(), Step: s.Step, StepMS: time.Since(s.StepBegan).Milliseconds(),
	}
	if s.Stream != nil {
		c.Live, c.Connections, c.AudioMS = s.Stream.Live, s.Stream.Connections, s.Stream.Audio.Milliseconds()
		if s.Stream.Audio > 0 {
			c.LevelDBFS = &s.Stream.LevelDBFS
		}
	}
	return c
}

// keptCalls is how many ended calls the controller remembers.
const keptCalls = 1000

// endedCall is an ended call on the admin pages: its record, or what is known
// of it where none could be kept.
func endedCall(e controller.Ended) sink.Record {
	if r, ok := e.Record.(sink.Record); ok {
		return r
	}
	o := e.Outcome
	return sink.Record{
		Call: e.Info.UUID, Caller: e.Info.Caller, Destination: e.Info.Destination, Plan: e.Info.Plan,
		Result: string(o.Result), HangupCause: o.HangupCause, HungUpBy: o.HungUpBy,
		Started: e.Info.Started.UTC(), Ended: o.Ended.UTC(), Err: o.Err,
	}
}

// serveCalls answers with every running call and the ended ones; ?ended=N asks
// for the latest N of these only.
func (d *daemon) serveCalls(w http.ResponseWriter, r *http.Request) {
	last := keptCalls
	if text := r.URL.Query().Get("ended"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			say(w, http.StatusBadRequest, "ended="+strconv.Quote(text)+": must be a number, 0 or more")
			return
		}
		last = n
	}
	page := callsPage{Running: []runningCall{}, Ended: []sink.Record{}}
	for _, s := range d.controller.Calls() {
		page.Running = append(page.Running, running(s))
	}
	ended := d.controller.Ended()
	for _, e := range ended[:min(last, len(ended))] {
		page.Ended = append(page.Ended, endedCall(e))
	}
	sayJSON(w, page)
}

func (d *daemon) serveCall(w http.ResponseWriter, r *http.Request) {
	id := strings.ToLower(r.PathValue("uuid"))
	for _, s := range d.controller.Calls() {
		if s.Info.UUID == id {
			sayJSON(w, running(s))
			return
		}
	}
	for _, e := range d.controller.Ended() {
		if e.Info.UUID == id {
			sayJSON(w, endedCall(e))
			return
		}
	}
	say(w, http.StatusNotFound, "no such call among the running ones and the latest 1,000 that ended")
}

func sayJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	_ = enc.Encode(v)
}
