package esl

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"golang.org/x/sys/unix"

	"tapdeck/controller/esl/internal/fio"
)

const acceptPause = 100 * time.Millisecond // after a failure

// The reasons for which a connection is not admitted.
const (
	refuseAddress     = "address"
	refuseConnections = "too many connections"
	refusePending     = "too many unanswered"
)

// Server accepts the connections that switches make for their calls.
type Server struct {
	cfg     atomic.Pointer[Config]
	log     *zap.Logger
	metrics *metrics
	spares  fio.Spares

	connections atomic.Int64
	pending     atomic.Int64
	turnedAway  atomic.Int64
	held        atomic.Int64
}

// NewServer returns a server whose counters are registered with reg.
func NewServer(cfg Config, log *zap.Logger, reg prometheus.Registerer) *Server {
	s := &Server{log: log, metrics: newMetrics(reg)}
	s.Update(cfg)
	return s
}

// Update sets the configuration of the connections that come from now on.
func (s *Server) Update(cfg Config) {
	cfg.headers = newHeaderList(cfg.Headers, s.log)
	s.cfg.Store(&cfg)
}

// Serve accepts connections on ln and calls handle for each that has answered
// connect, in a goroutine of its own. When handle returns its connection is
// closed, and all its goroutines have ended soon after.
//
// Closing ln, or its deadline, ends the accepting; Serve then waits for the handlers and returns
// nil. A connection that waits to be accepted at the deadline is still taken up: closing ln would
// strand its call (F8). The end of ctx closes ln and ends all connections with ctx's cause; the
// ctx of a handler ends with it, but not with its connection. Failures to
// accept (no file descriptor left) are waited out. Serve closes ln.
func (s *Server) Serve(ctx context.Context, ln net.Listener, handle func(ctx context.Context, c *Conn)) error {
	defer ln.Close()
	stop := context.AfterFunc(ctx, func() { ln.Close() })
	defer stop()
	var handlers, held sync.WaitGroup
	holding, letGo := context.WithCancel(context.WithoutCancel(ctx))
	defer held.Wait()
	defer letGo()
	defer s.spares.Close()
	defer handlers.Wait()
	keep := func(outer net.Conn) bool { return s.keep(holding, &held, outer) }
	for {
		outer, err := ln.Accept()
		switch {
		case err == nil:
			if reason := s.admit(outer); reason != "" {
				s.refuse(&handlers, outer, reason)
				continue
			}
			handlers.Go(func() { guarded(s.log, outer, func() { s.serve(ctx, outer, keep, handle) }) })
		case errors.Is(err, os.ErrDeadlineExceeded) && ctx.Err() == nil && extend(ln):
		case errors.Is(err, net.ErrClosed) || errors.Is(err, os.ErrDeadlineExceeded) || ctx.Err() != nil:
			ln.Close()
			return nil
		default:
			s.log.Warn("event socket cannot accept", zap.NamedError("err", err), hint(hintAccept), ratelog("accept"))
			time.Sleep(acceptPause)
		}
	}
}

// backlogTime is how long Serve goes on accepting if there is somebody to be accepted.
const backlogTime = 100 * time.Millisecond

// extend gives ln a new deadline if a connection waits there to be accepted.
func extend(ln net.Listener) bool {
	limited, ok := ln.(interface {
		syscall.Conn
		SetDeadline(time.Time) error
	})
	if !ok {
		return false
	}
	raw, err := limited.SyscallConn()
	if err != nil {
		return false
	}
	waits := 0
	err = raw.Control(func(fd uintptr) {
		waits, _ = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 0)
	})
	return err == nil && waits > 0 && limited.SetDeadline(time.Now().Add(backlogTime)) == nil
}

// guarded does something for a connection whose panic ends this connection only.
func guarded(log *zap.Logger, conn net.Conn, do func()) {
	defer func() {
		if p := recover(); p != nil {
			conn.Close()
			logPanic(log, conn, p)
		}
	}()
	do()
}

// logPanic is called in a deferred function, so that the stack is the panic's.
func logPanic(log *zap.Logger, conn net.Conn, p any) {
	log.Error("event socket panicked", zap.Stringer("peer", conn.RemoteAddr()), zap.Any("err", p), zap.Stack("stack"), hint(hintPanic))
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

// serve runs one connection from accept to end.
func (s *Server) serve(ctx context.Context, outer net.Conn, keep func(net.Conn) bool, handle func(context.Context, *Conn)) {
	free := sync.OnceFunc(func() {
		s.connections.Add(-1)
		s.metrics.connections.Dec()
	})
	defer free()
	answered := sync.OnceFunc(func() { s.pending.Add(-1) })
	defer answered()
	c := newConn(*s.cfg.Load(), s.log, s.metrics, outer)
	c.hold, c.free = keep, free
	if err := c.open(&s.spares); err != nil {
		s.log.Warn("event socket connections lost", zap.Stringer("peer", outer.RemoteAddr()), zap.NamedError("err", err), hint(hintLost), ratelog("no library"))
		turnAway(outer)
		return
	}
	defer c.Close()
	stop := context.AfterFunc(ctx, func() { c.link.End(context.Cause(ctx)) })
	defer stop()
	if err := c.connect(ctx); err != nil {
		if bad := new(FrameError); !errors.As(err, &bad) { // that is logged by Conn.done
			s.log.Warn("event socket peers did not answer connect", zap.Stringer("peer", c.RemoteAddr()), zap.NamedError("err", err), hint(hintUnanswered), ratelog("unanswered"))
		}
		return
	}
	answered()
	handle(ctx, c)
}

// keep holds the connection of a call that something else has now, until the call or Serve
// ends. There may be as many of these as there may be connections of calls.
func (s *Server) keep(ctx context.Context, held *sync.WaitGroup, outer net.Conn) bool {
	if s.held.Add(1) > int64(s.cfg.Load().MaxConnections) {
		s.held.Add(-1)
		return false
	}
	held.Go(func() {
		defer s.held.Add(-1)
		guarded(s.log, outer, func() { hold(ctx, outer) })
	})
	return true
}
