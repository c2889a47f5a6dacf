package dialer

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"tapdeck/controller/internal/dialertest"
)

// peer is the other side of a Conn. It returns once done is closed, or before.
type peer func(ws *websocket.Conn, below net.Conn, done <-chan struct{})

// opened has a test use a Conn to a peer, in fake time.
func opened(t *testing.T, o func() Owner, p peer, test func(*testing.T, *Conn)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		n := dialertest.NewNetwork()
		done := make(chan struct{})
		srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			h := &hijacker{ResponseWriter: w}
			ws, err := websocket.Accept(h, r, nil)
			if err != nil {
				t.Error(err)
				return
			}
			defer ws.CloseNow()
			p(ws, h.conn, done)
		})}
		go srv.Serve(n)
		defer srv.Close()
		defer close(done)
		c, err := testTarget("ws://bot.test").Open(t.Context(), n.Dial, o())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Drop()
		test(t, c)
	})
}

func nobody() Owner { return Owner{} }

// hangs neither reads nor writes.
func hangs(_ *websocket.Conn, _ net.Conn, done <-chan struct{}) { <-done }

// answers reads, and so answers pings.
func answers(ws *websocket.Conn, _ net.Conn, _ <-chan struct{}) {
	for {
		if _, _, err := ws.Read(context.Background()); err != nil {
			return
		}
	}
}

// reading returns what reads c until it is over.
func reading(c *Conn) func() error {
	return func() error {
		for {
			if _, _, err := c.Read(); err != nil {
				return err
			}
		}
	}
}

// waiting returns what does nothing until c is over.
func waiting(c *Conn) func() error {
	return func() error {
		<-c.Over()
		return io.ErrClosedPipe
	}
}

var errFirst = errors.New("first")

// after returns what fails after a time, whatever happens meanwhile.
func after(d time.Duration, err error) func() error {
	return func() error {
		time.Sleep(d)
		return err
	}
}

// Whoever ends a connection first says why it has ended, and Serve waits for all.
func TestFirstCauseCounts(t *testing.T) {
	for name, serve := range map[string]func(c *Conn) error{
		"of the reader": func(c *Conn) error { return c.Serve(after(time.Second, errFirst), waiting(c)) },
		"of the writer": func(c *Conn) error { return c.Serve(reading(c), after(time.Second, errFirst)) },
		"of another": func(c *Conn) error {
			time.AfterFunc(time.Second, func() { c.End(errFirst); c.End(io.EOF) })
			return c.Serve(reading(c), waiting(c))
		},
		"before it is served": func(c *Conn) error {
			time.Sleep(time.Second)
			c.End(errFirst)
			return c.Serve(reading(c), waiting(c))
		},
	} {
		t.Run(name, func(t *testing.T) {
			opened(t, nobody, answers, func(t *testing.T, c *Conn) {
				began := time.Now()
				if err := serve(c); err != errFirst || time.Since(began) != time.Second {
					t.Errorf("after %v: %v", time.Since(began), err)
				}
				if _, _, err := c.Read(); err == nil || c.Write(true, nil) == nil {
					t.Error("what is over is read or written")
				}
			})
		})
	}
}

