package app

import (
	"io"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"tapdeck/cmd/internal/apptest"
	"tapdeck/cmd/internal/config"
)

// TestStrangersDoNotFillTheLog refuses many strangers on both ports: the log has a line a
// second of each kind, and counts all of them.
func TestStrangersDoNotFillTheLog(t *testing.T) {
	const strangers = 150
	elsewhere := []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
	s := newTestDaemon(t, shortCalls, func(c *config.Config) { c.ESL.Allow, c.Sink.Allow = elsewhere, elsewhere })
	began := time.Now()
	for range strangers {
		for _, ln := range []net.Listener{s.listeners.ESL, s.listeners.Sink} {
			conn, err := net.DialTimeout("tcp", ln.Addr().String(), apptest.Patience)
			if err != nil {
				t.Fatal(err)
			}
			_ = conn.SetDeadline(time.Now().Add(apptest.Patience))
			_, _ = io.WriteString(conn, upgrade)
			_, _ = io.Copy(io.Discard, io.LimitReader(conn, 1)) // until it is answered or closed
			_ = conn.Close()
		}
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	lines, counted := 0, map[string]int{}
	for _, line := range s.journal.Lines(t) {
		msg, _ := line["msg"].(string)
		refusal := slices.Contains([]string{"event socket connections refused", "stream refused"}, msg)
		skipped, isLimited := line["skipped"].(float64)
		if !refusal && !isLimited {
			continue
		}
		lines++
		counted[msg] += int(skipped)
		if count, ok := line["count"].(float64); ok {
			counted[msg] += int(count)
		} else if refusal {
			counted[msg]++
		}
	}
	total := 0
	for _, n := range counted {
		total += n
	}
	if total != 2*strangers {
		t.Errorf("%d strangers are counted, not %d: %v", total, 2*strangers, counted)
	}
	// Of each port one line and one summary a second, and those at the beginning and the end.
	if most := 2 * (2*int(time.Since(began)/time.Second) + 2); lines > most {
		t.Errorf("%d lines of %d strangers in %v, more than %d", lines, 2*strangers, time.Since(began), most)
	}
}

// upgrade asks for a stream, with a ticket that nobody has made.
const upgrade = "GET /stream/00000000-0000-4000-8000-000000000000/guess HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
