package admin

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"tapdeck/cmd/internal/events"
	"tapdeck/controller"
	"tapdeck/controller/transcript"
)

// pipes is a listener whose connections are in memory and keep nothing, so that a peer that does not
// read is felt at once, and all lives in a bubble of fake time.
type pipes struct {
	conns chan net.Conn
	once  sync.Once
	done  chan struct{}
}

func (l *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *pipes) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

func (l *pipes) Addr() net.Addr { return &net.TCPAddr{} }

// eventServer is a server in a bubble, and its bus.
type eventServer struct {
	t    *testing.T
	bus  *events.Bus
	ln   *pipes
	stop func() // and wait for its end
}

func newEventServer(t *testing.T) *eventServer {
	s := &eventServer{t: t, bus: events.New("fs1", zap.NewNop(), prometheus.NewRegistry()), ln: &pipes{conns: make(chan net.Conn), done: make(chan struct{})}}
	server := Server{Calls: noCalls{}, Readiness: func() Readiness { return Ready }, Level: zap.NewAtomicLevel(), Registry: prometheus.NewRegistry(), Log: zap.NewNop(), Events: s.bus}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(ctx, s.ln) }()
	s.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(s.stop)
	return s
}

// client is one that has asked for events.
type client struct {
	t    *testing.T
	conn net.Conn
	*bufio.Reader
	body *bufio.Reader
}

// open asks, with headers, and reads the answer's begin.
func (s *eventServer) open(path string, header ...string) *client {
	s.t.Helper()
	near, far := net.Pipe()
	s.ln.conns <- far
	c := &client{t: s.t, conn: near, Reader: bufio.NewReader(near)}
	s.t.Cleanup(func() { _ = near.Close() })
	if _, err := io.WriteString(near, "GET "+path+" HTTP/1.1\r\nHost: x\r\n"+strings.Join(append(header, "", ""), "\r\n")); err != nil {
		s.t.Fatal(err)
	}
	resp, err := http.ReadResponse(c.Reader, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "text/event-stream" || resp.Header.Get("Cache-Control") != "no-store" || resp.Header.Get("X-Accel-Buffering") != "no" {
		s.t.Fatalf("%s: %d %v", path, resp.StatusCode, resp.Header)
	}
	c.body = bufio.NewReader(resp.Body)
	c.expect(": events follow")
	return c
}

// next reads one message, without the empty line at its end.
func (c *client) next() string {
	c.t.Helper()
	var lines []string
	for {
		line, err := c.body.ReadString('\n')
		if err != nil {
			c.t.Fatalf("%v after %q", err, lines)
		}
		if line == "\n" {
			return strings.Join(lines, "\n")
		}
		lines = append(lines, strings.TrimSuffix(line, "\n"))
	}
}

func (c *client) expect(want string) {
	c.t.Helper()
	if got := c.next(); got != want {
		c.t.Errorf("message %q, want %q", got, want)
	}
}

// event reads one event and returns its id and text.
func (c *client) event() (id, text string) {
	c.t.Helper()
	message := c.next()
	begin, _, _ := strings.Cut(message, "\ndata: ")
	id, kind, _ := strings.Cut(strings.TrimPrefix(begin, "id: "), "\nevent: ")
	_, rest, found := strings.Cut(message, `"text":"`)
	if !found || !strings.Contains(message, `"id":"`+id+`"`) || !strings.Contains(message, `"type":"`+kind+`"`) {
		c.t.Fatalf("%q is no event of a transcript", message)
	}
	return id, rest[:strings.IndexByte(rest, '"')]
}

func (c *client) texts(n int) (list []string) {
	c.t.Helper()
	for range n {
		_, text := c.event()
		list = append(list, text)
	}
	return list
}

func (s *eventServer) say(call, text string) { s.tell(controller.EventTranscriptFinal, call, text) }

func (s *eventServer) tell(kind controller.EventKind, call, text string) {
	s.bus.Observe(controller.Event{Kind: kind, Call: call, At: time.Unix(0, 0), Data: transcript.Segment{Channel: "caller", To: time.Second, Text: text}})
}

// A stream lives longer than any request may, shows every 15 s that it does, and has each event on one line.
func TestEventStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newEventServer(t)
		c := s.open("/events")
		began := time.Now()
		for range 4 * 60 {
			c.expect(":")
		}
		if took := time.Since(began); took != time.Hour {
			t.Errorf("the comments of an hour took %v", took)
		}
		s.say("a", "one\ntwo\r\n")
		message := c.next()
		id, _, _ := strings.Cut(strings.TrimPrefix(message, "id: "), "\n")
		want := "id: " + id + "\nevent: transcript.final\n" + `data: {"specversion":"1.0","id":"` + id + `","source":"/tapdeck/fs1","type":"transcript.final","subject":"a",` +
			`"time":"1970-01-01T00:00:00.000Z","datacontenttype":"application/json","data":{"channel":"caller","from_ms":0,"to_ms":1000,"text":"one\ntwo\r\n"}}`
		if diff := cmp.Diff(want, message); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func TestEventStreamFilters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newEventServer(t)
		of, final, both := s.open("/events?call=b"), s.open("/events?type=transcript.f*"), s.open("/events?type=transcript.interim&type=transcript.final&call=A%2F1")
		s.say("a/1", "1")
		s.tell(controller.EventTranscriptInterim, "b", "2")
		s.tell(controller.EventTranscriptInterim, "a/1", "3")
		s.say("b", "4")
		for c, want := range map[*client][]string{of: {"2", "4"}, final: {"1", "4"}, both: {"1", "3"}} {
			if diff := cmp.Diff(want, c.texts(2)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		}
	})
}

