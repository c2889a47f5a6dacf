package esl

import (
	"bufio"
	"io"
	"testing"
)

// callHeaders are such as a call looks at.
var callHeaders = []string{
	"Unique-ID", "Control", "Socket-Mode", "Answer-State", "Caller-Caller-ID-Number", "Caller-Destination-Number", "variable_socket_path",
	"variable_tapdeck_*", "Application", "Application-UUID", "Application-Response", "DTMF-Digit", "Hangup-Cause",
}

// BenchmarkGuardJSON reads and judges 6 KB JSON events as FreeSWITCH sends them, whole
// ones and such of which a call's headers are left.
func BenchmarkGuardJSON(b *testing.B) {
	for name, headers := range map[string][]string{"whole": nil, "trimmed": callHeaders} {
		b.Run(name, func(b *testing.B) {
			ev := jsonFrame(realEvent(b))
			conn := &repeatConn{text: ev}
			r := newFrameReader(conn, DefaultConfig(), func(int) {})
			g := guard{wanted: Config{Headers: headers}.wanted()}
			b.SetBytes(int64(len(ev)))
			b.ReportAllocs()
			for b.Loop() {
				f, err := r.next()
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

// repeatConn gives out its text again and again.
type repeatConn struct {
	chunkConn
	text string
	rest string
}

func (c *repeatConn) Read(p []byte) (int, error) {
	if c.rest == "" {
		c.rest = c.text
	}
	n := copy(p, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

// BenchmarkGuardConnect reads and judges a whole answer to connect.
func BenchmarkGuardConnect(b *testing.B) {
	frames, _ := readAll(DefaultConfig(), capture(b))
	b.SetBytes(int64(len(frames[0])))
	b.ReportAllocs()
	text := capture(b)
	for b.Loop() {
		r := newFrameReader(&repeatConn{text: text}, DefaultConfig(), func(int) {})
		if _, err := r.next(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCommand is a command and its reply: library, loopback, guard, pipe and back.
func BenchmarkCommand(b *testing.B) {
	c, far := memoryPair(b, testBridge(b), testConfig())
	defer c.close()
	defer far.Close()
	go func() {
		in := bufio.NewReader(far)
		for {
			if _, err := modelPacket(in); err != nil {
				return
			}
			io.WriteString(far, okReply)
		}
	}()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Command(b.Context(), "linger 5"); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkEvent is a 6 KB JSON event from the switch to the handler, whole and trimmed.
func BenchmarkEvent(b *testing.B) {
	for name, headers := range map[string][]string{"whole": nil, "trimmed": callHeaders} {
		b.Run(name, func(b *testing.B) {
			cfg := testConfig()
			cfg.Headers = headers
			c, far := memoryPair(b, testBridge(b), cfg)
			defer c.close()
			defer far.Close()
			ev := jsonFrame(realEvent(b))
			b.SetBytes(int64(len(ev)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := io.WriteString(far, ev); err != nil {
					b.Fatal(err)
				}
				<-c.Events()
			}
		})
	}
}

// BenchmarkConnection is a connection from the join of the library to its end.
func BenchmarkConnection(b *testing.B) {
	bridge := testBridge(b)
	b.ReportAllocs()
	for b.Loop() {
		c, far := memoryPair(b, bridge, testConfig())
		far.Close()
		c.close()
	}
}
