package controller_test

import (
	"bytes"
	"net"
	"sync"
)

// tap is a listener that keeps what the controller sends to the switch.
type tap struct {
	net.Listener
	rewrite func(command []byte) []byte // what goes on to the switch; nil changes nothing

	mu    sync.Mutex
	lines []*tapped
}

// tapped is one event socket.
type tapped struct {
	net.Conn
	rewrite  func([]byte) []byte
	mu       sync.Mutex
	sent     []byte // to the switch
	got      []byte // from it, the latest part
	replies  int
	together int // the most commands that were in flight
}

func (t *tap) Accept() (net.Conn, error) {
	conn, err := t.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c := &tapped{Conn: conn, rewrite: t.rewrite}
	t.mu.Lock()
	t.lines = append(t.lines, c)
	t.mu.Unlock()
	return c, nil
}

func (t *tap) connections() []*tapped {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]*tapped(nil), t.lines...)
}

var (
	commandEnd = []byte("\n\n")
	replyHead  = []byte("Content-Type: command/reply")
)

func (c *tapped) CloseWrite() error { return c.Conn.(*net.TCPConn).CloseWrite() }

func (c *tapped) Write(p []byte) (int, error) {
	c.mu.Lock()
	c.sent = append(c.sent, p...)
	c.together = max(c.together, bytes.Count(plain(c.sent), commandEnd)-c.replies)
	c.mu.Unlock()
	if c.rewrite != nil {
		_, err := c.Conn.Write(c.rewrite(p))
		return len(p), err
	}
	return c.Conn.Write(p)
}

func (c *tapped) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.got = append(c.got, p[:n]...)
	c.replies += bytes.Count(c.got, replyHead)
	if i := bytes.LastIndex(c.got, replyHead); i >= 0 {
		c.got = c.got[i+len(replyHead):]
	}
	c.got = append([]byte(nil), c.got[max(0, len(c.got)-len(replyHead)):]...)
	return n, err
}

// plain has bare line ends: the switch takes both.
func plain(b []byte) []byte { return bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n")) }

// commands are the commands as they went over the wire, but for their line ends.
func (c *tapped) commands() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []string
	for _, one := range bytes.Split(plain(c.sent), commandEnd) {
		if len(one) > 0 {
			all = append(all, string(one))
		}
	}
	return all
}
