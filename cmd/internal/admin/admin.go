package main

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.uber.org/zap"
)

// Bounds of the admin server. Its readers get copies, so that a slow one holds
// nothing but its own connection.
const (
	adminConnections   = 128
	adminHeaderTimeout = 5 * time.Second
	adminReadTimeout   = 10 * time.Second
	adminWriteTimeout  = 30 * time.Second
	adminIdleTimeout   = time.Minute
	adminHeaderBytes   = 16 << 10
	adminBodyBytes     = 4 << 10
)

// serveAdmin serves metrics, health and the running calls until ctx is done.
func (d *daemon) serveAdmin(ctx context.Context, ln net.Listener) error {
	if ln == nil {
		return nil
	}
	errorLog, err := zap.NewStdLogAt(d.log, zap.WarnLevel)
	if err != nil {
		return fmt.Errorf("set up the admin server's log: %w", err)
	}
	server := &http.Server{
		Handler:           http.MaxBytesHandler(d.adminHandler(), adminBodyBytes),
		ReadHeaderTimeout: adminHeaderTimeout, ReadTimeout: adminReadTimeout,
		WriteTimeout: adminWriteTimeout, IdleTimeout: adminIdleTimeout, MaxHeaderBytes: adminHeaderBytes,
		ErrorLog: errorLog,
	}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err = server.Serve(&bounded{Listener: ln, places: make(chan struct{}, adminConnections)}); !errors.Is(err, http.ErrServerClosed) {
		d.log.Error("admin listener lost", zap.NamedError("err", err), zap.String("hint", "calls go on; metrics and health checks need a restart"))
		return fmt.Errorf("serve admin: %w", err)
	}
	return nil
}

// bounded is a listener with so many connections at most: one more is closed at
// once, for those that are there may last.
type bounded struct {
	net.Listener
	places chan struct{}
}

func (b *bounded) Accept() (net.Conn, error) {
	for {
		conn, err := b.Listener.Accept()
		if err != nil {
			return nil, err
		}
		select {
		case b.places <- struct{}{}:
			return &placed{Conn: conn, leave: sync.OnceFunc(func() { <-b.places })}, nil
		default:
			_ = conn.Close()
		}
	}
}

// placed is a connection that gives its place back when it is closed.
type placed struct {
	net.Conn
	leave func()
}

func (p *placed) Close() error {
	p.leave()
	return p.Conn.Close()
}

func (d *daemon) adminHandler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(d.registry, promhttp.HandlerOpts{
		Registry: d.registry, MaxRequestsInFlight: 8, EnableOpenMetrics: true,
	}))
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { say(w, http.StatusOK, "alive") })
	mux.HandleFunc("GET /readyz", d.readyz)
	mux.HandleFunc("GET /calls", d.serveCalls)
	mux.HandleFunc("GET /calls/{uuid}", d.serveCall)
	mux.Handle("GET /log/level", d.level)
	mux.HandleFunc("PUT /log/level", d.setLevel)
	if d.loaded.Load().Config.Admin.Pprof {
		mux.HandleFunc("/debug/pprof/", pprof.Index)
		mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	}
	return authorized(d.loaded.Load().Config.Admin.Token, mux)
}

// setLevel changes the level of the log until the next change or restart.
func (d *daemon) setLevel(w http.ResponseWriter, r *http.Request) {
	before := d.level.Level()
	d.level.ServeHTTP(w, r)
	if now := d.level.Level(); now != before {
		d.log.Log(max(now, zap.InfoLevel), "log level changed", zap.Stringer("from", before), zap.Stringer("to", now), zap.String("peer", r.RemoteAddr))
	}
}

// authorized asks for the token, if there is one, everywhere but at the health checks.
func authorized(token string, next http.Handler) http.Handler {
	if token == "" {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		given, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		health := r.URL.Path == "/livez" || r.URL.Path == "/readyz"
		if !health && (!bearer || subtle.ConstantTimeCompare([]byte(given), []byte(token)) != 1) {
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
