package recogniser

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// deadline is far beyond what any step of a test needs.
const deadline = 20 * time.Second

// client is the test's end of a connection. It reads all the time.
type client struct {
	t        *testing.T
	ws       *websocket.Conn
	messages chan string
	err      error // of reading, once messages is closed
	reading  sync.WaitGroup
}

// start serves until the end of the test.
func start(t *testing.T, s *Server) (url string) {
	t.Helper()
	url, stop := s.Start()
	t.Cleanup(stop)
	return url
}

// dial connects a client, of http.DefaultClient if h is nil.
func dial(t *testing.T, h *http.Client, url, key string) *client {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	o := &websocket.DialOptions{HTTPClient: h, HTTPHeader: http.Header{}}
	if key != "" {
		o.HTTPHeader.Set("Authorization", key)
	}
	ws, _, err := websocket.Dial(ctx, url, o)
	if err != nil {
		t.Fatal(err)
	}
	ws.SetReadLimit(-1)
	c := &client{t: t, ws: ws, messages: make(chan string, 100_000)}
	c.reading.Go(c.read)
	t.Cleanup(c.close)
	return c
}

func (c *client) close() {
	_ = c.ws.CloseNow()
	c.reading.Wait()
}

func (c *client) read() {
	defer close(c.messages)
	for {
		_, b, err := c.ws.Read(context.Background())
		if err != nil {
			c.err = err
			return
		}
		c.messages <- string(b)
	}
}

func (c *client) write(kind websocket.MessageType, b []byte) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), deadline)
	defer cancel()
	if err := c.ws.Write(ctx, kind, b); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) text(s string) { c.t.Helper(); c.write(websocket.MessageText, []byte(s)) }

// say sends audio in messages of a size.
func (c *client) say(pcm []byte, size int) {
	c.t.Helper()
	for ; len(pcm) > size; pcm = pcm[size:] {
		c.write(websocket.MessageBinary, pcm[:size])
	}
	c.write(websocket.MessageBinary, pcm)
}

// next is the next message; ok is false at the end.
func (c *client) next() (m string, ok bool) {
	c.t.Helper()
	select {
	case m, ok = <-c.messages:
		return m, ok
	case <-time.After(deadline):
		c.t.Fatal("no message")
		return "", false
	}
}

// rest are all messages until the end, which is a close frame's.
func (c *client) rest() (all []string, end websocket.CloseError) {
	c.t.Helper()
	for {
		m, ok := c.next()
		if !ok {
			errors.As(c.err, &end)
			return all, end
		}
		all = append(all, m)
	}
}

// decode reads JSON of which every field is known.
func decode[T any](t *testing.T, text string) (v T) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%.300s: %v", text, err)
	}
	return v
}

// connection is the server's end of the latest client.
func connection(t *testing.T, s *Server) *Connection {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	c, err := s.Next(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func await(t *testing.T, c *Connection, what string, is func(Report) bool) Report {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	r, err := c.Await(ctx, is)
	if err != nil {
		t.Fatalf("never: %s: %+v", what, r)
	}
	return r
}

// pipes is a listener in memory, for bubbles of fake time.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { p.once.Do(func() { close(p.done) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1} }

func (p *pipes) dial(context.Context, string, string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	p.conns <- theirs
	return ours, nil
}

// bubble serves in memory until the end of the test, and returns what reaches it.
func bubble(t *testing.T, s *Server) *http.Client {
	p := &pipes{conns: make(chan net.Conn), done: make(chan struct{})}
	ctx, cancel := context.WithCancel(t.Context())
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := s.Serve(ctx, p); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() { cancel(); serving.Wait() })
	return &http.Client{Transport: &http.Transport{DialContext: p.dial, DisableKeepAlives: true}}
}
