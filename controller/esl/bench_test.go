package esl

import (
	"bufio"
	"io"
	"testing"

	"tapdeck/controller/esl/internal/frametest"
)

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
			io.WriteString(far, frametest.OKReply)
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
	for name, headers := range map[string][]string{"whole": nil, "trimmed": frametest.CallHeaders} {
		b.Run(name, func(b *testing.B) {
			cfg := testConfig()
			cfg.Headers = headers
			c, far := memoryPair(b, cfg)
			defer c.Close()
			defer far.Close()
			ev := frametest.JSON(frametest.Event)
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
