package recogniser

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http/httptest"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

func TestServeReturnsTheListenersError(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = ln.Close()
	if err := (&Server{}).Serve(t.Context(), ln); !errors.Is(err, net.ErrClosed) || !strings.HasPrefix(err.Error(), "serve: ") {
		t.Error(err)
	}
}

// The end of ctx ends connections that are open, without a word.
func TestServeEnds(t *testing.T) {
	for format, query := range formats {
		s := &Server{Format: format}
		url, stop := s.Start()
		c := dial(t, nil, url+query, "")
		c.say(make([]byte, 320), 320)
		conn := connection(t, s)
		await(t, conn, "audio", func(r Report) bool { return r.AudioMessages == 1 })
		stop()
		select {
		case <-conn.Done():
		default:
			t.Error("a connection is open")
		}
		if e := conn.Report().End; e.Code != noClose || e.Ours || e.Err == nil {
			t.Errorf("%+v", e)
		}
		if _, end := c.rest(); end.Code != 0 {
			t.Errorf("%v", end)
		}
	}
}

// With Count nothing is kept but numbers, and nothing of what has ended.
func TestCount(t *testing.T) {
	s := &Server{Format: Vosk, Count: true}
	c := dial(t, nil, start(t, s), "")
	c.converse(make([]byte, 32000), 320)
	conn := s.Connections()[0]
	if r := conn.Report(); r.AudioBytes != 32000 || r.AudioMessages != 100 || conn.Audio() != nil || conn.Messages() != nil {
		t.Errorf("%+v", r)
	}
	c.text(`{"eof" : 1}`)
	c.rest()
	<-conn.Done()
	if s.Accepted() != 1 || len(s.Connections()) != 0 {
		t.Errorf("%d accepted, %d kept", s.Accepted(), len(s.Connections()))
	}
}

// A deaf recogniser answers on schedule.
func TestDeaf(t *testing.T) {
	want := []Spoken{{At: time.Second, Length: 300 * ms, Word: "one"}, {At: 3 * time.Second, Length: 300 * ms, Word: "one"}}
	c := dial(t, nil, start(t, &Server{Deaf: true})+asked, "")
	c.say(Say(8000, Spoken{Word: "two"}, Spoken{Length: 5 * time.Second}), 320)
	c.text(`{"type":"CloseStream"}`)
	messages, _ := c.rest()
	got := words(sort(t, messages).finals, -1)
	if len(got) != 2 || got[0] != expect(0, want)[0] || got[1] != expect(0, want)[1] {
		t.Errorf("%v", got)
	}
}

func TestNextAndAwaitEndWithTheirContext(t *testing.T) {
	s := &Server{Format: Vosk}
	dial(t, nil, start(t, s), "")
	conn := connection(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Next(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := conn.Await(ctx, func(Report) bool { return false }); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// Through TLS, too, a reset is one.
func TestResetThroughTLS(t *testing.T) {
	web := httptest.NewTLSServer(nil)
	defer web.Close()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	s := &Server{Format: Vosk}
	s.SetFault(1, Fault{Reset: true, After: 20 * ms})
	var serving sync.WaitGroup
	serving.Go(func() { _ = s.Serve(ctx, tls.NewListener(ln, &tls.Config{Certificates: web.TLS.Certificates})) })
	t.Cleanup(func() { cancel(); serving.Wait() })
	c := dial(t, web.Client(), "wss://"+ln.Addr().String(), "")
	c.say(make([]byte, 320), 320)
	if c.rest(); !errors.Is(c.err, syscall.ECONNRESET) {
		t.Error(c.err)
	}
}
