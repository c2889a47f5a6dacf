package admin

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"tapdeck/controller"
)

// noCalls are the calls of an idle daemon.
type noCalls struct{}

func (noCalls) Calls() []controller.Status { return nil }

func (noCalls) Ended() []controller.Ended { return nil }

// testServer is a running server, and what it logs.
type testServer struct {
	t       testing.TB
	address string
	state   Readiness
	logged  *observer.ObservedLogs
}

func newTestServer(t testing.TB, change func(*Server)) *testServer {
	t.Helper()
	core, logged := observer.New(zap.InfoLevel)
	s := &testServer{t: t, state: Ready, logged: logged}
	o := Server{Calls: noCalls{}, Readiness: func() Readiness { return s.state }, Level: zap.NewAtomicLevel(), Registry: prometheus.NewRegistry(), Log: zap.New(core)}
	change(&o)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.address = ln.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- o.Serve(ctx, ln) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return s
}

// ask asks without keeping the connection, which would be a goroutine left.
func (s *testServer) ask(method, path, body, token string) (code int, answer string) {
	s.t.Helper()
	req, err := http.NewRequest(method, "http://"+s.address+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", token)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 30 * time.Second}
	resp, err := client.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp.StatusCode, string(data)
}

// TestRequests is the table of what is asked and answered.
func TestRequests(t *testing.T) {
	open := newTestServer(t, func(o *Server) {
		o.Registry.MustRegister(prometheus.NewGauge(prometheus.GaugeOpts{Name: "tapdeck_calls_active"}))
	})
	closed := newTestServer(t, func(o *Server) {
		o.Token, o.Pprof, o.Schemas = "open-sesame", true, map[string][]byte{"pcm": []byte(`{"$id": "x"}`)}
	})
	const bearer = "Bearer open-sesame"
	for _, c := range []struct {
		s            *testServer
		method, path string
		body, token  string
		code         int
		answer       string
	}{
		{open, "GET", "/calls", "", "", 200, "{\n  \"running\": [],\n  \"ended\": []\n}\n"},
		{open, "GET", "/calls/0", "", "", 404, "no such call"},
		{open, "GET", "/calls?ended=-1", "", "", 400, "0 or more"},
		{open, "GET", "/calls?ended=many", "", "", 400, "must be a number"},
		{open, "POST", "/calls", "", "", 405, ""},
		{open, "GET", "/nowhere", "", "", 404, ""},
		{open, "GET", "/debug/pprof/", "", "", 404, ""},
		{open, "GET", "/metrics", "", "", 200, "tapdeck_calls_active 0"},
		{open, "GET", "/log/level", "", "", 200, `"level":"info"`},
		{open, "PUT", "/log/level", `{"level":"warn"}`, "", 200, `"level":"warn"`},
		{open, "PUT", "/log/level", `{"level":"loud"}`, "", 400, "loud"},
		{open, "PUT", "/log/level", `{"level":"fatal"}`, "", 400, "must be debug, info, warn or error"},
		{open, "PUT", "/log/level", `{"level":"panic"}`, "", 400, "must be debug, info, warn or error"},
		{open, "PUT", "/log/level", strings.Repeat(" ", maxBodyBytes) + `{"level":"info"}`, "", 400, "too large"},
		{open, "GET", "/log/level", "", "", 200, `"level":"warn"`},
		{closed, "GET", "/calls", "", "", 401, "admin.token"},
		{closed, "GET", "/calls", "", "Bearer open-sesam", 401, "admin.token"},
		{closed, "GET", "/calls", "", "open-sesame", 401, "admin.token"},
		{closed, "PUT", "/log/level", `{"level":"error"}`, "", 401, "admin.token"},
		{closed, "GET", "/debug/pprof/", "", "", 401, "admin.token"},
		{closed, "GET", "/calls", "", bearer, 200, "running"},
		{closed, "GET", "/debug/pprof/", "", bearer, 200, "goroutine"},
		{closed, "GET", "/debug/pprof/goroutine?debug=1", "", bearer, 200, "goroutine profile"},
		{closed, "GET", "/livez", "", "", 200, "alive"},
		{closed, "GET", "/readyz", "", "", 200, "ready"},
		{closed, "GET", "/.well-known/tapdeck/pcm.schema.json", "", "", 200, `{"$id": "x"}`},
		{closed, "GET", "/.well-known/tapdeck/pcm", "", "", 404, ""},
		{closed, "GET", "/.well-known/tapdeck/other.schema.json", "", "", 404, ""},
		{closed, "GET", "/.well-known/tapdeck/../../calls", "", "", 401, "admin.token"},
		{closed, "GET", "/2010-04-01/../calls", "", "", 401, "admin.token"},
		{closed, "POST", "/2010-04-01/Accounts/AC1/Calls/CA1.json", "Status=completed", "", 404, ""},
		{closed, "GET", "/log/level", "", bearer, 200, `"level":"info"`},
	} {
		code, answer := c.s.ask(c.method, c.path, c.body, c.token)
		if code != c.code || !strings.Contains(answer, c.answer) {
			t.Errorf("%s %s: %d %.300q, want %d with %q", c.method, c.path, code, answer, c.code, c.answer)
		}
	}
	lines := open.logged.FilterMessage("log level changed").All()
	if len(lines) != 1 || lines[0].ContextMap()["from"] != "info" || lines[0].ContextMap()["to"] != "warn" {
		t.Errorf("the change of the level in the log: %+v", lines)
	}
}

func TestReadiness(t *testing.T) {
	s := newTestServer(t, func(*Server) {})
	got := map[Readiness]int{}
	for _, state := range []Readiness{Ready, NotReady, Draining, Full, NoStreams, DiskHangs, DiskLow} {
		s.state = state
		code, answer := s.ask("GET", "/readyz", "", "")
		if answer != string(state)+"\n" {
			t.Errorf("%s: %q", state, answer)
		}
		got[state] = code
	}
	if diff := cmp.Diff(map[Readiness]int{Ready: 200, NotReady: 503, Draining: 503, Full: 429, NoStreams: 429, DiskHangs: 503, DiskLow: 503}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A connection for which there is no room takes the place of the one that has been idle for longest.
func TestIdleConnectionsMakeRoom(t *testing.T) {
	s := newTestServer(t, func(*Server) {})
	asked := func(conn net.Conn) error {
		_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
		if _, err := io.WriteString(conn, "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			return err
		}
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, resp.Body)
		return err
	}
	var held []net.Conn
	for range maxConnections + 1 {
		conn := s.dial()
		defer conn.Close()
		if err := asked(conn); err != nil {
			t.Fatalf("connection %d: %v", len(held)+1, err)
		}
		held = append(held, conn)
	}
	if err := asked(held[0]); err == nil {
		t.Error("the first one is still there")
	}
	if err := asked(held[1]); err != nil {
		t.Errorf("the second one: %v", err)
	}
}

// If all are being answered, one more is closed at once, and none of them.
func TestLimit(t *testing.T) {
	answer, asking := make(chan struct{}), make(chan struct{}, maxConnections)
	s := newTestServer(t, func(s *Server) {
		s.Readiness = func() Readiness {
			asking <- struct{}{}
			<-answer
			return Ready
		}
	})
	var held []net.Conn
	for range maxConnections {
		conn := s.dial()
		defer conn.Close()
		if _, err := io.WriteString(conn, "GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		held = append(held, conn)
		<-asking
	}
	more := s.dial()
	defer more.Close()
	_ = more.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := more.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("one more is not turned away: %v", err)
	}
	close(answer)
	for _, conn := range held {
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Fatal(resp, err)
		}
	}
}

func (s *testServer) dial() net.Conn {
	s.t.Helper()
	conn, err := net.Dial("tcp", s.address)
	if err != nil {
		s.t.Fatal(err)
	}
	return conn
}
