package switchsim

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// deadline is far beyond what any step of a test takes.
const deadline = 20 * time.Second

// controller is the test's end of one outbound event socket.
type controller struct {
	t      *testing.T
	conn   net.Conn
	r      *bufio.Reader
	events []*message // read while something else was waited for
}

// message is one frame of the event socket; for an event the headers are the
// event's, decoded.
type message struct {
	kind    string // Content-Type
	outer   textproto.MIMEHeader
	raw     string // the block before the body, verbatim
	body    string
	headers map[string]string
	at      time.Time
}

func (m *message) name() string { return m.headers["Event-Name"] }

// listen returns a listener on a free port.
func listen(t *testing.T) net.Listener {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	return ln
}

// place dials a call whose controller is the test, and accepts it.
func place(t *testing.T, s *Switch, spec CallSpec) (*Call, *controller) {
	t.Helper()
	ln := listen(t)
	spec.Address += ln.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	call, err := s.Dial(ctx, spec)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); call.Wait() })
	return call, accept(t, ln)
}

func accept(t *testing.T, ln net.Listener) *controller {
	t.Helper()
	conn, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	conn.SetDeadline(time.Now().Add(deadline))
	t.Cleanup(func() { conn.Close() })
	return &controller{t: t, conn: conn, r: bufio.NewReader(conn)}
}

func (c *controller) send(text string) {
	c.t.Helper()
	if _, err := io.WriteString(c.conn, text); err != nil {
		c.t.Fatalf("send %q: %v", text, err)
	}
}

// read reads one frame; io.EOF and resets are given to the caller.
func (c *controller) read() (*message, error) {
	var raw strings.Builder
	for {
		line, err := c.r.ReadString('\n')
		if err != nil {
			return nil, err
		}
		if raw.WriteString(line); line == "\n" {
			break
		}
	}
	m := &message{raw: raw.String(), at: time.Now(), headers: map[string]string{}}
	m.outer = textproto.MIMEHeader{}
	for line := range strings.Lines(m.raw) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		m.outer.Set(name, value)
	}
	m.kind = m.outer.Get("Content-Type")
	if n, _ := strconv.Atoi(m.outer.Get("Content-Length")); n > 0 {
		body := make([]byte, n)
		if _, err := io.ReadFull(c.r, body); err != nil {
			return nil, err
		}
		m.body = string(body)
	}
	return m, m.decode()
}

func (m *message) decode() error {
	switch m.kind {
	case "text/event-plain":
		head, body, _ := strings.Cut(m.body, "\n\n")
		for _, line := range strings.Split(head, "\n") {
			name, value, _ := strings.Cut(line, ": ")
			decoded, err := url.PathUnescape(value)
			if err != nil {
				return err
			}
			m.headers[name] = decoded
		}
		m.headers["_body"] = body
	case "text/event-json":
		var object map[string]any
		if err := json.Unmarshal([]byte(m.body), &object); err != nil {
			return fmt.Errorf("event %s: %w", m.body, err)
		}
		for name, value := range object {
			m.headers[name] = fmt.Sprint(value)
		}
	}
	return nil
}

// command sends a command and returns its reply; events meanwhile are kept.
func (c *controller) command(text string) *message {
	c.t.Helper()
	c.send(text + "\n\n")
	for {
		m, err := c.read()
		if err != nil {
			c.t.Fatalf("reply to %q: %v", text, err)
		}
		if m.kind == "command/reply" || m.kind == "api/response" {
			return m
		}
		c.events = append(c.events, m)
	}
}

// wants sends a command whose Reply-Text must be want.
func (c *controller) wants(text, want string) {
	c.t.Helper()
	if got := c.command(text).outer.Get("Reply-Text"); got != want {
		c.t.Fatalf("%q: Reply-Text %q, want %q", text, got, want)
	}
}

// api sends an API command whose answer must be want.
func (c *controller) api(text, want string) {
	c.t.Helper()
	if got := c.command("api " + text).body; got != want {
		c.t.Fatalf("api %s: %q, want %q", text, got, want)
	}
}

// next returns the next event or notice.
func (c *controller) next() *message {
	c.t.Helper()
	if len(c.events) > 0 {
		m := c.events[0]
		c.events = c.events[1:]
		return m
	}
	m, err := c.read()
	if err != nil {
		c.t.Fatalf("next event: %v", err)
	}
	return m
}

// until returns the next event of a name, or with a header "Name: value";
// others are passed over.
func (c *controller) until(want string) *message {
	c.t.Helper()
	for {
		m := c.next()
		if m.is(want) {
			return m
		}
	}
}

// is compares with "NAME", "NAME/application uuid" or a CUSTOM subclass.
func (m *message) is(want string) bool {
	label := m.label()
	return label == want || m.name() == want || m.kind == want
}

func (m *message) label() string {
	switch {
	case m.name() == "":
		return m.kind + " " + m.outer.Get("Content-Disposition")
	case m.headers["Application-UUID"] != "":
		return m.name() + " " + m.headers["Application"] + " " + m.headers["Application-Response"]
	case m.headers["Event-Subclass"] != "":
		return m.headers["Event-Subclass"]
	}
	return m.name()
}

// rest reads to the end and returns the labels.
func (c *controller) rest() []string {
	c.t.Helper()
	var labels []string
	for _, m := range c.events {
		labels = append(labels, m.label())
	}
	c.events = nil
	for {
		m, err := c.read()
		if err != nil {
			return labels
		}
		labels = append(labels, m.label())
	}
}

// execute sends a sendmsg with event-lock.
func (c *controller) execute(app, arg, id string) {
	c.t.Helper()
	c.wants("sendmsg\ncall-command: execute\nexecute-app-name: "+app+"\nexecute-app-arg: "+arg+"\nevent-lock: true\nEvent-UUID: "+id, "+OK")
}

// isEOF tells a peer's orderly end from the rest.
func isEOF(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }
