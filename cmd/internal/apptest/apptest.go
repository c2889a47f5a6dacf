// Package apptest is what the tests of the daemon, of the commands and of the doctor share:
// waiting, a log that is read while it is written, and systemd's side. It is for tests alone.
package apptest

import (
	"bytes"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// Patience bounds every wait of these tests.
const Patience = 30 * time.Second

// Until asks again and again until ask says yes. It is the only place where
// these tests wait for what no channel tells.
func Until(t testing.TB, what string, ask func() bool) {
	t.Helper()
	if !Asked(ask) {
		t.Fatalf("waited %v in vain for %s", Patience, what)
	}
}

// Asked is Until for who reports in another way: it says whether ask ever said yes.
func Asked(ask func() bool) bool {
	limit := time.NewTimer(Patience)
	defer limit.Stop()
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for {
		if ask() {
			return true
		}
		select {
		case <-again.C:
		case <-limit.C:
			return false
		}
	}
}

// Journal is a log that is read while it is written.
type Journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write appends to the log.
func (j *Journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *Journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// Lines are the log's lines, each as the JSON object that it must be.
func (j *Journal) Lines(t testing.TB) []map[string]any {
	t.Helper()
	var list []map[string]any
	for line := range strings.Lines(j.String()) {
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Fatalf("log line %q: %v", line, err)
		}
		list = append(list, fields)
	}
	return list
}

// Wait waits until the log matches a pattern.
func (j *Journal) Wait(t testing.TB, pattern string) {
	t.Helper()
	re := regexp.MustCompile(pattern)
	Until(t, "the log line "+pattern, func() bool { return re.MatchString(j.String()) })
}

// ListenAnywhere listens on a free loopback port until the test ends.
func ListenAnywhere(t testing.TB) net.Listener {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	return ln
}

// Manager is systemd's side of sd_notify: a socket at Path, and what came there, each
// message in brackets with blanks for its line ends.
type Manager struct {
	*Journal
	Path string
}

// NewManager listens until the test ends.
func NewManager(t testing.TB) *Manager {
	t.Helper()
	dir, err := os.MkdirTemp("", "notify") // t.TempDir may be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	m := &Manager{Journal: &Journal{}, Path: filepath.Join(dir, "socket")}
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: m.Path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	var reading sync.WaitGroup
	reading.Go(func() {
		buf := make([]byte, 4096)
		for {
			n, err := conn.Read(buf)
			if err != nil {
				return
			}
			_, _ = m.Write([]byte("[" + strings.ReplaceAll(string(buf[:n]), "\n", " ") + "]"))
		}
	})
	t.Cleanup(func() {
		_ = conn.Close()
		reading.Wait()
		_ = os.RemoveAll(dir)
	})
	return m
}
