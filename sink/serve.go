package sink

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"tapdeck/sink/store"
)

const (
	// headerTimeout bounds the time to a request's last header. The module gives up
	// after 1 s (F39); on an overloaded machine the sink must not do so before.
	headerTimeout   = 5 * time.Second
	responseTimeout = 2 * time.Second
	maxHeaderBytes  = 16 << 10
	// maxPending bounds the connections that have not become a stream; the oldest is
	// closed to make room. It is more than all calls that one process can hold, should
	// they connect at once.
	maxPending = 4096
)

// Serve accepts streams from ln until ctx is done. Then it refuses new ones, closes
// those that are live with status 1001, and publishes every recording that remains.
// It returns when all its goroutines have ended; the error is nil unless ln failed. A
// disk that hangs holds up its end for PublishTimeout, and once more for who measures
// its free space; the goroutines that wait on that disk are abandoned then.
// Finish and Save of a recording work afterwards as well. Serve is called once.
func (s *Sink) Serve(ctx context.Context, ln net.Listener) error {
	conns := &connections{sink: s}
	srv := conns.server()
	defer s.background()()
	end := sync.OnceFunc(func() {
		for _, r := range s.close() {
			r.update(func(*State) { r.closed = true })
			if live := r.liveHandle(); live != nil {
				live.ask(EndShutdown)
			}
		}
		_ = srv.Close()
	})
	defer context.AfterFunc(ctx, end)()
	failed := srv.Serve(&listener{ln, s.cfg.Load().TLS, s.notePlainText})
	end() // or wait for it
	_ = withTimeout(s.cfg.Load().PublishTimeout, s.log, func() error { conns.all.Wait(); return nil })
	over, cancel := context.WithCancel(context.Background())
	cancel()
	var all sync.WaitGroup
	for _, r := range s.close() { // side by side: a disk that hangs holds up one
		all.Go(func() { _ = guarded(r.log, func() error { return r.Finish(over) }) })
	}
	all.Wait()
	if !errors.Is(failed, http.ErrServerClosed) {
		return fmt.Errorf("accept streams: %w", failed)
	}
	return nil
}

// background starts what goes on beside the streams. stop ends it, and abandons what hangs.
func (s *Sink) background() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	all.Go(func() { s.space.watch(ctx) })
	all.Go(func() { s.showAlive(ctx) })
	return func() {
		cancel()
		_ = withTimeout(s.cfg.Load().PublishTimeout, s.log, func() error { all.Wait(); return nil })
	}
}

// showAlive shows other processes that this one's files are in use, if locks don't.
func (s *Sink) showAlive(ctx context.Context) {
	tick := time.NewTicker(store.TouchInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			_ = withTimeout(s.cfg.Load().PublishTimeout, s.log, func() error { s.store.Touch(); return nil })
		}
	}
}

func (s *Sink) notePlainText(peer net.Addr) {
	s.metrics.refused.WithLabelValues(string(plainText)).Inc()
	hint := refusals[plainText].hint
	if strings.HasPrefix(s.cfg.Load().Advertise, "ws://") {
		hint = "sink.advertise says ws://, but sink.tls is set: advertise wss://"
	}
	s.log.Warn("plain text on the TLS port", rateLimited(string(plainText)), zap.String("peer", peer.String()),
		zap.String("cause", string(plainText)), zap.String("hint", hint))
}

// errorLog is given the lines of net/http, which peers can cause.
type errorLog struct{ log *zap.Logger }

func (e errorLog) Write(line []byte) (int, error) {
	e.log.Warn("connection failed", rateLimited("http"), zap.ByteString("err", bytes.TrimRight(line, "\n")),
		zap.String("hint", "a peer's request or TLS handshake broke off: is it the switch, and does its URL say ws:// or wss:// as sink.advertise does?"))
	return len(line), nil
}

// connections are the server's: it counts them until their goroutines end, and bounds those
// that have not been upgraded. Its HTTP side is in admit.go.
type connections struct {
	sink *Sink
	all  sync.WaitGroup

	mu      sync.Mutex // protects the following
	pending []net.Conn // the oldest first
}

func (c *connections) server() *http.Server {
	srv := &http.Server{
		Handler:           c,
		ReadHeaderTimeout: headerTimeout,
		WriteTimeout:      responseTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ConnContext: func(ctx context.Context, nc net.Conn) context.Context {
			return context.WithValue(ctx, connKey{}, rawConn(nc))
		},
		ConnState:    c.changed,
		ErrorLog:     log.New(errorLog{c.sink.log}, "", 0),
		TLSNextProto: map[string]func(*http.Server, *tls.Conn, http.Handler){},
	}
	srv.SetKeepAlivesEnabled(false)
	return srv
}

// changed is the server's ConnState.
func (c *connections) changed(nc net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch state {
	case http.StateNew:
		c.all.Add(1)
		c.pending = append(c.pending, nc)
		if len(c.pending) > c.sink.maxPending {
			_ = rawConn(c.pending[0]).Close()
			c.pending = slices.Delete(c.pending, 0, 1)
		}
	case http.StateHijacked, http.StateClosed:
		c.pending = slices.DeleteFunc(c.pending, func(p net.Conn) bool { return p == nc })
		if state == http.StateClosed { // else ServeHTTP counts it
			c.all.Done()
		}
	}
}
