package app

import (
	"context"
	"net"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// systemd is the socket of the service manager, which is told how the daemon stands
// (sd_notify(3)). Without one, "", its methods do nothing.
type systemd string

// notify sends one state, such as READY=1. systemd's socket is a datagram
// socket; a message that could not be sent changes nothing for the calls.
func (s systemd) notify(state string) {
	if s == "" {
		return
	}
	conn, err := net.Dial("unixgram", string(s)) // an abstract one if it begins with @
	if err != nil {
		return
	}
	defer func() { _ = conn.Close() }()
	_, _ = conn.Write([]byte(state))
}

// watchdog says that the daemon is alive, as often as the environment asks for, until ctx
// is done. alive must return: one that hangs ends the messages, and systemd starts the
// daemon anew. It asks every call and its recording. A disk that hangs is no reason: a new
// daemon would hang on it as well, and the running calls and what waits of them would be lost.
func (s systemd) watchdog(ctx context.Context, environ []string, alive func()) {
	micros, err := strconv.ParseInt(Getenv(environ, "WATCHDOG_USEC"), 10, 64)
	pid := Getenv(environ, "WATCHDOG_PID") // which may be another process
	if s == "" || err != nil || micros < 2 || pid != "" && pid != strconv.Itoa(os.Getpid()) {
		return
	}
	ticker := time.NewTicker(time.Duration(micros) * time.Microsecond / 2)
	defer ticker.Stop()
	for {
		alive()
		s.notify("WATCHDOG=1")
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// monotonicMicros is the clock that systemd compares RELOADING with.
func monotonicMicros() int64 {
	var t unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &t) // which every Linux has
	return t.Nano() / 1000
}
