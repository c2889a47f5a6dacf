package app

import (
	"context"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"go.uber.org/zap"

	"tapdeck/cmd/internal/config"
)

// Listeners are where a daemon serves.
type Listeners struct {
	ESL, Sink, Admin net.Listener
	activated        bool // systemd holds ESL
}

// Listen opens the listeners of a configuration, or takes over those that systemd holds.
func Listen(ctx context.Context, cfg config.Config, environ []string) (l Listeners, err error) {
	inherited, err := inheritedListeners(environ, cfg.Admin.Token)
	if err != nil {
		return l, &ConfigError{err}
	}
	l.activated = inherited["esl"] != nil
	for _, at := range []struct {
		name, address string
		ln            *net.Listener
	}{
		{"esl", cfg.ESL.Listen, &l.ESL},
		{"sink", cfg.Sink.Listen, &l.Sink},
		{"admin", cfg.Admin.Listen, &l.Admin},
	} {
		if *at.ln = inherited[at.name]; *at.ln != nil {
			continue
		}
		if *at.ln, err = new(net.ListenConfig).Listen(ctx, "tcp", at.address); err != nil {
			l.Close()
			return l, fmt.Errorf("listen at %s.listen %q: %w (is another tapdeck running? `ss -ltnp` shows who has the port)", at.name, at.address, err)
		}
	}
	return l, nil
}

// Close closes the listeners that are open.
func (l Listeners) Close() {
	for _, ln := range []net.Listener{l.ESL, l.Sink, l.Admin} {
		if ln != nil {
			ln.Close()
		}
	}
}

// Advertise puts the sink's real port into sink.advertise if that names port 0: any free
// one.
func (l Listeners) Advertise(s *config.Sink) {
	address, ok := l.Sink.Addr().(*net.TCPAddr)
	if host, anyPort := strings.CutSuffix(s.Advertise, ":0"); ok && anyPort {
		s.Advertise = fmt.Sprintf("%s:%d", host, address.Port)
	}
}

// parkedAfter is a little less than how long FreeSWITCH waits for a controller that
// has accepted a call's connection and says nothing (F2 of controller/switchsim/FACTS.md).
const parkedAfter = 20 * time.Second

func (l Listeners) warnOfLongDrain(timeout time.Duration, log *zap.Logger) {
	if l.activated && timeout > parkedAfter {
		log.Warn("drain_timeout is long for socket activation", zap.Duration("drain_timeout", timeout),
			zap.String("hint", "new calls wait in systemd's socket for the next process, and FreeSWITCH parks those that wait for 25 s: keep drain_timeout below "+parkedAfter.String()))
	}
}

// firstInherited is the first descriptor of socket activation (sd_listen_fds(3)).
const firstInherited = 3

// inheritedListeners are the sockets that systemd passed on, by their
// FileDescriptorName: esl, sink and admin. An admin socket is refused if the
// configuration would not permit it.
func inheritedListeners(environ []string, token string) (map[string]net.Listener, error) {
	if Getenv(environ, "LISTEN_PID") != strconv.Itoa(os.Getpid()) {
		return nil, nil
	}
	names := strings.Split(Getenv(environ, "LISTEN_FDNAMES"), ":")
	n := Getenv(environ, "LISTEN_FDS")
	if n == "0" {
		return nil, nil
	}
	if n != strconv.Itoa(len(names)) {
		return nil, fmt.Errorf("read LISTEN_FDS: %q sockets have the names %q", n, names)
	}
	listeners := map[string]net.Listener{}
	for i, name := range names {
		if name != "esl" && name != "sink" && name != "admin" || listeners[name] != nil {
			return nil, fmt.Errorf("take over socket %d of systemd: FileDescriptorName=%q; it must be esl, sink or admin, each once", i, name)
		}
		file := os.NewFile(uintptr(firstInherited+i), name)
		ln, err := net.FileListener(file)
		if err == nil && name == "admin" {
			err = checkInherited(ln.Addr(), token)
		}
		if err != nil {
			return nil, fmt.Errorf("take over socket %q of systemd: %w", name, err)
		}
		_ = file.Close()
		listeners[name] = ln
	}
	return listeners, nil
}

// checkInherited refuses the address of an admin socket that others can reach and that
// asks for no token.
func checkInherited(address net.Addr, token string) error {
	if tcp, ok := address.(*net.TCPAddr); ok && token == "" && !config.IsLoopback(tcp.IP.String()) {
		return fmt.Errorf("%v can be reached by others and needs admin.token", tcp)
	}
	return nil
}

// Getenv returns the value of a variable of an environment, or "".
func Getenv(environ []string, name string) string {
	for _, e := range environ {
		if value, ok := strings.CutPrefix(e, name+"="); ok {
			return value
		}
	}
	return ""
}

// backlogTime is how long calls that the kernel has accepted, but not yet the daemon, are still
// taken up.
const backlogTime = 100 * time.Millisecond

// stopAccepting ends the accepting of calls. To close a socket with a call in its backlog would
// strand that call (F8), unless systemd holds it for the next daemon.
func (l Listeners) stopAccepting() {
	limited, ok := l.ESL.(interface{ SetDeadline(time.Time) error })
	if l.activated || !ok || limited.SetDeadline(time.Now().Add(backlogTime)) != nil {
		l.ESL.Close()
	}
}
