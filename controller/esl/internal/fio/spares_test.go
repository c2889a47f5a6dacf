package fio

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"tapdeck/controller/esl/internal/frame"
	"tapdeck/controller/esl/internal/frametest"
)

// spareLink is a link to a switch that answers its first command so, and hangs up once the
// command is over, if not before.
func spareLink(t *testing.T, spares *Spares, limit time.Duration, answer func(peer net.Conn, command *bufio.Reader)) (*Link, []string, error) {
	t.Helper()
	outer, peer := net.Pipe()
	var events []string
	done := make(chan struct{})
	l, err := Open(outer, frame.NewReader(outer, testTimeout, func(int) {}), Options{
		WriteTimeout: testTimeout, ReplyTimeout: limit, Spares: spares,
		Deliver: func(h Header, _ string) error { events = append(events, h.Get("a")); return nil },
		Dropped: func(string, []byte) {}, Done: func(error, bool) { close(done) }, Panicked: func(p any) { t.Error(p) },
	})
	if err != nil {
		t.Fatal(err)
	}
	go answer(peer, bufio.NewReader(peer))
	_, err = l.Send(context.Background(), "linger", "linger "+strings.Repeat("5", 2*commandBuffer))
	go func() {
		io.WriteString(peer, "Content-Type: text/disconnect-notice\nContent-Disposition: linger\n\n")
		peer.Close()
	}()
	<-done
	l.Close(io.EOF)
	return l, events, err
}

// readCommand reads up to the blank line.
func readCommand(r *bufio.Reader) {
	for line, err := r.ReadString('\n'); err == nil && strings.TrimSpace(line) != ""; {
		line, err = r.ReadString('\n')
	}
}

// The library's connection of a link is kept if nothing is left in it, and has nothing of the link
// before it.
func TestSpares(t *testing.T) {
	for name, tt := range map[string]struct {
		limit  time.Duration
		answer func(peer net.Conn, command *bufio.Reader)
		fails  bool
		kept   bool
		events []string
	}{
		"a reply and events": {testTimeout, func(peer net.Conn, command *bufio.Reader) {
			readCommand(command)
			io.WriteString(peer, frametest.OKReply+frametest.JSON(`{"a":"b"}`)+frametest.JSON(`{"a":"c"}`))
		}, false, true, []string{"b", "c", ""}},
		"a reply that nobody asked for": {testTimeout, func(peer net.Conn, command *bufio.Reader) {
			readCommand(command)
			io.WriteString(peer, frametest.OKReply+"Content-Type: command/reply\nReply-Text: -ERR x\n\n"+frametest.OKReply)
		}, false, true, []string{""}},
		"an error": {testTimeout, func(peer net.Conn, command *bufio.Reader) {
			readCommand(command)
			io.WriteString(peer, "Content-Type: command/reply\nReply-Text: -ERR x\n\n")
		}, true, false, nil},
		"no reply in time": {time.Millisecond, func(_ net.Conn, command *bufio.Reader) { readCommand(command) }, true, false, nil},
		"no reply before the end": {testTimeout, func(peer net.Conn, command *bufio.Reader) {
			readCommand(command)
			peer.Close()
		}, true, false, nil},
		"a reply before the command is sent": {100 * time.Millisecond, func(peer net.Conn, command *bufio.Reader) {
			_, _ = command.Peek(1)
			io.WriteString(peer, frametest.OKReply)
		}, true, false, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var spares Spares
			defer spares.Close()
			l, events, err := spareLink(t, &spares, tt.limit, tt.answer)
			if (err != nil) != tt.fails || !slices.Equal(events, tt.events) {
				t.Errorf("events %q, %v", events, err)
			}
			if kept := len(spares.pairs) == 1; kept != tt.kept {
				t.Fatalf("kept: %v", kept)
			}
			next, events, err := spareLink(t, &spares, testTimeout, func(peer net.Conn, command *bufio.Reader) {
				readCommand(command)
				io.WriteString(peer, frametest.OKReply+frametest.JSON(`{"a":"next"}`))
			})
			if err != nil || !slices.Equal(events, []string{"next", ""}) || (next.lib == l.lib) != tt.kept {
				t.Errorf("the next link: events %q, %v; the same connection: %v", events, err, next.lib == l.lib)
			}
		})
	}
}

// No more are kept than maxSpares, and none after Close.
func TestSparesAreBounded(t *testing.T) {
	var spares Spares
	put := func() pair {
		p, err := join()
		if err != nil {
			t.Fatal(err)
		}
		spares.put(p)
		return p
	}
	first := put()
	for range maxSpares {
		put()
	}
	if len(spares.pairs) != maxSpares {
		t.Errorf("%d kept", len(spares.pairs))
	}
	spares.Close()
	late := put()
	for when, p := range map[string]pair{"before": first, "after": late} {
		if _, err := p.inner.Write([]byte("x")); !errors.Is(err, net.ErrClosed) || len(spares.pairs) != 0 {
			t.Errorf("put %s Close: %v, %d kept", when, err, len(spares.pairs))
		}
	}
}
