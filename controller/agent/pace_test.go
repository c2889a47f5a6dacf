package agent

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"tapdeck/controller/dialer"

	"github.com/coder/websocket"
)

// hijacked keeps the connection below a WebSocket.
type hijacked struct {
	http.ResponseWriter
	conn *sharedConn
}

func (h *hijacked) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := http.NewResponseController(h.ResponseWriter).Hijack()
	h.conn = &sharedConn{Conn: conn}
	return h.conn, buffered, err
}

// sharedConn is one that the library and a test write to.
type sharedConn struct {
	net.Conn
	writing sync.Mutex
}

func (c *sharedConn) Write(p []byte) (int, error) {
	c.writing.Lock()
	defer c.writing.Unlock()
	return c.Conn.Write(p)
}

// rawBubble is bubble with a bot that writes bytes. What it is told is read, and pings are answered.
func rawBubble(t *testing.T, c Config, bot func(w io.Writer), test func(*bed)) {
	t.Helper()
	bubbleHTTP(t, c, func(w http.ResponseWriter, r *http.Request, _ int) {
		h := &hijacked{ResponseWriter: w}
		ws, err := websocket.Accept(h, r, nil)
		if err != nil {
			t.Errorf("handshake: %v", err)
			return
		}
		defer ws.CloseNow()
		read := make(chan struct{})
		go func() {
			defer close(read)
			for {
				if _, _, err := ws.Read(context.Background()); err != nil {
					_ = h.conn.Close()
					return
				}
			}
		}()
		bot(h.conn)
		<-read
	}, test)
}

// repeat writes frames until nobody reads them.
func repeat(w io.Writer, frames string) {
	many := bytes.Repeat([]byte(frames), 100)
	for {
		if _, err := w.Write(many); err != nil {
			return
		}
	}
}

// A bot that sends frames without end that the library handles without a word is read slowly, and is lost
// after some seconds.
func TestFramesWithoutMessage(t *testing.T) {
	for name, c := range map[string]struct{ first, frame string }{
		"pings":              {"", "\x89\x00"},
		"long pings":         {"", "\x89\x7d" + string(make([]byte, 125))},
		"pongs":              {"", "\x8a\x04pong"},
		"empty fragments":    {"\x02\x00", "\x00\x00"},
		"fragments of text":  {"\x01\x00", "\x00\x00"},
		"fragments of bytes": {"\x02\x00", "\x00\x01x"},
		"pings in fragments": {"\x02\x00", "\x00\x00\x89\x00"},
	} {
		t.Run(name, func(t *testing.T) {
			config := testConfig(FormatPCM)
			config.Reconnect = 0
			rawBubble(t, config, func(w io.Writer) {
				_, _ = io.WriteString(w, c.first)
				repeat(w, c.frame)
			}, func(b *bed) {
				began := b.await(Connected).At
				for range dialer.MaxIdleSeconds {
					if e := b.await(BadMessage); e.Err.Error() != string(wrongFrames) {
						t.Errorf("wrong: %v", e.Err)
					}
				}
				e := b.await(Failed)
				if took := e.At.Sub(began); e.Err.Error() != "the bot has sent nothing but control frames and fragments, thousands of them for 5 s" || e.Text != hintFrames || took < 4*time.Second || took > 6*time.Second {
					t.Errorf("failed after %v: %v (%s)", took, e.Err, e.Text)
				}
				if n := b.State().Wrong[string(wrongFrames)]; n != dialer.MaxIdleSeconds {
					t.Errorf("%d wrong messages", n)
				}
			})
		})
	}
}

// Between messages, they are only read slowly.
func TestFramesBetweenMessages(t *testing.T) {
	rawBubble(t, testConfig(FormatPCM), func(w io.Writer) {
		repeat(w, "\x89\x00\x82\x02ab")
	}, func(b *bed) {
		b.await(Connected)
		elapse(20*time.Second + 500*time.Millisecond)
		b.mouth.set(func() {
			if n := len(b.mouth.played) / 2; n < 21*600 || n > 21*1000 || !b.State().Connected {
				t.Errorf("%d messages were read in 21 s, connected %v", n, b.State().Connected)
			}
		})
	})
}

// A good bot is not held up: it may ping often, speak in fragments, and say much at once.
func TestFramesOfAGoodBot(t *testing.T) {
	fragmented := "\x02\x7e\x10\x00" + string(make([]byte, 4096))
	for range 200 {
		fragmented += "\x00\x7e\x10\x00" + string(make([]byte, 4096))
	}
	fragmented += "\x80\x00"
	for name, c := range map[string]struct {
		frames string
		size   int
		pause  time.Duration
		n      int
	}{
		"large fragments":    {fragmented, 201 * 4096, 0, 9},
		"a fragment a frame": {"\x02\x7e\x01\x40" + string(make([]byte, 320)) + "\x80\x00", 320, 0, 1900},
		"pings in between":   {"\x89\x04ping\x82\x7e\x01\x40" + string(make([]byte, 320)), 320, 20 * time.Millisecond, 3000},
	} {
		t.Run(name, func(t *testing.T) {
			rawBubble(t, testConfig(FormatPCM), func(w io.Writer) {
				for range c.n {
					_, _ = io.WriteString(w, c.frames)
					if c.pause > 0 {
						elapse(c.pause)
					}
				}
			}, func(b *bed) {
				b.await(Connected)
				elapse(time.Duration(c.n)*c.pause + 900*time.Millisecond)
				b.mouth.set(func() {
					if st := b.State(); len(b.mouth.played) != c.n*c.size || st.Wrong != nil || !st.Connected {
						t.Errorf("%d bytes were played, want %d; state %+v", len(b.mouth.played), c.n*c.size, st)
					}
				})
			})
		})
	}
}

// What a bot says after stop is read by whoever closes, while who read before is held up: this is for the race
// detector.
func TestFramesAfterStop(t *testing.T) {
	bubble(t, testConfig(FormatPCM), func(b *botConn) {
		elapse(time.Second)
		b.sayBinary(frame(1))
		for {
			m, binary := b.hear()
			if m == nil && binary == nil {
				return
			}
			if m["event"] == "stop" {
				_ = b.ws.Write(context.Background(), websocket.MessageText, []byte("late"))
			}
		}
	}, func(b *bed) {
		held := make(chan struct{})
		b.mouth.set(func() { b.mouth.held = held })
		b.await(Connected)
		elapse(2 * time.Second)
		time.AfterFunc(time.Second/2, func() { close(held) })
		b.Stop("test over")
	})
}
