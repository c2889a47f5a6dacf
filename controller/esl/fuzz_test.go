package esl

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"

	"tapdeck/controller/esl/internal/fio"
	"tapdeck/controller/esl/internal/frame"
	"tapdeck/controller/esl/internal/frametest"
)

// memoryConn is one end of a pipe with the address of a switch.
type memoryConn struct{ net.Conn }

func (memoryConn) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 4} }

// memoryPair links one end of a pipe. The other end is the switch's.
func memoryPair(t testing.TB, cfg Config) (*Conn, net.Conn) {
	t.Helper()
	return sparePair(t, cfg, nil)
}

// sparePair is a memoryPair with a spare connection of the library, if there is one.
func sparePair(t testing.TB, cfg Config, spares *fio.Spares) (*Conn, net.Conn) {
	t.Helper()
	cfg.headers = newHeaderList(cfg.Headers, zap.NewNop())
	near, far := net.Pipe()
	c := newConn(cfg, zap.NewNop(), newMetrics(nil), memoryConn{near})
	if err := c.open(spares); err != nil {
		t.Fatal(err)
	}
	return c, far
}

// textConn is a connection that brings a text.
type textConn struct {
	net.Conn
	text *strings.Reader
}

func (c textConn) Read(p []byte) (int, error)      { return c.text.Read(p) }
func (c textConn) SetReadDeadline(time.Time) error { return nil }

// nextStep parts what the peer of FuzzConnection says before a command from
// what it says after it.
const nextStep = "\x01"

