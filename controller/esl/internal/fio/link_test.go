package fio

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"tapdeck/controller/esl/internal/frame"
)

// At the end of a link the reply to a command is awaited if the switch has read that, and has not
// answered it.
func TestAwaiting(t *testing.T) {
	for _, reads := range []bool{true, false} {
		outer, peer := net.Pipe()
		defer peer.Close()
		told := make(chan bool, 1)
		l, err := Open(outer, frame.NewReader(outer, testTimeout, func(int) {}), Options{
			WriteTimeout: 10 * time.Millisecond, ReplyTimeout: 100 * time.Millisecond,
			Deliver: func(Header, string) error { return nil }, Dropped: func(string, []byte) {},
			Done: func(_ error, awaiting bool) { told <- awaiting }, Panicked: func(p any) { t.Error(p) },
		})
		if err != nil {
			t.Fatal(err)
		}
		if l.Awaiting() {
			t.Error("a reply is awaited before any command")
		}
		if reads {
			go io.Copy(io.Discard, peer)
		}
		if _, err := l.Send(context.Background(), "linger", "linger 5"); errors.Is(err, ErrReplyTimeout) != reads {
			t.Errorf("read: %v, ended by %v", reads, err)
		}
		l.Close(io.EOF)
		if awaiting := l.Awaiting(); awaiting != reads || len(told) == 1 && <-told != reads {
			t.Errorf("read: %v, awaiting: %v", reads, awaiting)
		}
	}
}