// A connection lasts for as long as pings are answered, whenever the last message was written.
func TestConnLasts(t *testing.T) {
	opened(t, nobody, answers, func(t *testing.T, c *Conn) {
		began := time.Now()
		if err := c.Serve(reading(c), func() error {
			if err := c.Write(true, nil); err != nil {
				return err
			}
			return after(time.Hour, errFirst)()
		}); err != errFirst || time.Since(began) != time.Hour {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
	})
}

// A host that is gone without a word answers no ping.
func TestNoPong(t *testing.T) {
	opened(t, nobody, hangs, func(t *testing.T, c *Conn) {
		began := time.Now()
		err := c.Serve(reading(c), waiting(c))
		if took := time.Since(began); took != 30*time.Second || !errors.Is(err, ErrNoPong) || err.Error() != "the recogniser has not answered a ping for 20 s" {
			t.Errorf("after %v: %v", took, err)
		}
	})
}

// Nobody waits for the pong of a connection that is over.
func TestEndWhileAPingWaits(t *testing.T) {
	opened(t, nobody, hangs, func(t *testing.T, c *Conn) {
		began := time.Now()
		if err := c.Serve(waiting(c), after(15*time.Second, errFirst)); err != errFirst || time.Since(began) != 15*time.Second {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
	})
}

// A writer is held up for 5 s by a peer that reads nothing.
func TestNoWrite(t *testing.T) {
	opened(t, nobody, hangs, func(t *testing.T, c *Conn) {
		began := time.Now()
		err := c.Serve(reading(c), func() (err error) {
			for err == nil {
				err = c.Write(true, make([]byte, 10_000))
			}
			return err
		})
		if took := time.Since(began); took != 5*time.Second || !errors.Is(err, ErrNoWrite) || err.Error() != "the recogniser has read nothing for 5 s" {
			t.Errorf("after %v: %v", took, err)
		}
	})
}

// A writer that finds the connection gone leaves it to the reader to say why, for a time.
func TestWriterWaitsForTheReader(t *testing.T) {
	for name, c := range map[string]struct {
		reads       time.Duration
		write, want error
		after       time.Duration
	}{
		"gone":            {time.Second, net.ErrClosed, errFirst, time.Second},
		"gone for longer": {time.Minute, net.ErrClosed, net.ErrClosed, 3 * time.Second},
		"another error":   {time.Second, io.ErrUnexpectedEOF, io.ErrUnexpectedEOF, 0},
	} {
		t.Run(name, func(t *testing.T) {
			opened(t, func() Owner { return Owner{GoneTimeout: 3 * time.Second} }, answers, func(t *testing.T, conn *Conn) {
				began := time.Now()
				over := make(chan time.Duration, 1)
				context.AfterFunc(conn.life, func() { over <- time.Since(began) })
				err := conn.Serve(after(c.reads, errFirst), func() error { return c.write })
				if took := <-over; err != c.want || took != c.after {
					t.Errorf("over after %v: %v", took, err)
				}
			})
		})
	}
}

// A ping that fails ends a connection, but not one that its owner closes.
func TestPingFails(t *testing.T) {
	for name, c := range map[string]struct {
		stopped bool
		want    error
	}{"connected": {false, os.ErrDeadlineExceeded}, "closing": {true, errFirst}} {
		t.Run(name, func(t *testing.T) {
			opened(t, func() Owner { return stopped(c.stopped) }, answers, func(t *testing.T, conn *Conn) {
				conn.Expire(0)
				if err := conn.Serve(after(time.Minute, errFirst), waiting(conn)); !errors.Is(err, c.want) {
					t.Errorf("%v, want %v", err, c.want)
				}
			})
		})
	}
}

// stopped is an owner that is told to stop, or not yet.
func stopped(is bool) Owner {
	stopping := make(chan struct{})
	if is {
		close(stopping)
	}
	return Owner{Stopping: stopping}
}

// What has its bound is over in time, though the peer does not answer the close.
func TestCloseExpires(t *testing.T) {
	opened(t, nobody, hangs, func(t *testing.T, c *Conn) {
		began := time.Now()
		err := c.Serve(reading(c), func() error {
			c.Expire(time.Second)
			c.Close()
			return errFirst
		})
		if took := time.Since(began); took != time.Second || err == nil {
			t.Errorf("after %v: %v", took, err)
		}
	})
}

// Messages come whole, in their kind, and the room of a large one is not kept.
func TestRead(t *testing.T) {
	large := bytes.Repeat([]byte("x"), maxMessage)
	opened(t, nobody, func(ws *websocket.Conn, _ net.Conn, _ <-chan struct{}) {
		_ = ws.Write(context.Background(), websocket.MessageText, large)
		_ = ws.Write(context.Background(), websocket.MessageBinary, []byte("second"))
		_ = ws.Write(context.Background(), websocket.MessageBinary, []byte("third"))
		_ = ws.Write(context.Background(), websocket.MessageText, append(large, 'x'))
	}, func(t *testing.T, c *Conn) {
		if binary, message, err := c.Read(); binary || !bytes.Equal(message, large) || err != nil {
			t.Errorf("binary %v, %d bytes, %v", binary, len(message), err)
		}
		if binary, message, err := c.Read(); !binary || string(message) != "second" || err != nil || c.message.Cap() > keptMessage {
			t.Errorf("binary %v, %q, %v, room for %d", binary, message, err, c.message.Cap())
		}
		if _, message, err := c.Read(); string(message) != "third" || err != nil {
			t.Errorf("%q, %v", message, err)
		}
		if _, _, err := c.Read(); !errors.Is(err, websocket.ErrMessageTooBig) {
			t.Errorf("a message of more: %v", err)
		}
	})
}

// A second that is used up is waited for, unless there is something else to do.
func TestSpend(t *testing.T) {
	for name, c := range map[string]struct {
		stopped, over bool
		want          time.Duration
	}{"connected": {false, false, time.Second}, "stopped": {true, false, 0}, "over": {false, true, 0}} {
		t.Run(name, func(t *testing.T) {
			opened(t, func() Owner { return stopped(c.stopped) }, hangs, func(t *testing.T, conn *Conn) {
				if c.over {
					conn.End(errFirst)
				}
				began := time.Now()
				conn.Spend(paceBudget - 1)
				conn.Spend(1)
				if took := time.Since(began); took != c.want {
					t.Errorf("a wait of %v, want %v", took, c.want)
				}
			})
		})
	}
}

// A peer that sends nothing but pings is read slowly, and lost after 5 s. Whoever closes reads on.
func TestOnlyFrames(t *testing.T) {
	pings := func(_ *websocket.Conn, below net.Conn, done <-chan struct{}) {
		_, _ = io.WriteString(below, strings.Repeat("\x89\x00", 10*paceBudget/costControl))
		<-done
	}
	for name, c := range map[string]struct {
		stopped bool
		seconds int
		want    error
		after   time.Duration
	}{
		"connected": {false, 5, ErrOnlyFrames, 5 * time.Second},
		"closing":   {true, 0, errFirst, 7 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			seconds := 0
			opened(t, func() Owner {
				o := stopped(c.stopped)
				o.OnlyFrames = func() { seconds++ }
				return o
			}, pings, func(t *testing.T, conn *Conn) {
				began := time.Now()
				over := make(chan time.Duration, 1)
				context.AfterFunc(conn.life, func() { over <- time.Since(began) })
				err := conn.Serve(reading(conn), after(7*time.Second, errFirst))
				if took := <-over; took != c.after || seconds != c.seconds || !errors.Is(err, c.want) {
					t.Errorf("%d seconds, over after %v: %v", seconds, took, err)
				}
			})
		})
	}
}

// The seconds of what is over are counted no more.
func TestOnlyFramesOfWhatIsOver(t *testing.T) {
	seconds := 0
	opened(t, func() Owner { return Owner{OnlyFrames: func() { seconds++ }} }, hangs, func(t *testing.T, c *Conn) {
		time.AfterFunc(1500*time.Millisecond, func() { c.End(errFirst) })
		c.seen(SeenFrames{Control: 4 * paceBudget / costControl})
		if seconds != 2 {
			t.Errorf("%d seconds", seconds)
		}
	})
}

// muteConn writes nothing any more once it is mute.
type muteConn struct {
	net.Conn
	mute bool
}

func (c *muteConn) Write(p []byte) (int, error) {
	if c.mute {
		return len(p), nil
	}
	return c.Conn.Write(p)
}

// A message allocates nothing on its way to the socket.
func TestWriteAllocatesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := dialertest.NewNetwork()
		srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = websocket.Accept(w, r, nil) })}
		go srv.Serve(n)
		defer srv.Close()
		below := &muteConn{}
		c, err := testTarget("ws://bot.test").Open(t.Context(), func(ctx context.Context, network, address string) (conn net.Conn, err error) {
			below.Conn, err = n.Dial(ctx, network, address)
			return below, err
		}, Owner{})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Drop()
		below.mute = true
		message := make([]byte, 640)
		if n := testing.AllocsPerRun(500, func() { _ = c.Write(true, message) }); n != 0 {
			t.Errorf("%v allocations", n)
		}
	})
}