// A client that comes back says by the header, or by the address, what it had last.
func TestEventStreamGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newEventServer(t)
		c := s.open("/events")
		var ids []string
		for n := range 3 {
			s.say("a", fmt.Sprint(n))
			id, _ := c.event()
			ids = append(ids, id)
		}
		cases := []struct {
			client *client
			want   []string
		}{
			{s.open("/events?last_event_id=" + ids[0]), []string{"1", "2", "3"}},
			{s.open("/events?last_event_id="+ids[0], "Last-Event-ID: "+ids[1]), []string{"2", "3"}},
			{s.open("/events?last_event_id="+ids[0], "Last-Event-ID: "+strings.ToUpper(ids[2])), []string{"3"}},
			{s.open("/events?last_event_id="), []string{"3"}},
		}
		s.say("a", "3")
		for i, c := range cases {
			if diff := cmp.Diff(c.want, c.client.texts(len(c.want))); diff != "" {
				t.Errorf("client %d (-want +got):\n%s", i, diff)
			}
		}
	})
}

// What is not kept any more is missed, and the client is told.
func TestEventStreamOfForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newEventServer(t)
		s.say("a", "1")
		c := s.open("/events", "Last-Event-ID: 0190163d-8694-739b-aea5-966c26f8ad91")
		c.expect("event: dropped\ndata: {\"reason\":\"forgotten\"}")
		if diff := cmp.Diff([]string{"1"}, c.texts(1)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// A client that reads too slowly is told how many events it has lost; the bus does not wait for it.
func TestSlowEventStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const many = 5000
		s := newEventServer(t)
		c := s.open("/events")
		for n := range many {
			s.tell(controller.EventTranscriptInterim, "a", fmt.Sprint(n))
		}
		lost, got := 0, 0
		for {
			message := c.next()
			if message == ":" {
				break
			}
			n := 0
			if _, err := fmt.Sscanf(message, "event: dropped\ndata: {\"reason\":\"slow\",\"events\":%d}", &n); err == nil {
				lost += n
				continue
			}
			if got++; lost > 0 && !strings.Contains(message, fmt.Sprintf(`"text":"%d"`, lost+got-1)) {
				t.Fatalf("after %d that were lost and %d that came: %s", lost, got, message)
			}
		}
		if lost == 0 || got == 0 || lost+got != many {
			t.Errorf("%d events came, %d are said to be lost, of %d", got, lost, many)
		}
	})
}

// A client that reads nothing is cut, and holds nothing any more.
func TestStuckEventStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newEventServer(t)
		c := s.open("/events")
		began := time.Now()
		s.say("a", "1")
		time.Sleep(eventTimeout + time.Second)
		s.fill(events.MaxSubscriptions)
		if _, err := io.Copy(io.Discard, c.conn); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took > 2*eventTimeout {
			t.Errorf("cut after %v", took)
		}
	})
}

// fill makes as many subscriptions as are free, which must be n.
func (s *eventServer) fill(n int) {
	s.t.Helper()
	synctest.Wait()
	for i := range n + 1 {
		sub, err := s.bus.Subscribe(events.Filter{}, nil)
		if (err == nil) != (i < n) {
			s.t.Fatalf("subscription %d: %v", i, err)
		}
		if sub != nil {
			s.t.Cleanup(sub.Close)
		}
	}
}

// A client that goes away leaves no subscription. One more than there may be is refused.
func TestEventStreamsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newEventServer(t)
		_, gone := s.open("/events"), s.open("/events")
		_ = gone.conn.Close()
		s.fill(events.MaxSubscriptions - 1)
		near, far := net.Pipe()
		defer near.Close()
		s.ln.conns <- far
		if _, err := io.WriteString(near, "GET /events HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		resp, err := http.ReadResponse(bufio.NewReader(near), nil)
		if err != nil || resp.StatusCode != 503 || resp.Header.Get("Retry-After") == "" {
			t.Errorf("%+v, %v", resp, err)
		}
	})
}

// HEAD is answered with the headers, ends, and is no client.
func TestEventStreamHead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newEventServer(t)
		near, far := net.Pipe()
		defer near.Close()
		_ = near.SetDeadline(time.Now().Add(time.Second))
		s.ln.conns <- far
		answers, head := bufio.NewReader(near), &http.Request{Method: http.MethodHead}
		for n := range events.MaxSubscriptions + 50 {
			if _, err := io.WriteString(near, "HEAD /events HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
				t.Fatalf("request %d: %v", n, err)
			}
			resp, err := http.ReadResponse(answers, head)
			if err != nil || resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "text/event-stream" {
				t.Fatalf("answer %d: %+v, %v", n, resp, err)
			}
		}
		s.fill(events.MaxSubscriptions)
	})
}

// The end of the server is that of the streams, at once, also of one that does not read and of one whose
// client has sent more than a request, of which net/http does not see the end.
func TestServerEndsEventStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newEventServer(t)
		s.open("/events")
		more := s.open("/events?call=b")
		if _, err := io.WriteString(more.conn, "G"); err != nil {
			t.Fatal(err)
		}
		s.open("/events?call=c")
		s.say("a", "nobody reads this")
		synctest.Wait()
		began := time.Now()
		s.stop()
		if took := time.Since(began); took != 0 {
			t.Errorf("the end took %v", took)
		}
		s.fill(events.MaxSubscriptions)
	})
}
