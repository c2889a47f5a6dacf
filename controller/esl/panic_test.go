package esl

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/zap"

	"tapdeck/controller/esl/internal/frametest"
)

// panicListener hands out connections of which the first panics.
type panicListener struct {
	net.Listener
	accepted atomic.Int64
	first    panicConn
}

func (l *panicListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err == nil && l.accepted.Add(1) == 1 {
		bad := l.first
		bad.Conn = conn
		return &bad, nil
	}
	return conn, err
}

// panicConn panics when it is read from after so many reads, or when a command that begins with
// write is written.
type panicConn struct {
	net.Conn
	read  int
	write string
}

func (c *panicConn) Read(b []byte) (int, error) {
	if c.read--; c.read == 0 {
		panic("told to")
	}
	return c.Conn.Read(b)
}

func (c *panicConn) Write(b []byte) (int, error) {
	if c.write != "" && strings.HasPrefix(string(b), c.write) {
		panic("told to")
	}
	return c.Conn.Write(b)
}

// A panic in any goroutine of a connection ends that connection, with its stack in the log; the
// next one is served.
func TestPanicEndsOneConnection(t *testing.T) {
	for name, c := range map[string]struct {
		bad     panicConn
		handle  func(c *Conn)
		answers bool // the peer answers connect
		none    bool // no connection is admitted
	}{
		"before connect is answered": {panicConn{read: 1}, nil, false, false},
		"in a later frame":           {panicConn{read: 2}, nil, true, false},
		"in a command":               {panicConn{write: "linger"}, nil, true, false},
		"in connect":                 {panicConn{write: "connect"}, nil, false, false},
		"in the last commands":       {panicConn{write: "resume"}, func(c *Conn) { c.link.End(errors.New("enough")) }, true, false},
		"in the handler":             {panicConn{}, func(*Conn) { panic("told to") }, true, false},
		"turned away":                {panicConn{read: 1}, nil, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := testConfig()
			if c.none {
				cfg.MaxConnections = 0
			}
			ends := map[bool]chan error{true: make(chan error, 1), false: make(chan error, 1)} // of the bad one, and the other
			var bad atomic.Pointer[peer]
			srv := serveThrough(t, cfg, func(ln net.Listener) net.Listener { return &panicListener{Listener: ln, first: c.bad} }, func(ctx context.Context, conn *Conn) {
				isBad := conn.RemoteAddr().String() == bad.Load().LocalAddr().String()
				if isBad && c.handle != nil {
					c.handle(conn)
				}
				_, err := conn.Command(ctx, "linger 5")
				for range conn.Events() {
				}
				ends[isBad] <- errors.Join(err, conn.Err())
			})
			bad.Store(dialPeer(t, srv.addr))
			if c.answers {
				bad.Load().expect("connect")
				bad.Load().say(connectReply)
			}
			waitFor(t, func() bool { return srv.logs.FilterMessage("event socket panicked").Len() == 1 })
			line := srv.logs.FilterMessage("event socket panicked").FilterLevelExact(zap.ErrorLevel).All()[0].ContextMap()
			if stack, _ := line["stack"].(string); !strings.Contains(stack, "esl") || line["hint"] == "" || line["err"] != "told to" {
				t.Errorf("line %v", line)
			}
			if c.none {
				return
			}
			if c.answers && c.handle == nil {
				if err := <-ends[true]; !errors.Is(err, ErrPanic) {
					t.Errorf("ended by %v", err)
				}
			}
			if name == "in the last commands" {
				if said, err := bad.Load().command(); !errors.Is(err, io.EOF) {
					t.Errorf("the peer sees %q, %v, want the end", said, err)
				}
			}
			fine := dialPeer(t, srv.addr)
			fine.expect("connect")
			fine.say(connectReply)
			fine.expect("linger")
			fine.say(frametest.OKReply)
			fine.Close()
			if err := <-ends[false]; errors.Is(err, ErrPanic) {
				t.Errorf("the other connection ended by %v", err)
			}
		})
	}
}

// A panic while the channel is left closes the connection all the same.
func TestPanicInLeaveChannel(t *testing.T) {
	ours, theirs := net.Pipe()
	defer theirs.Close()
	c := newConn(testConfig(), zap.NewNop(), newMetrics(nil), &panicConn{Conn: ours, write: "resume"})
	c.state.known, c.state.leaving = true, leaveClean
	func() {
		defer func() {
			if recover() == nil {
				t.Error("no panic")
			}
		}()
		c.leaveChannel(ErrClosed, false)
	}()
	theirs.SetReadDeadline(time.Now().Add(patience))
	if _, err := theirs.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("the peer sees %v, want the end", err)
	}
}
