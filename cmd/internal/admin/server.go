// Package admin is the daemon's HTTP side: metrics, health, the calls and their events, and
// the level of the log.
//
// A [Server] knows the daemon only by its fields. Its Serve starts one
// goroutine a connection, by net/http, waits for their end, and bounds connections, requests and
// times: the pages are made of copies, so that a slow reader holds nothing but its own connection,
// and a bounded queue of events.
// It changes nothing of a call, but that a bot may have its own hung up.
package admin

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"tapdeck/cmd/internal/callview"
	"tapdeck/cmd/internal/events"
)

// Bounds of the server.
const (
	maxConnections    = 128
	maxHeaderBytes    = 16 << 10
	maxBodyBytes      = 4 << 10
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 10 * time.Second
	writeTimeout      = 30 * time.Second
	idleTimeout       = time.Minute
	// closeTimeout bounds the wait for answers that were cut: one may hang on a file.
	closeTimeout = 5 * time.Second
)

// Readiness says whether a daemon accepts calls. Its text is what /readyz answers.
type Readiness string

// The answers of /readyz.
const (
	Ready     Readiness = "ready"
	NotReady  Readiness = "not ready"
	Draining  Readiness = "draining"
	Full      Readiness = "full: esl.max_calls are running"
	NoStreams Readiness = "full: sink.max_streams are recorded"
	DiskHangs Readiness = "the disk of sink.directory hangs"
	DiskLow   Readiness = "less than sink.min_free is free on the disk of sink.directory"
)

// Server answers at the admin listener. All but Token and Pprof must be set before Serve.
type Server struct {
	// Token must come with every request but those for health, if it is not empty.
	Token string
	// Pprof switches /debug/pprof on.
	Pprof bool
	// Calls are the daemon's calls.
	Calls callview.Calls
	// Readiness is asked at every /readyz.
	Readiness func() Readiness
	// Level of the log, which can be changed.
	Level zap.AtomicLevel
	// Twilio, if not nil, has bots hang up as they do at Twilio.
	Twilio *Twilio
	// Events, if not nil, are the events of calls.
	Events *events.Bus
	// Schemas are JSON schemas by their names, such as pcm, served to everybody.
	Schemas map[string][]byte
	// Registry holds the metrics.
	Registry *prometheus.Registry
	// Log is where changes of the level and failures go.
	Log *zap.Logger
}

// Serve answers on ln until ctx is done, and then cuts what is still being answered, the streams of
// events included. It closes ln. The error is that ln failed.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	errorLog, err := zap.NewStdLogAt(s.Log, zap.WarnLevel)
	if err != nil {
		return fmt.Errorf("set up the admin server's log: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	conns := &connections{}
	server := &http.Server{
		Handler:           http.MaxBytesHandler(s.handler(), maxBodyBytes),
		ReadHeaderTimeout: readHeaderTimeout, ReadTimeout: readTimeout,
		WriteTimeout: writeTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes,
		ConnState:   conns.changed,
		BaseContext: func(net.Listener) context.Context { return ctx },
		ErrorLog:    errorLog,
	}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	err = server.Serve(ln)
	cancel()
	_ = server.Close() // also of one that came at that moment
	conns.wait(closeTimeout)
	if !errors.Is(err, http.ErrServerClosed) {
		s.Log.Error("admin listener lost", zap.NamedError("err", err), zap.String("hint", "calls go on; metrics and health checks need a restart"))
		return fmt.Errorf("serve admin: %w", err)
	}
	return nil
}

// connections bounds those of the listener: beyond maxConnections, the one that has been idle for longest makes
// room, or the new one goes if all are busy.
type connections struct {
	mu   sync.Mutex // protects the following
	open int
	idle []net.Conn    // the longest first
	none chan struct{} // closed once none is open; nil if nobody asks
}

// changed is the server's ConnState.
func (c *connections) changed(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.idle = slices.DeleteFunc(c.idle, func(i net.Conn) bool { return i == conn })
	switch state {
	case http.StateNew:
		c.idle = append(c.idle, conn)
		if c.open++; c.open > maxConnections {
			_ = c.idle[0].Close()
			c.idle = slices.Delete(c.idle, 0, 1)
		}
	case http.StateIdle:
		c.idle = append(c.idle, conn)
	case http.StateClosed, http.StateHijacked:
		if c.open--; c.open == 0 && c.none != nil {
			close(c.none)
		}
	}
}

// wait waits until all connections have ended, for timeout at most. No more may begin.
func (c *connections) wait(timeout time.Duration) {
	c.mu.Lock()
	if c.open == 0 {
		c.mu.Unlock()
		return
	}
	c.none = make(chan struct{})
	c.mu.Unlock()
	limit := time.NewTimer(timeout)
	defer limit.Stop()
	select {
	case <-c.none:
	case <-limit.C:
	}
}
