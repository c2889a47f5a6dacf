package esl

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
)

// Server accepts the connections that switches make for their calls.
type Server struct {
	cfg     atomic.Pointer[Config]
	log     *zap.Logger
	metrics *metrics

	// What is logged at most once a second.
	drops      *meter // frames and lines
	refusals   *meter // connections refused before they were read
	unanswered *meter // connections that did not become a call
	lost       *meter // connections without a library
	accepts    *meter // failed

	connections atomic.Int64
	pending     atomic.Int64
	leaving     atomic.Int64 // being turned away
}

// NewServer returns a server whose counters are registered with reg. It fails
// for a configuration that is not valid and for counters that reg has already.
func NewServer(cfg Config, log *zap.Logger, reg prometheus.Registerer) (*Server, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("check event socket configuration: %w", err)
	}
	m, err := newMetrics(reg)
	if err != nil {
		return nil, err
	}
	s := &Server{
		log: log, metrics: m,
		drops:      newDropMeter(log),
		refusals:   &meter{log: log, msg: "event socket connections refused"},
		unanswered: &meter{log: log, msg: "event socket peers did not answer connect"},
		lost:       &meter{log: log, msg: "event socket connections lost"},
		accepts:    &meter{log: log, msg: "event socket cannot accept"},
	}
	s.cfg.Store(&cfg)
	return s, nil
}

func newDropMeter(log *zap.Logger) *meter {
	return &meter{log: log, msg: "event socket frames dropped"}
}

// Update sets the configuration of the connections that come from now on. An
// invalid one changes nothing.
func (s *Server) Update(cfg Config) {
	if err := cfg.Validate(); err != nil {
		s.log.Error("event socket configuration kept", zap.NamedError("err", err), zap.String("hint", "what was in effect stays; correct the values that the error names"))
		return
	}
	s.cfg.Store(&cfg)
}

// Serve accepts connections on ln and calls handle for each that has answered
// connect, in a goroutine of its own. When handle returns its connection is
// closed, and all its goroutines have ended soon after.
//
// Closing ln ends the accepting; Serve then waits for the handlers and returns
// nil. The end of ctx closes ln and ends all connections with ctx's cause; the
// ctx of a handler ends with it, but not with its connection. Failures to
// accept (no file descriptor left) are waited out. Serve closes ln; its only
// error is that the loopback listener for the library can't be opened.
func (s *Server) Serve(ctx context.Context, ln net.Listener, handle func(ctx context.Context, c *Conn)) error {
	defer ln.Close()
	b, err := newBridge(ctx)
	if err != nil {
		return err
	}
	defer b.close()
	stop := context.AfterFunc(ctx, func() { ln.Close() })
	defer stop()
	var handlers sync.WaitGroup
	defer s.flush()
	defer handlers.Wait()
	for {
		outer, ok := s.accept(ctx, ln)
		if !ok {
			return nil
		}
		if reason := s.admit(outer); reason != "" {
			s.refuse(outer, reason)
			s.away(&handlers, outer, reason)
			continue
		}
		handlers.Go(func() { s.serve(ctx, b, outer, handle) })
	}
}

func (s *Server) flush() {
	for _, m := range []*meter{s.drops, s.refusals, s.unanswered, s.lost, s.accepts} {
		m.flush()
	}
}

// accept returns the next connection, or false when ln is closed.
func (s *Server) accept(ctx context.Context, ln net.Listener) (net.Conn, bool) {
	for wait := time.Duration(0); ; {
		conn, err := ln.Accept()
		if err == nil {
			return conn, true
		}
		if errors.Is(err, net.ErrClosed) || ctx.Err() != nil {
			return nil, false
		}
		s.accepts.add(zap.NamedError("err", err), hint(acceptHint(err)))
		wait = grow(wait)
		pause(ctx, wait)
	}
}

// admit counts a connection, or says why it is refused.
func (s *Server) admit(conn net.Conn) (reason string) {
	cfg := s.cfg.Load()
	switch addr, err := netip.ParseAddrPort(conn.RemoteAddr().String()); {
	case err != nil || !cfg.allows(addr.Addr()):
		return refuseAddress
	case s.connections.Load() >= int64(cfg.MaxConnections):
		return refuseConnections
	case s.pending.Load() >= int64(cfg.MaxPending):
		return refusePending
	}
	s.connections.Add(1)
	s.pending.Add(1)
	s.metrics.connections.Inc()
	return ""
}

func (s *Server) refuse(conn net.Conn, reason string) {
	s.metrics.refused.WithLabelValues(reason).Inc()
	s.refusals.add(zap.Stringer("peer", conn.RemoteAddr()), zap.String("cause", reason), hint(refusalHint(reason)))
}

// serve runs one connection from accept to end.
func (s *Server) serve(ctx context.Context, b *bridge, outer net.Conn, handle func(context.Context, *Conn)) {
	defer s.metrics.connections.Dec()
	defer s.connections.Add(-1)
	answered := sync.OnceFunc(func() { s.pending.Add(-1) })
	defer answered()
	c := newConn(*s.cfg.Load(), s.log, s.metrics, s.drops, outer)
	defer outer.Close()
	if err := c.start(b); err != nil {
		s.lost.add(zap.Stringer("peer", outer.RemoteAddr()), zap.NamedError("err", err), hint(hintLost))
		turnAway(outer)
		return
	}
	defer c.close()
	stop := context.AfterFunc(ctx, func() { c.end(context.Cause(ctx)) })
	defer stop()
	if err := c.connect(ctx); err != nil {
		s.reportUnanswered(c, err)
		return
	}
	answered()
	handle(ctx, c)
}

// reportUnanswered counts a connection that did not become a call. A frame that
// ended it was logged where it was read.
func (s *Server) reportUnanswered(c *Conn, err error) {
	var bad *FrameError
	if !errors.As(err, &bad) {
		s.unanswered.add(zap.Stringer("peer", c.RemoteAddr()), zap.NamedError("err", err), hint(hintUnanswered))
	}
}
