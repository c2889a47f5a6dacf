package main

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/pprof"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"tapdeck/controller"
)

// serveAdmin serves metrics, health and the running calls until ctx is done.
func (d *daemon) serveAdmin(ctx context.Context, ln net.Listener) error {
	if ln == nil {
		return nil
	}
	server := &http.Server{
		Handler: d.adminHandler(), ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10,
	}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func (d *daemon) adminHandler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(d.registry, promhttp.HandlerOpts{Registry: d.registry}))
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { say(w, http.StatusOK, "alive") })
	mux.HandleFunc("GET /readyz", d.readyz)
	mux.HandleFunc("GET /calls", d.serveCalls)
	mux.HandleFunc("GET /calls/{uuid}", d.serveCall)
	mux.Handle("/log/level", d.level)
	if d.loaded.Load().Config.Admin.Pprof {
		mux.HandleFunc("/debug/pprof/", pprof.Index)
		mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	}
	return authorized(d.loaded.Load().Config.Admin.Token, mux)
}

// authorized asks for the token, if there is one, everywhere but at the health checks.
func authorized(token string, next http.Handler) http.Handler {
	if token == "" {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		given, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		health := r.URL.Path == "/livez" || r.URL.Path == "/readyz"
		if !health && subtle.ConstantTimeCompare([]byte(given), []byte(token)) != 1 {
			w.Header().Set("WWW-Authenticate", "Bearer")
			say(w, http.StatusUnauthorized, "admin.token is needed: Authorization: Bearer TOKEN")
			return
		}
		next.ServeHTTP(w, r)
	})
}

func say(w http.ResponseWriter, code int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(code)
	_, _ = w.Write([]byte(text + "\n"))
}

// readyz is 200 where a call would be taken, 429 at max_calls, 503 while draining or not yet ready.
func (d *daemon) readyz(w http.ResponseWriter, _ *http.Request) {
	switch {
	case d.controller.Draining():
		say(w, http.StatusServiceUnavailable, "draining")
	case !d.ready.Load():
		say(w, http.StatusServiceUnavailable, "not ready")
	case d.controller.Full():
		say(w, http.StatusTooManyRequests, "full: max_calls are running")
	default:
		say(w, http.StatusOK, "ready")
	}
}

// callsPage is what /calls answers.
type callsPage struct {
	Running []runningCall `json:"running"`
	Ended   []any         `json:"ended"`
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

// endedCall is an ended call on the admin pages: its record where there is one.
func endedCall(e controller.Ended) any {
	if e.Record != nil {
		return e.Record
	}
	return map[string]any{"call": e.Info.UUID, "result": e.Outcome.Result, "err": e.Outcome.Err, "ended": e.Outcome.Ended}
}

func (d *daemon) serveCalls(w http.ResponseWriter, _ *http.Request) {
	page := callsPage{Running: []runningCall{}, Ended: []any{}}
	for _, s := range d.controller.Calls() {
		page.Running = append(page.Running, running(s))
	}
	for _, e := range d.controller.Ended() {
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
