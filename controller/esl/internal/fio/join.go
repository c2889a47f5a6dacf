package fio

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/fiorix/go-eventsocket/eventsocket"
)

const handshakeTimeout = 5 * time.Second // of the library with us

// join has the library dial a loopback listener that is there for this one connection,
// and returns its connection and our end of it. A connection that does not present the
// secret is closed. Without a descriptor left, or after handshakeTimeout, the listener is
// closed: that resets the library's connection, for which it would wait without a limit.
func join(ctx context.Context) (*eventsocket.Connection, net.Conn, error) {
	ln, err := (&net.ListenConfig{KeepAlive: -1}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, fmt.Errorf("listen for the library: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, handshakeTimeout)
	secret, arrived := rand.Text(), make(chan net.Conn, 1)
	var tasks sync.WaitGroup
	tasks.Go(func() { accept(ctx, ln, secret, arrived) })
	lib, err := eventsocket.Dial(ln.Addr().String(), secret)
	cancel()
	tasks.Wait()
	if err == nil {
		return lib, <-arrived, nil
	}
	select {
	case inner := <-arrived:
		inner.Close()
	default:
	}
	return nil, nil, fmt.Errorf("connect the library: %w", err)
}

// accept delivers the connection that presents the secret. It runs until ctx is done,
// or no connection can be accepted.
func accept(ctx context.Context, ln net.Listener, secret string, arrived chan<- net.Conn) {
	var handshakes sync.WaitGroup
	defer handshakes.Wait()
	defer ln.Close()
	stop := context.AfterFunc(ctx, func() { ln.Close() })
	defer stop()
	for {
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		handshakes.Go(func() {
			stop := context.AfterFunc(ctx, func() { conn.Close() })
			got, err := askSecret(conn)
			if inTime := stop(); !inTime || err != nil || got != secret {
				conn.Close()
				return
			}
			arrived <- conn
			// If this fails, the library's Dial fails too, and both ends are closed.
			conn.Write([]byte("Content-Type: command/reply\nReply-Text: +OK accepted\n\n"))
		})
	}
}

// askSecret plays the switch's part of the handshake: it reads "auth SECRET" and its two
// line ends, and not a byte more.
func askSecret(conn net.Conn) (string, error) {
	if _, err := conn.Write([]byte("Content-Type: auth/request\n\n")); err != nil {
		return "", fmt.Errorf("ask for secret: %w", err)
	}
	var line [128]byte
	for n := 0; n < len(line); {
		got, err := conn.Read(line[n:])
		n += got
		if rest, ok := strings.CutSuffix(string(line[:n]), "\r\n\r\n"); ok {
			return strings.TrimPrefix(rest, "auth "), nil
		}
		if err != nil {
			return "", fmt.Errorf("read secret: %w", err)
		}
	}
	return "", errors.New("read secret: too long")
}
