package agent

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"tapdeck/controller/dialer"
	"tapdeck/controller/internal/dialertest"
	"tapdeck/controller/pcm"

	"github.com/coder/websocket"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
)

// deaf returns a connection to a bot that reads all and does nothing else.
func deaf(t testing.TB, c Config, ear pcm.Ear) *connection {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := websocket.Accept(w, r, nil)
		if err != nil {
			t.Error(err)
		}
	}))
	defer srv.Close()
	c.URL = "ws" + srv.URL[4:]
	swap := &swapConn{}
	conn, err := c.target().Open(context.Background(), func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		swap.Conn = conn
		return swap, err
	}, dialer.Owner{})
	if err != nil {
		t.Fatal(err)
	}
	swap.mute = true
	t.Cleanup(conn.Drop)
	return newConnection(&Session{config: c, ear: ear, log: zap.NewNop(), notices: newNotices()}, conn)
}

// swapConn writes nothing any more once it is mute.
type swapConn struct {
	net.Conn
	mute bool
}

func (c *swapConn) Write(p []byte) (int, error) {
	if c.mute {
		return len(p), nil
	}
	return c.Conn.Write(p)
}

// endlessEar always has a frame.
type endlessEar struct{ at time.Duration }

func (e *endlessEar) Ready() <-chan struct{} { return nil }
func (e *endlessEar) Close()                 {}
func (e *endlessEar) Read(p []byte) (pcm.Sound, error) {
	e.at += frameTime
	return pcm.Sound{At: e.at, Bytes: len(p)}, nil
}

// A frame allocates nothing on its way from the ear to the socket.
func TestFramesAllocateNothing(t *testing.T) {
	for _, c := range []struct {
		format Format
		rate   int
	}{{FormatTwilio, 8000}, {FormatTwilio, 16000}, {FormatPCM, 8000}, {FormatPCM, 16000}} {
		config := testConfig(c.format)
		config.Rate = c.rate
		conn := deaf(t, config, &endlessEar{})
		send := func() {
			if sent, err := conn.sendFrame(); !sent || err != nil {
				t.Fatal(sent, err)
			}
		}
		send()
		if n := testing.AllocsPerRun(500, send); n != 0 {
			t.Errorf("%s at %d Hz: %v allocations a frame", c.format, c.rate, n)
		}
	}
}

// BenchmarkFrame is one frame of 20 ms from the ear to the socket, without the kernel.
func BenchmarkFrame(b *testing.B) {
	for _, format := range []Format{FormatTwilio, FormatPCM} {
		b.Run(string(format), func(b *testing.B) {
			conn := deaf(b, testConfig(format), &endlessEar{})
			b.ReportAllocs()
			for b.Loop() {
				if _, err := conn.sendFrame(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkDecode is a message of the bot with 200 ms of audio.
func BenchmarkDecode(b *testing.B) {
	w := newTwilio(testConfig(FormatTwilio))
	message, _ := newTwilio(testConfig(FormatTwilio)).audio(nil, make([]byte, 3200), 0)
	message = bytes.Replace(message, []byte(`"streamSid":"MZ`), []byte(`"stream":"MZ`), 1)
	b.ReportAllocs()
	for b.Loop() {
		if _, wrong := w.decode(false, message); wrong != nil {
			b.Fatal(wrong)
		}
	}
}

// BenchmarkSessions has 100 callers speak in real time, and measures from the moment at which the ear
// has a frame to the one at which the bot has it from its socket.
func BenchmarkSessions(b *testing.B) {
	const sessions, frames = 100, 100
	for _, format := range []Format{FormatTwilio, FormatPCM} {
		b.Run(string(format), func(b *testing.B) {
			arrived := make(chan time.Time, sessions*frames)
			bot := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				ws, err := websocket.Accept(w, r, nil)
				if err != nil {
					b.Error(err)
					return
				}
				defer ws.CloseNow()
				countFrames(ws, format, arrived)
			}))
			defer bot.Close()
			var all []time.Duration
			for b.Loop() {
				all = append(all, speakAll(b, bot, format, sessions, frames, arrived)...)
			}
			slices.Sort(all)
			b.ReportMetric(float64(all[len(all)/2].Microseconds()), "p50-µs")
			b.ReportMetric(float64(all[len(all)*99/100].Microseconds()), "p99-µs")
		})
	}
}

func countFrames(ws *websocket.Conn, format Format, arrived chan<- time.Time) {
	for n := 0; ; n++ {
		_, r, err := ws.Reader(context.Background())
		if err != nil {
			return
		}
		if _, err := io.Copy(io.Discard, r); err != nil {
			return
		}
		first := map[Format]int{FormatTwilio: 2, FormatPCM: 1}[format]
		if n >= first {
			arrived <- time.Now()
		}
	}
}

// speakAll returns what each frame took. The callers speak one after the other, each every 20 ms or, if the
// machine is slow, less often.
func speakAll(b *testing.B, bot *httptest.Server, format Format, sessions, frames int, arrived <-chan time.Time) (took []time.Duration) {
	c := testConfig(format)
	c.URL = "ws" + bot.URL[4:]
	m := NewMetrics(prometheus.NewRegistry())
	var ears []*dialertest.Ear
	for range sessions {
		ear := dialertest.NewEar(1)
		s := Start(context.Background(), c, ear, &testMouth{}, zap.NewNop(), m)
		defer s.Stop("benchmark over")
		if e := <-s.Events(); e.Kind != Connected {
			b.Fatal(e)
		}
		ears = append(ears, ear)
	}
	audio := frame(1)
	tick := time.NewTicker(frameTime / time.Duration(sessions))
	defer tick.Stop()
	for range frames {
		for _, ear := range ears {
			<-tick.C
			said := time.Now()
			ear.Add(audio)
			took = append(took, (<-arrived).Sub(said))
		}
	}
	return took
}
