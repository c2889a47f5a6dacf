package esl

import (
	"bufio"
	"io"
	"os"
	"testing"
)

// realEvent is an event as FreeSWITCH writes it in JSON.
func realEvent(t testing.TB) string {
	t.Helper()
	b, err := os.ReadFile("testdata/event.json")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// BenchmarkCommand is a command and its reply: library, loopback, guard, pipe and back.
func BenchmarkCommand(b *testing.B) {
	c, far := memoryPair(b, testConfig())
	defer c.Close()
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

// BenchmarkEvent is a 5 KB JSON event from the switch to the handler, whole and trimmed.
func BenchmarkEvent(b *testing.B) {
	for name, headers := range map[string][]string{"whole": nil, "trimmed": callHeaders} {
		b.Run(name, func(b *testing.B) {
			cfg := testConfig()
			cfg.Headers = headers
			c, far := memoryPair(b, cfg)
			defer c.Close()
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
	b.ReportAllocs()
	for b.Loop() {
		c, far := memoryPair(b, testConfig())
		far.Close()
		c.Close()
	}
}
