package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"
)

// service tells systemd how the daemon stands (sd_notify(3)). Without systemd
// every method does nothing.
type service struct {
	socket   string
	interval time.Duration // of the watchdog; 0 is none
}

func newService(environ []string) *service {
	s := &service{socket: environment(environ, "NOTIFY_SOCKET")}
	if pid := environment(environ, "WATCHDOG_PID"); pid != "" && pid != strconv.Itoa(os.Getpid()) {
		return s // the watchdog waits for another process
	}
	if micros, err := strconv.ParseInt(environment(environ, "WATCHDOG_USEC"), 10, 64); err == nil && micros > 1 {
		s.interval = time.Duration(micros) * time.Microsecond / 2
	}
	return s
}

func (s *service) ready() { s.notify("READY=1") }

// reloading has systemd wait for ready.
func (s *service) reloading() {
	s.notify(fmt.Sprintf("RELOADING=1\nMONOTONIC_USEC=%d", monotonicMicros()))
}

// stopping tells that the daemon ends, and that it may take so long for it: else
// systemd would kill it, and its calls, after TimeoutStopSec.
func (s *service) stopping(within time.Duration) {
	s.notify(fmt.Sprintf("STOPPING=1\nEXTEND_TIMEOUT_USEC=%d", within.Microseconds()))
}

// notify sends one state, such as READY=1. systemd's socket is a datagram
// socket; that a message could not be sent changes nothing for the calls.
func (s *service) notify(state string) {
	if s.socket == "" {
		return
	}
	name := s.socket
	if abstract, ok := strings.CutPrefix(name, "@"); ok {
		name = "\x00" + abstract
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		return
	}
	defer func() { _ = conn.Close() }()
	_, _ = conn.Write([]byte(state))
}

// watchdog tells systemd that the daemon is alive, until ctx is done. alive must
// return: one that hangs ends the notices, and systemd starts the daemon anew.
func (s *service) watchdog(ctx context.Context, alive func()) error {
	if s.socket == "" || s.interval == 0 {
		return nil
	}
	ticker := time.NewTicker(s.interval)
	defer ticker.Stop()
	for {
		alive()
		s.notify("WATCHDOG=1")
		if !tick(ctx, ticker.C) {
			return nil
		}
	}
}

// firstInherited is the first descriptor of socket activation (sd_listen_fds(3)).
const firstInherited = 3

// inheritedListeners are the sockets that systemd passed on, by their
// FileDescriptorName: esl, sink and admin.
func inheritedListeners(environ []string) (map[string]net.Listener, error) {
	if environment(environ, "LISTEN_PID") != strconv.Itoa(os.Getpid()) {
		return nil, nil
	}
	n, err := strconv.Atoi(environment(environ, "LISTEN_FDS"))
	if err != nil {
		return nil, fmt.Errorf("read LISTEN_FDS: %w", err)
	}
	names := strings.Split(environment(environ, "LISTEN_FDNAMES"), ":")
	listeners := map[string]net.Listener{}
	for i := range n {
		name := ""
		if i < len(names) {
			name = names[i]
		}
		if name != "esl" && name != "sink" && name != "admin" || listeners[name] != nil {
			return nil, fmt.Errorf("take over socket %d of systemd: FileDescriptorName=%q; it must be esl, sink or admin, each once", i, name)
		}
		file := os.NewFile(uintptr(firstInherited+i), name)
		ln, err := net.FileListener(file)
		if err != nil {
			return nil, fmt.Errorf("take over socket %q of systemd: %w", name, err)
		}
		_ = file.Close()
		listeners[name] = ln
	}
	return listeners, nil
}

// checkInherited refuses an admin socket of systemd's that the configuration
// would not permit.
func checkInherited(listeners map[string]net.Listener, token string) error {
	ln := listeners["admin"]
	if ln == nil || token != "" {
		return nil
	}
	if tcp, ok := ln.Addr().(*net.TCPAddr); ok && !tcp.IP.IsLoopback() {
		return fmt.Errorf("take over socket \"admin\" of systemd: %v can be reached by others and needs admin.token", tcp)
	}
	return nil
}

// environment is the value of a variable, or empty.
func environment(environ []string, name string) string {
	for _, e := range environ {
		if value, ok := strings.CutPrefix(e, name+"="); ok {
			return value
		}
	}
	return ""
}
