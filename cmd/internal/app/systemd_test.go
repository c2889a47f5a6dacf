package app

import (
	"context"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"

	"tapdeck/cmd/internal/apptest"
)

func TestServiceWithoutSystemd(t *testing.T) {
	for _, environ := range [][]string{
		nil,
		{"NOTIFY_SOCKET=/nowhere/at/all", "WATCHDOG_USEC=x"},
		{"NOTIFY_SOCKET=@tapdeck-nobody-listens", "WATCHDOG_USEC=-1"},
		{"NOTIFY_SOCKET=@tapdeck-nobody-listens", "WATCHDOG_USEC=1000000", "WATCHDOG_PID=1"},
	} {
		s := systemd(Getenv(environ, "NOTIFY_SOCKET"))
		s.notify("READY=1")
		s.watchdog(t.Context(), environ, func() { t.Errorf("%q: a watchdog that nobody asked for", environ) })
	}
}

// TestWatchdogStopsWithTheDaemon is that a daemon that hangs is not reported alive.
func TestWatchdogStopsWithTheDaemon(t *testing.T) {
	m := apptest.NewManager(t)
	ctx, cancel := context.WithCancel(t.Context())
	asks, hangs := 0, make(chan struct{})
	ended := start(zap.NewNop(), "test", func() error {
		systemd(m.Path).watchdog(ctx, []string{"WATCHDOG_USEC=2000"}, func() {
			if asks++; asks == 3 {
				close(hangs)
				<-ctx.Done()
			}
		})
		return nil
	})
	<-hangs
	m.Wait(t, `(\[WATCHDOG=1\]){2}$`)
	if n := strings.Count(m.String(), "WATCHDOG"); n != 2 {
		t.Errorf("%d messages of a daemon that answered twice", n)
	}
	cancel()
	_ = ended.wait()
}

func TestInheritedListenersAreChecked(t *testing.T) {
	self := "LISTEN_PID=" + strconv.Itoa(os.Getpid())
	for _, c := range []struct{ name, want string }{
		{"LISTEN_FDS=x", "read LISTEN_FDS"},
		{"LISTEN_FDS=1 LISTEN_FDNAMES=http", `FileDescriptorName="http"; it must be esl, sink or admin`},
		{"LISTEN_FDS=1", `FileDescriptorName=""`},
	} {
		_, err := inheritedListeners(append(strings.Fields(c.name), self), "")
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", c.name, err, c.want)
		}
	}
	if got, err := inheritedListeners([]string{self, "LISTEN_FDS=0"}, ""); got != nil || err != nil {
		t.Errorf("no socket: %v, %v", got, err)
	}
	if got, err := inheritedListeners([]string{"LISTEN_PID=1", "LISTEN_FDS=9"}, ""); got != nil || err != nil {
		t.Errorf("sockets for another process: %v, %v", got, err)
	}
	everywhere, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = everywhere.Close() }()
	here := apptest.ListenAnywhere(t)
	got := []bool{
		checkInherited(everywhere.Addr(), "") == nil,
		checkInherited(everywhere.Addr(), "secret") == nil,
		checkInherited(here.Addr(), "") == nil,
	}
	if diff := cmp.Diff([]bool{false, true, true}, got); diff != "" {
		t.Errorf("open admin socket without token, with one, loopback (-want +got):\n%s", diff)
	}
}
