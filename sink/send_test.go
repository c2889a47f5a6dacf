package sink

import (
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tapdeck/sink/store"
)

// texts reads so many texts, and answers no ping.
func (s *socket) texts(n int) (all []string) {
	s.t.Helper()
	for len(all) < n {
		first, payload, err := s.readFrame()
		if err != nil {
			s.t.Fatalf("after %d texts: %v", len(all), err)
		}
		if first != fin|opText {
			s.t.Fatalf("frame %#x after %d texts", first, len(all))
		}
		all = append(all, string(payload))
	}
	return all
}

// Texts of every size arrive whole and in order, while audio comes; also over TLS. Before the socket
// and after it there is no stream.
func TestSend(t *testing.T) {
	for name, secure := range map[string]bool{"plain": false, "TLS": true} {
		t.Run(name, func(t *testing.T) {
			cfg := testConfig(t)
			ln, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			dial := func() (net.Conn, error) { return net.Dial("tcp", ln.Addr().String()) }
			if secure {
				cfg.TLS = testTLS(t)
				dial = func() (net.Conn, error) {
					return tls.Dial("tcp", ln.Addr().String(), &tls.Config{InsecureSkipVerify: true})
				}
			}
			b := serveOn(t, cfg, ln, dial, store.OSDisk{})
			r := b.expect(testCall(testID))
			wantError(t, r.Send([]byte("x")), ErrNoStream)
			s := b.connect(r)
			await(t, r, "live", func(st State) bool { return st.Live })
			var want []string
			var all sync.WaitGroup
			all.Go(func() {
				for range 50 {
					s.audio(speech(1, 160))
				}
			})
			for i := range 40 {
				text := fmt.Sprintf("%d:%s", i, strings.Repeat("x", i*1000))
				want = append(want, text)
				buf := []byte(text)
				if err := r.Send(buf); err != nil {
					t.Fatal(err)
				}
				clear(buf) // Send has a copy
			}
			got := s.texts(len(want))
			for i := range want {
				if got[i] != want[i] {
					t.Errorf("text %d has %d bytes, want %d", i, len(got[i]), len(want[i]))
				}
			}
			all.Wait()
			s.hangUp()
			awaitGone(t, r, 1)
			wantError(t, r.Send([]byte("x")), ErrNoStream)
			if record := b.finish(r); record.Bytes != 50*320 {
				t.Errorf("%d bytes of audio came", record.Bytes)
			}
		})
	}
}

// blockedConn is a server's end whose writes wait for their deadline while it is blocked.
type blockedConn struct {
	net.Conn
	mu       sync.Mutex
	changed  chan struct{} // closed by every change
	blocked  bool
	closed   bool
	deadline time.Time
}

func (c *blockedConn) change(do func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	do()
	close(c.changed)
	c.changed = make(chan struct{})
}

func (c *blockedConn) block(on bool) { c.change(func() { c.blocked = on }) }

func (c *blockedConn) Close() error {
	c.change(func() { c.closed = true })
	return c.Conn.Close()
}

func (c *blockedConn) SetDeadline(t time.Time) error {
	_ = c.SetWriteDeadline(t)
	return c.Conn.SetReadDeadline(t)
}

func (c *blockedConn) SetWriteDeadline(t time.Time) error {
	c.change(func() { c.deadline = t })
	return nil
}

func (c *blockedConn) Write(p []byte) (int, error) {
	for {
		c.mu.Lock()
		changed, blocked, closed, deadline := c.changed, c.blocked, c.closed, c.deadline
		c.mu.Unlock()
		late := make(<-chan time.Time)
		if !deadline.IsZero() {
			late = time.After(time.Until(deadline))
		}
		switch {
		case closed:
			return 0, net.ErrClosed
		case !deadline.IsZero() && !time.Now().Before(deadline):
			return 0, os.ErrDeadlineExceeded
		case !blocked:
			return c.Conn.Write(p)
		}
		select {
		case <-changed:
		case <-late:
		}
	}
}

// blockedListener makes the latest connection one whose writes can be blocked.
type blockedListener struct {
	net.Listener
	latest *blockedConn
}

func (l *blockedListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.latest = &blockedConn{Conn: c, changed: make(chan struct{})}
	return l.latest, nil
}

// blockable runs a test with a live stream that brings a frame every 20 ms and whose writes can be blocked.
func blockable(t *testing.T, test func(b *testbed, r *Recording, s *socket, c *blockedConn)) {
	synctest.Test(t, func(t *testing.T) {
		pipe := newPipeListener()
		ln := &blockedListener{Listener: pipe}
		b := serveOn(t, testConfig(t), ln, pipe.dial, store.OSDisk{})
		r := b.expect(testCall(testID))
		s := b.connect(r)
		s.play(speech(1, 8000))
		test(b, r, s, ln.latest)
	})
}

