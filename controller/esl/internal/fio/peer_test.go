package fio

import (
	"net"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tapdeck/controller/esl/internal/frame"
	"tapdeck/controller/esl/internal/frametest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// testTimeout is what a frame may take.
const testTimeout = 10 * time.Second

// streamConn is a switch that says what is in its reader, and then again and again what
// is to be repeated, if anything.
type streamConn struct {
	net.Conn
	in     strings.Reader
	repeat string
}

func says(text string) *streamConn { return &streamConn{in: *strings.NewReader(text)} }

func (c *streamConn) Read(p []byte) (int, error) {
	if c.repeat != "" && c.in.Len() == 0 {
		c.in.Reset(c.repeat)
	}
	return c.in.Read(p)
}

func (c *streamConn) RemoteAddr() net.Addr            { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 2), Port: 5} }
func (c *streamConn) SetReadDeadline(time.Time) error { return nil }

// readFrame reads one frame.
func readFrame(t *testing.T, text string) frame.Frame {
	t.Helper()
	f, err := frame.NewReader(says(text), testTimeout, func(int) {}).Next()
	if err != nil {
		t.Fatalf("%.60q: %v", text, err)
	}
	return f
}

// BenchmarkGuardJSON reads and judges 5 KB JSON events as FreeSWITCH sends them, whole
// ones and such of which a call's headers are left.
func BenchmarkGuardJSON(b *testing.B) {
	for name, headers := range map[string][]string{"whole": nil, "trimmed": frametest.CallHeaders} {
		b.Run(name, func(b *testing.B) {
			ev := frametest.JSON(frametest.Event)
			r := frame.NewReader(&streamConn{repeat: ev}, testTimeout, func(int) {})
			g := guard{listed: NewNames(headers)}
			b.SetBytes(int64(len(ev)))
			b.ReportAllocs()
			for b.Loop() {
				f, err := r.Next()
				if err != nil {
					b.Fatal(err)
				}
				if v, reason := g.judge(&f); v != forward {
					b.Fatal(reason)
				}
			}
		})
	}
}