// addShapes seeds a target with the shapes of real and of hostile traffic. They
// are small: the fuzzer's time goes into making large ones smaller.
func addShapes(f *testing.F, add func(stream string)) {
	f.Helper()
	r := frame.NewReader(textConn{text: strings.NewReader(frametest.Call)}, patience, func(int) {})
	for {
		fr, err := r.Next()
		if err != nil {
			break
		}
		if len(fr.Data) < 500 {
			add(nextStep + connectReply + nextStep + string(fr.Data) + frametest.OKReply)
		}
	}
	add(connectReply + nextStep + frametest.OKReply + nextStep + frametest.OKReply + frametest.Plain("Event-Name: A%20B\nContent-Length: 2\n\n{}"))
	add(nextStep + connectReply + nextStep + "Content-Type: command/reply\nReply-Text: -ERR no\n\n")
	add(nextStep + connectReply + nextStep + frametest.OKReply + frametest.OKReply + nextStep + "Content-Type: text/disconnect-notice\nContent-Disposition: linger\nContent-Length: 0\n\n" + frametest.JSON(`{"a":["b",null,1]}`) + nextStep + frametest.OKReply)
	add(nextStep + connectReply + nextStep + strings.Repeat(frametest.JSON(`{}`), 20) + frametest.OKReply)
	add("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	add("\x16\x03\x01\x02\x00\x01")
	for _, h := range hostileFrames() {
		add(nextStep + h.text + connectReply + nextStep + h.text + frametest.OKReply)
	}
}

// FuzzConnection feeds bytes of a switch through guard and library together. A
// panic or log.Fatal in the library's goroutine ends the fuzzing process. Whatever came, the
// next connection, which may have the same of the library's, has nothing of it.
func FuzzConnection(f *testing.F) {
	addShapes(f, func(stream string) { f.Add([]byte(stream)) })
	cfg := testConfig()
	trimming := cfg
	trimming.Headers = frametest.CallHeaders
	var spares fio.Spares
	f.Cleanup(spares.Close)
	f.Fuzz(func(t *testing.T, stream []byte) {
		used := cfg
		if len(stream)%2 == 1 { // as a call has it
			used = trimming
		}
		c, far := sparePair(t, used, &spares)
		played := make(chan struct{})
		go func() {
			defer close(played)
			playStream(far, c, stream)
		}()
		useConn(t, c)
		done := make(chan struct{})
		go func() {
			defer close(done)
			c.link.Close(ErrClosed)
		}()
		select {
		case <-done:
		case <-time.After(patience):
			t.Fatal("connection does not end")
		}
		<-played
		if errors.Is(c.Err(), fio.ErrLibrary) || errors.Is(c.Err(), ErrReplyTimeout) {
			t.Fatalf("ended with %v", c.Err())
		}
		checkNext(t, cfg, &spares)
	})
}

// checkNext has a connection with a sound switch, which gets one command and sends one event.
func checkNext(t *testing.T, cfg Config, spares *fio.Spares) {
	t.Helper()
	c, far := sparePair(t, cfg, spares)
	got := make(chan string, 1)
	go func() {
		command, _ := modelPacket(bufio.NewReader(far))
		got <- fmt.Sprint(command)
		io.WriteString(far, "Content-Type: command/reply\nReply-Text: +OK sound\n\n"+frametest.JSON(`{"sound":"yes"}`))
	}()
	reply, err := c.Command(context.Background(), "linger 5")
	if command := <-got; reply != "+OK sound" || err != nil || !strings.Contains(command, "linger 5") {
		t.Errorf("the next connection's command %q got %q, %v", command, reply, err)
	}
	if ev := <-c.Events(); ev.Get("sound") != "yes" {
		t.Errorf("the next connection's event is %v", ev)
	}
	far.Close()
	for ev := range c.Events() {
		t.Errorf("the next connection has one more event: %v", ev)
	}
	c.link.Close(ErrClosed)
}

// playStream says the parts of a stream, and before each but the first waits
// for a command, if there is one.
func playStream(far net.Conn, c *Conn, stream []byte) {
	defer far.Close()
	commands := make(chan struct{}, 100)
	go func() {
		in := bufio.NewReader(far)
		for {
			if _, err := modelPacket(in); err != nil {
				close(commands)
				return
			}
			select {
			case commands <- struct{}{}:
			default:
			}
		}
	}()
	for i, part := range bytes.Split(stream, []byte(nextStep)) {
		if i > 0 {
			select {
			case <-commands:
			case <-time.After(5 * time.Millisecond): // no more will come
			}
		}
		if _, err := far.Write(part); err != nil {
			break
		}
	}
	far.Close()
	for range commands {
	}
}

// useConn does what a handler does.
func useConn(t *testing.T, c *Conn) {
	ctx := t.Context()
	if err := c.connect(ctx); err != nil {
		return
	}
	c.Command(ctx, "linger 5")
	c.Execute(ctx, "playback", "a b.wav")
	c.BgAPI(ctx, "status")
	for ev := range c.Events() {
		for name := range ev.header {
			ev.header.Get(name)
		}
		ev.Get("variable_tapdeck_x")
	}
}

// FuzzCommand sends what a caller gives through the library, and takes it
// apart as FreeSWITCH does: it is exactly one command, or none.
func FuzzCommand(f *testing.F) {
	for _, arg := range []string{"", "a", " a b ", "a\nb", "a\r\n\r\nexit", "a\x00", "x: y", "%s%d", "\u2028", "content-length: 5", "ä:ö", "uuid_audio_stream U start ws://h/p mono 8000"} {
		for kind := range uint8(3) {
			f.Add(kind, "set", arg)
			f.Add(kind, arg, "b")
		}
	}
	c, far := memoryPair(f, testConfig())
	f.Cleanup(func() { far.Close(); c.Close() })
	packets := make(chan packet, 10)
	go func() {
		in := bufio.NewReader(far)
		for {
			p, err := modelPacket(in)
			if err != nil {
				return
			}
			packets <- p
			io.WriteString(far, frametest.OKReply)
		}
	}()
	f.Fuzz(func(t *testing.T, kind uint8, first, second string) {
		want, err := sendAny(t.Context(), c, kind%3, first, second)
		unsafe := strings.ContainsAny(first, "\r\n\x00") || kind%3 == 2 && strings.ContainsAny(second, "\r\n\x00")
		switch {
		case err == nil && unsafe:
			t.Fatalf("sent %q %q", first, second)
		case err == nil:
			if diff := cmp.Diff(want, <-packets); diff != "" {
				t.Fatal(diff)
			}
		case !errors.Is(err, ErrUnsafe) && !errors.Is(err, ErrTooLong):
			t.Fatal(err)
		}
		if len(packets) > 0 {
			t.Fatalf("and %q", <-packets)
		}
	})
}

// sendAny sends one of the three kinds of command, and returns what must arrive.
func sendAny(ctx context.Context, c *Conn, kind uint8, first, second string) (packet, error) {
	headers := make(map[string]string)
	switch kind {
	case 0:
		_, err := c.Command(ctx, first)
		return packet{first, headers}, err
	case 1:
		job, err := c.BgAPI(ctx, first)
		headers["job-uuid"] = job
		return packet{"bgapi " + first, headers}, err
	}
	id, err := c.Execute(ctx, first, second)
	maps.Copy(headers, map[string]string{
		"call-command": "execute", "execute-app-name": strings.TrimLeft(first, " "), "event-lock": "true", "event-uuid": id,
	})
	if second != "" {
		headers["execute-app-arg"] = strings.TrimLeft(second, " ")
	}
	return packet{"sendmsg", headers}, err
}
