package app

import (
	"context"
	"fmt"
	"net"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// systemd tells the service manager how the daemon stands (sd_notify(3)). Without one
// its methods do nothing.
type systemd struct {
	socket   string
	interval time.Duration // of the watchdog; 0 is none
}

func newSystemd(environ []string) *systemd {
	s := &systemd{socket: Getenv(environ, "NOTIFY_SOCKET")}
	if pid := Getenv(environ, "WATCHDOG_PID"); pid != "" && pid != strconv.Itoa(os.Getpid()) {
		return s // the watchdog waits for another process
	}
	if micros, err := strconv.ParseInt(Getenv(environ, "WATCHDOG_USEC"), 10, 64); err == nil && micros > 1 {
		s.interval = time.Duration(micros) * time.Microsecond / 2
	}
	return s
}

func (s *systemd) ready() { s.notify("READY=1") }

// reloading has systemd wait for ready.
func (s *systemd) reloading() {
	s.notify(fmt.Sprintf("RELOADING=1\nMONOTONIC_USEC=%d", monotonicMicros()))
}

// stopping says that the daemon ends, and that it may take so long for it: else
// systemd would kill it, and its calls, after TimeoutStopSec.
func (s *systemd) stopping(within time.Duration) {
	s.notify(fmt.Sprintf("STOPPING=1\nEXTEND_TIMEOUT_USEC=%d", within.Microseconds()))
}

// notify sends one state, such as READY=1. systemd's socket is a datagram
// socket; a message that could not be sent changes nothing for the calls.
func (s *systemd) notify(state string) {
	if s.socket == "" {
		return
	}
	conn, err := net.Dial("unixgram", s.socket) // an abstract one if it begins with @
	if err != nil {
		return
	}
	defer func() { _ = conn.Close() }()
	_, _ = conn.Write([]byte(state))
}

// watchdog says that the daemon is alive, until ctx is done. alive must return: one
// that hangs ends the messages, and systemd starts the daemon anew.
func (s *systemd) watchdog(ctx context.Context, alive func()) {
	if s.socket == "" || s.interval == 0 {
		return
	}
	ticker := time.NewTicker(s.interval)
	defer ticker.Stop()
	for {
		alive()
		s.notify("WATCHDOG=1")
		if !next(ctx, ticker.C) {
			return
		}
	}
}

// monotonicMicros is the clock that systemd compares RELOADING with.
func monotonicMicros() int64 {
	var t unix.Timespec
	if unix.ClockGettime(unix.CLOCK_MONOTONIC, &t) != nil {
		return 0
	}
	return t.Nano() / 1000
}
