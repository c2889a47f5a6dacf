package fio

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"tapdeck/controller/esl/internal/frame"
	"tapdeck/controller/esl/internal/frametest"
)

// A panic in what a link calls ends the link with ErrPanic, and nothing hangs: not the
// command in flight, not Close.
func TestPanicEndsTheLink(t *testing.T) {
	panics := func() { panic("told to") }
	for name, spoil := range map[string]func(*Options){
		"Deliver": func(o *Options) { o.Deliver = func(Header, string) error { panics(); return nil } },
		"Dropped": func(o *Options) { o.Dropped = func(string, []byte) { panics() } },
		"Done":    func(o *Options) { o.Done = func(error, bool) { panics() } },
	} {
		t.Run(name, func(t *testing.T) {
			outer, peer := net.Pipe()
			defer peer.Close()
			go io.Copy(io.Discard, peer)
			var panicked []any
			done := false
			o := Options{
				WriteTimeout: testTimeout, ReplyTimeout: testTimeout,
				Deliver: func(Header, string) error { return nil }, Dropped: func(string, []byte) {}, Done: func(error, bool) { done = true },
				Panicked: func(p any) { panicked = append(panicked, p) },
			}
			spoil(&o)
			l, err := Open(outer, frame.NewReader(outer, testTimeout, func(int) {}), o)
			if err != nil {
				t.Fatal(err)
			}
			answered := make(chan error, 1)
			go func() {
				_, err := l.Send(context.Background(), "linger", "linger 5")
				answered <- err
			}()
			go io.WriteString(peer, frametest.JSON(`{"a":"b"}`)+"Content-Type: something/else\n\n"+frametest.JSON(`{"a":"b"}`))
			if name == "Done" {
				l.End(io.EOF)
			}
			select {
			case err := <-answered:
				if !errors.Is(err, ErrPanic) && name != "Done" {
					t.Errorf("the command ended by %v", err)
				}
			case <-time.After(patience):
				t.Fatal("the command hangs")
			}
			l.Close(io.EOF)
			if len(panicked) != 1 || done != (name != "Done") || name != "Done" && !errors.Is(l.Err(), ErrPanic) {
				t.Errorf("panicked %v, done %v, ended by %v", panicked, done, l.Err())
			}
		})
	}
}
