package audiostream

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/sha1"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"maps"
	"net"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"
)

// The module's errors, word for word (F45).
var (
	wsTimeout    = streamError{"timeout", 10, "Timeout"}
	wsRefused    = streamError{"refused", 6, "Connection refused (system error 111)"}
	wsUpgrade    = streamError{"upgrade failed", 6, "WebSocket upgrade failed"}
	wsUnresolved = streamError{"unresolved", 6, "Resource temporarily unavailable (system error 11)"}
	wsAbnormal   = streamError{"server eof", 1, "Connection closed without WebSocket CLOSE (abnormal EOF)"}
	wsReset      = streamError{"server reset", 1, "Connection reset by peer (system error 104)"}
)

// dial connects and upgrades, within the module's patience.
func (s *Stream) dial() (*bufio.Reader, *streamError) {
	deadline := s.started.Add(s.options.Patience)
	ctx, cancel := context.WithDeadline(context.Background(), deadline)
	defer cancel()
	target, err := url.Parse(s.target())
	if err != nil {
		return nil, &wsUnresolved
	}
	conn, err := new(net.Dialer).DialContext(ctx, "tcp4", hostPort(target))
	if err != nil {
		return nil, dialError(ctx, err)
	}
	if target.Scheme == "wss" && !s.options.NoTLS {
		// As a module built for tests: the certificate is not checked.
		conn = tls.Client(conn, &tls.Config{ServerName: target.Hostname(), InsecureSkipVerify: true})
	}
	if !s.adopt(conn) {
		return nil, &wsTimeout
	}
	conn.SetDeadline(deadline)
	r := bufio.NewReaderSize(conn, 512)
	if failure := s.upgrade(conn, r, target); failure != nil {
		return nil, failure
	}
	conn.SetDeadline(time.Time{})
	s.opened()
	return r, nil
}

// adopt makes conn the stream's; false when the stream was ended meanwhile.
func (s *Stream) adopt(conn net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conn = conn
	if tcp, ok := conn.(*net.TCPConn); ok {
		if raw, err := tcp.SyscallConn(); err == nil {
			s.raw = raw
		}
	}
	if s.aborted {
		conn.Close()
	}
	return !s.aborted
}

func hostPort(u *url.URL) string {
	if u.Port() != "" {
		return u.Host
	}
	if u.Scheme == "wss" {
		return net.JoinHostPort(u.Hostname(), "443")
	}
	return net.JoinHostPort(u.Hostname(), "80")
}

func dialError(ctx context.Context, err error) *streamError {
	var dns *net.DNSError
	switch {
	case ctx.Err() != nil:
		return &wsTimeout
	case errors.As(err, &dns):
		return &wsUnresolved
	}
	return &wsRefused
}

// upgrade writes the request as the module's library does, every byte of it,
// and reads the answer.
func (s *Stream) upgrade(conn net.Conn, r *bufio.Reader, u *url.URL) *streamError {
	var nonce [16]byte
	rand.Read(nonce[:])
	key := base64.StdEncoding.EncodeToString(nonce[:])
	if _, err := conn.Write([]byte(s.request(u, key))); err != nil {
		return upgradeError(err)
	}
	status, err := r.ReadString('\n')
	if err != nil {
		return upgradeError(err)
	}
	accept := ""
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return upgradeError(err)
		}
		line = strings.TrimRight(line, "\r\n")
		if line == "" {
			break
		}
		if name, value, _ := strings.Cut(line, ":"); strings.EqualFold(name, "Sec-WebSocket-Accept") {
			accept = strings.TrimSpace(value)
		}
	}
	if !strings.HasPrefix(status, "HTTP/1.1 101") || accept != acceptKey(key) {
		return &wsUpgrade
	}
	return nil
}

// request is what goes out: no blanks after colons, headers in this order (F56).
func (s *Stream) request(u *url.URL, key string) string {
	var b strings.Builder
	b.WriteString("GET " + s.path() + " HTTP/1.1\r\nHost:" + u.Host + "\r\nUpgrade:websocket\r\nConnection:upgrade\r\nSec-WebSocket-Key:" +
		key + "\r\nSec-WebSocket-Version:13\r\nOrigin:http://" + u.Host + "\r\n")
	for _, name := range slices.Sorted(maps.Keys(s.headers)) {
		b.WriteString(name + ":" + s.headers[name] + "\r\n")
	}
	b.WriteString("\r\n")
	return b.String()
}

// path is the URL's path and query, untouched.
func (s *Stream) path() string {
	_, rest, _ := strings.Cut(s.target(), "://")
	if i := strings.IndexAny(rest, "/?"); i >= 0 {
		if rest[i] == '?' {
			return "/" + rest[i:]
		}
		return rest[i:]
	}
	return "/"
}

func acceptKey(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}

func upgradeError(err error) *streamError {
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return &wsTimeout
	}
	return readError(err)
}

// readError tells an orderly end of TCP from a reset.
func readError(err error) *streamError {
	if errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) {
		return &wsReset
	}
	return &wsAbnormal
}

// opened is the 101: frames that have queued meanwhile go out, then the
// metadata (F59), and the connect event is sent.
func (s *Stream) opened() {
	s.mu.Lock()
	now := time.Now()
	s.open, s.report.Connected = true, now
	s.faults.first = s.next
	if s.beat > 0 {
		s.nextBeat = now.Add(s.beat)
	}
	s.pump(now, true)
	if s.options.Metadata != "" {
		s.writeText(s.options.Metadata)
	}
	muted := s.muted
	if muted {
		s.sayClose("stop") // stopped before the 101 came
	}
	s.mu.Unlock()
	if s.options.Faults.SecondSocket {
		s.second()
	}
	s.options.Channel.Note("stream connected", s.options.URL)
	if !muted {
		s.options.Channel.Event("connect", `{"status":"connected"}`)
	}
	s.options.Clock.add(s)
}