// A switch that does not read is the stream's end after some seconds, and not before; no caller of
// Send waits for it, what may wait is bounded, and the audio that came meanwhile is kept.
func TestSendToOneThatDoesNotRead(t *testing.T) {
	blockable(t, func(b *testbed, r *Recording, s *socket, c *blockedConn) {
		t := b.t
		h := collect(r.Tap(TapOptions{}))
		c.block(true)
		text := make([]byte, 40_000)
		n, began := 0, time.Now()
		var err error
		for ; err == nil; n++ {
			err = r.Send(text)
		}
		wantError(t, err, ErrSendFull)
		if n != 1+sendBytes/len(text) || time.Since(began) != 0 {
			t.Errorf("%d texts were accepted in %v", n-1, time.Since(began))
		}
		s.play(speech(2, 8000*3))
		if st := r.State(); !st.Live || st.Audio < 3900*time.Millisecond {
			t.Errorf("state %+v", st)
		}
		s.awaitEnd()
		if took := time.Since(began); took < sendTimeout || took > sendTimeout+500*time.Millisecond {
			t.Errorf("the stream ended after %v", took)
		}
		if st := awaitGone(t, r, 1); st.LastEnd != EndNotRead {
			t.Errorf("state %+v", st)
		}
		wantError(t, r.Send(text), ErrNoStream)
		record := b.finish(r)
		if record.Bytes != 4*16000 {
			t.Errorf("%d bytes of audio", record.Bytes)
		}
		wav, _ := readWAV(t, b.path(record.WAV))
		h.check(t, wav)
		hasHints(t, b)
	})
}

// A pause of the switch's reading, shorter than that, loses nothing; a ping meanwhile is not what
// the stream waits for, and the next one is answered.
func TestSendWaitsForASlowSwitch(t *testing.T) {
	blockable(t, func(b *testbed, r *Recording, s *socket, c *blockedConn) {
		t := b.t
		c.block(true)
		for _, text := range []string{"one", "two"} {
			if err := r.Send([]byte(text)); err != nil {
				t.Fatal(err)
			}
		}
		s.play(speech(2, 8000))
		s.ping()
		s.play(speech(3, 8000*2))
		if st := r.State(); st.Audio < 3700*time.Millisecond {
			t.Errorf("the audio waits: %v", st.Audio)
		}
		c.block(false)
		if got := s.texts(2); got[0] != "one" || got[1] != "two" {
			t.Errorf("texts %q", got)
		}
		elapse(10 * time.Second) // no deadline is left behind
		s.ping()
		if first, payload, err := s.readFrame(); first != fin|opPong || string(payload) != "ping" {
			t.Errorf("frame %#x %q %v", first, payload, err)
		}
		s.hangUp()
		b.finish(r)
	})
}

// What waits at the end is dropped, and the Close is answered: if the switch closes, once what is
// being sent is through; if the call stops its stream, at once.
func TestSendEndsWithTheSocket(t *testing.T) {
	for name, stopping := range map[string]bool{"closed": false, "stopped": true} {
		t.Run(name, func(t *testing.T) {
			blockable(t, func(b *testbed, r *Recording, s *socket, c *blockedConn) {
				t := b.t
				c.block(true)
				for range 10 {
					if err := r.Send([]byte("text")); err != nil {
						t.Fatal(err)
					}
				}
				elapse(frame)
				if stopping {
					r.Stopping()
					wantError(t, r.Send([]byte("text")), ErrNoStream)
				}
				s.sendClose()
				elapse(frame)
				c.block(false)
				texts, closes := 0, 0
				for {
					first, _, err := s.readFrame()
					if err != nil {
						break
					}
					switch first {
					case fin | opText:
						texts++
					case fin | opClose:
						closes++
					}
				}
				if texts != 1 || closes != 1 {
					t.Errorf("%d texts and %d Close", texts, closes)
				}
				if st := awaitGone(t, r, 1); st.LastEnd != EndClosed {
					t.Errorf("state %+v", st)
				}
				b.finish(r)
			})
		})
	}
}

// The daemon's own end of a socket is not held up by a switch that does not read.
func TestCloseWhileSending(t *testing.T) {
	blockable(t, func(b *testbed, r *Recording, s *socket, c *blockedConn) {
		t := b.t
		c.block(true)
		if err := r.Send([]byte("text")); err != nil {
			t.Fatal(err)
		}
		elapse(frame)
		began := time.Now()
		if err := r.Disconnect(t.Context()); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took > closeTimeout+lastReads+lastWait {
			t.Errorf("Disconnect took %v", took)
		}
		if st := r.State(); st.LastEnd != EndDisconnected {
			t.Errorf("state %+v", st)
		}
		b.finish(r)
	})
}
