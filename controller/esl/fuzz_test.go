package esl

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
)

// memoryConn is one end of a pipe with the address of a switch.
type memoryConn struct{ net.Conn }

func (memoryConn) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 4} }

// testBridge opens a bridge for the duration of a test.
func testBridge(t testing.TB) *bridge {
	t.Helper()
	b, err := newBridge(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.close)
	return b
}

// connect joins a memory connection to the library. The other end is the switch's.
func memoryPair(t testing.TB, b *bridge, cfg Config) (*Conn, net.Conn) {
	t.Helper()
	m, err := newMetrics(nil)
	if err != nil {
		t.Fatal(err)
	}
	near, far := net.Pipe()
	c := newConn(cfg, zap.NewNop(), m, newDropMeter(zap.NewNop()), memoryConn{near})
	if err := c.start(b); err != nil {
		t.Fatal(err)
	}
	return c, far
}

// nextStep parts what the peer of FuzzConnection says before a command from
// what it says after it.
const nextStep = "\x01"

// addShapes seeds a target with the shapes of real and of hostile traffic. They
// are small: the fuzzer's time goes into making large ones smaller.
func addShapes(f *testing.F, add func(stream string)) {
	f.Helper()
	frames, _ := readAll(DefaultConfig(), capture(f))
	for _, frame := range frames {
		if parts := strings.Split(frame, "|"); len(frame) < 500 {
			add(nextStep + connectReply + nextStep + parts[2] + okReply)
		}
	}
	add(connectReply + nextStep + okReply + nextStep + okReply + plainFrame("Event-Name: A%20B\nContent-Length: 2\n\n{}"))
	add(nextStep + connectReply + nextStep + "Content-Type: command/reply\nReply-Text: -ERR no\n\n")
	add(nextStep + connectReply + nextStep + okReply + okReply + nextStep + "Content-Type: text/disconnect-notice\nContent-Disposition: linger\nContent-Length: 0\n\n" + jsonFrame(`{"a":["b",null,1]}`) + nextStep + okReply)
	add(nextStep + connectReply + nextStep + strings.Repeat(jsonFrame(`{}`), 20) + okReply)
	add("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	add("\x16\x03\x01\x02\x00\x01")
	for _, h := range hostileFrames() {
		add(nextStep + h.text + connectReply + nextStep + h.text + okReply)
	}
}

// FuzzConnection feeds bytes of a switch through guard and library together. A
// panic or log.Fatal in the library's goroutine ends the fuzzing process.
func FuzzConnection(f *testing.F) {
	addShapes(f, func(stream string) { f.Add([]byte(stream)) })
	b := testBridge(f)
	cfg := testConfig()
	cfg.MaxHeader, cfg.MaxHeaders, cfg.MaxBody, cfg.EventQueue = 8192, 300, 1<<16, 32
	trimming := cfg
	trimming.Headers = callHeaders
	f.Fuzz(func(t *testing.T, stream []byte) {
		used := cfg
		if len(stream)%2 == 1 { // as a call has it
			used = trimming
		}
		c, far := memoryPair(t, b, used)
		played := make(chan struct{})
		go func() {
			defer close(played)
			playStream(far, c, stream)
		}()
		useConn(t, c)
		done := make(chan struct{})
		go func() { defer close(done); c.close() }()
		select {
		case <-done:
		case <-time.After(patience):
			t.Fatal("connection does not end")
		}
		<-played
		select {
		case <-c.orphan:
			t.Fatal("library ended by itself")
		default:
		}
		if errors.Is(c.Err(), errLibrary) || errors.Is(c.Err(), ErrReplyTimeout) {
			t.Fatalf("ended with %v", c.Err())
		}
	})
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
	c.Command(ctx, "api status")
	c.BgAPI(ctx, "status")
	for ev := range c.Events() {
		for name := range ev.header {
			ev.Get(name)
		}
		ev.Get("variable_x")
	}
}

// FuzzGuard judges a stream alone: all that passes must be taken by the model
// of the library, frame for frame, whole or trimmed. Of a trimmed event what is wanted
// stays the same.
func FuzzGuard(f *testing.F) {
	addShapes(f, func(stream string) {
		for kind := range awaitAnyReply + 1 {
			f.Add([]byte(strings.ReplaceAll(stream, nextStep, "")), uint8(kind), kind%2 == 0)
		}
	})
	cfg := testConfig()
	cfg.MaxHeader, cfg.MaxHeaders, cfg.MaxBody = 8192, 300, 1<<16
	f.Fuzz(func(t *testing.T, stream []byte, await uint8, trims bool) {
		if got, want := jsonEvent(stream), modelJSON(stream) == nil && !isJSONNull(stream); got != want {
			t.Errorf("JSON: %v, the model says %v", got, want)
		} else if got {
			checkTrimmed(t, stream)
		}
		r := newFrameReader(&chunkConn{chunks: []string{string(stream)}}, cfg, func(int) {})
		var g guard
		if trims {
			g.wanted = Config{Headers: callHeaders}.wanted()
		}
		var passed bytes.Buffer
		frames := 0
		for {
			fr, err := r.next()
			if err != nil {
				break
			}
			g.await(int32(await) % (awaitAnyReply + 1))
			v, reason := g.judge(&fr)
			if (v == drop || v == distrust) == (reason == "") {
				t.Fatalf("verdict %v with reason %q", v, reason)
			}
			if v == distrust {
				break
			}
			if v == forward || v == forwardLast {
				passed.Write(fr.data)
				frames++
			}
		}
		in := bufio.NewReader(&passed)
		for ; frames > 0; frames-- {
			if _, err := modelFrame(in); err != nil {
				t.Fatalf("%d frames before the end: %v", frames, err)
			}
		}
		if _, err := modelFrame(in); err != io.EOF {
			t.Fatalf("more than was judged: %v", err)
		}
	})
}

// checkTrimmed compares an event that the library takes with what is left of it.
func checkTrimmed(t *testing.T, body []byte) {
	t.Helper()
	g := guard{wanted: Config{Headers: []string{"Unique-ID", "a", "variable_b*"}}.wanted()}
	f := readFrame(t, jsonFrame(string(body)))
	if v, reason := g.judge(&f); v != forward {
		t.Fatalf("%q: %s", body, reason)
	}
	whole, trimmed := make(map[string]any), make(map[string]any)
	if err := errors.Join(json.Unmarshal(body, &whole), json.Unmarshal(f.body, &trimmed)); err != nil {
		t.Fatal(err)
	}
	for name, value := range whole {
		isWanted := slices.ContainsFunc(g.wanted, func(w wantedName) bool {
			lower, stem := strings.ToLower(name), strings.ToLower(w.name)
			return lower == stem || w.open && strings.HasPrefix(lower, stem)
		})
		if left, ok := trimmed[name]; isWanted && !ok || ok && !cmp.Equal(left, value) {
			t.Errorf("%q is %v, was %v", name, left, value)
		}
	}
	for name := range trimmed {
		if _, ok := whole[name]; !ok {
			t.Errorf("%q is new", name)
		}
	}
}

// readFrame reads one frame.
func readFrame(t *testing.T, text string) frame {
	t.Helper()
	f, err := newFrameReader(&chunkConn{chunks: []string{text}}, DefaultConfig(), func(int) {}).next()
	if err != nil {
		t.Fatalf("%.60q: %v", text, err)
	}
	return f
}

// isJSONNull says whether the library would take body for an event without headers.
func isJSONNull(body []byte) bool {
	return string(bytes.Trim(body, " \t\r\n")) == "null"
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
	c, far := memoryPair(f, testBridge(f), testConfig())
	f.Cleanup(func() { far.Close(); c.close() })
	packets := make(chan packet, 10)
	go func() {
		in := bufio.NewReader(far)
		for {
			p, err := modelPacket(in)
			if err != nil {
				return
			}
			packets <- p
			io.WriteString(far, okReply)
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
