package recogniser

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Format is a wire.
type Format string

// The wires: Deepgram's live service, and the Vosk server.
const (
	Deepgram Format = "deepgram"
	Vosk     Format = "vosk"
)

// Server is a recogniser. The exported fields are set before it serves; the zero value speaks deepgram and
// lets everybody in.
type Server struct {
	Format Format
	// Key, if any, must come in the header Authorization, or the handshake is refused with 401: as
	// "Token KEY" on deepgram, alone or behind a scheme on vosk, as a proxy before it would want it.
	Key string
	// Silence ends an utterance; 0 is 300 ms. A client of deepgram may ask for another (endpointing).
	Silence time.Duration
	// Interim is how much audio lies between two interim results of deepgram; 0 is 1 s.
	Interim time.Duration
	// Final is the audio after which there is a final result without an utterance having ended, on vosk
	// in silence only; 0 is 5 s.
	Final time.Duration
	// Idle is the time without audio or KeepAlive after which deepgram closes; 0 is 10 s.
	Idle time.Duration
	// Deaf: what is heard is a word of 300 ms in every two seconds, whatever is said.
	Deaf bool
	// Count keeps only numbers of what comes, and no connection that has ended: for load.
	Count bool

	serving sync.WaitGroup

	mu          sync.Mutex
	ended       bool
	faults      map[int]Fault
	connections []*Connection // all, or with Count those that are open
	accepted    int           // handshakes
	returned    int           // connections before this one are not what Next waits for
	changed     chan struct{} // closed at the next change of connections; nil if nobody waits
}

// Start serves on a free port of 127.0.0.1 until stop is called, which returns when all goroutines have
// ended. It panics if this machine has no such port, as net/http/httptest does.
func (s *Server) Start() (url string, stop func()) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic("recogniser: listen on a loopback port: " + err.Error())
	}
	ctx, cancel := context.WithCancel(context.Background())
	var serving sync.WaitGroup
	serving.Go(func() { _ = s.Serve(ctx, ln) })
	return "ws://" + ln.Addr().String(), func() {
		cancel()
		serving.Wait()
	}
}

// Serve answers on a listener until ctx ends, which is no error and ends all connections without a word, and
// closes it. It returns when all goroutines have ended. A Server serves once.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	server := &http.Server{
		Handler: http.HandlerFunc(s.serve), ReadHeaderTimeout: time.Minute,
		BaseContext: func(net.Listener) context.Context { return ctx },
		ConnContext: func(ctx context.Context, c net.Conn) context.Context { return context.WithValue(ctx, socketKey{}, c) },
	}
	server.SetKeepAlivesEnabled(false) // each attempt is a connection of its own
	s.serving.Go(func() {
		<-ctx.Done()
		_ = server.Close()
	})
	err := server.Serve(ln)
	cancel()
	s.mu.Lock()
	s.ended = true
	s.mu.Unlock()
	s.serving.Wait()
	if !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}

// socketKey is the socket in a request's context.
type socketKey struct{}

// SetFault says how connection n misbehaves, counted from 1 in the order of handshakes; 0 is for all that
// have none of their own. It holds at once, for a connection that is open, too.
func (s *Server) SetFault(n int, f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.faults == nil {
		s.faults = map[int]Fault{}
	}
	s.faults[n] = f
	for _, c := range s.connections {
		c.setFault(s.faultOf(c.Number))
	}
}

// faultOf must be called with the mutex held.
func (s *Server) faultOf(n int) Fault {
	if f, own := s.faults[n]; own {
		return f
	}
	return s.faults[0]
}

// Accepted is how many handshakes have come.
func (s *Server) Accepted() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.accepted
}

// Connections are all that have come, also those whose handshake was refused, in order; with Count those
// that are open.
func (s *Server) Connections() []*Connection {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.connections)
}

// Next waits for the next connection that it has not returned before, be it refused or not. It is not for a
// Server with Count.
func (s *Server) Next(ctx context.Context) (*Connection, error) {
	for {
		s.mu.Lock()
		if s.returned < len(s.connections) {
			c := s.connections[s.returned]
			s.returned++
			s.mu.Unlock()
			return c, nil
		}
		if s.changed == nil {
			s.changed = make(chan struct{})
		}
		changed := s.changed
		s.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, fmt.Errorf("wait for a connection: %w", context.Cause(ctx))
		}
	}
}

// add numbers an attempt, or returns nil if the server has ended. remove must follow.
func (s *Server) add(r *http.Request) *Connection {
	c := &Connection{server: s, Path: r.URL.Path, Query: r.URL.Query(), Header: r.Header, done: make(chan struct{})}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return nil
	}
	s.serving.Add(1)
	s.accepted++
	c.Number = s.accepted
	c.setFault(s.faultOf(c.Number))
	s.connections = append(s.connections, c)
	if s.changed != nil {
		close(s.changed)
		s.changed = nil
	}
	return c
}

// remove is the end of a connection.
func (s *Server) remove(c *Connection) {
	defer s.serving.Done()
	defer close(c.done)
	if !s.Count {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.connections = slices.DeleteFunc(s.connections, func(other *Connection) bool { return other == c })
}

func (s *Server) silence() time.Duration { return cmp.Or(s.Silence, 300*time.Millisecond) }
func (s *Server) interim() time.Duration { return cmp.Or(s.Interim, time.Second) }
func (s *Server) final() time.Duration   { return cmp.Or(s.Final, 5*time.Second) }
func (s *Server) idle() time.Duration    { return cmp.Or(s.Idle, 10*time.Second) }
