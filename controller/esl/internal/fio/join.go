package fio

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/fiorix/go-eventsocket/eventsocket"
)

const (
	joinTimeout      = 10 * time.Second // for the library to arrive
	handshakeTimeout = 3 * time.Second  // for whoever arrives to present the secret
)

// join has the library dial a loopback listener that is there for this one connection,
// and returns that pair. Without a descriptor left, or after
// joinTimeout, the listener is closed: that resets the library's connection, for which it
// would wait without a limit.
func join() (p pair, err error) {
	listener, err := (&net.ListenConfig{KeepAlive: -1}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return pair{}, fmt.Errorf("listen for the library: %w", err)
	}
	ln, secret := listener.(*net.TCPListener), rand.Text()
	dialled := make(chan error, 1)
	go func() {
		var err error
		if p.lib, err = dial(ln.Addr().String(), secret); err != nil {
			ln.Close() // it will not arrive
		}
		dialled <- err
	}()
	p.inner, err = accept(ln, secret, handshakeTimeout)
	ln.Close()
	if err = errors.Join(<-dialled, err); err == nil {
		return p, nil
	}
	if p.inner != nil {
		p.inner.Close()
	}
	return pair{}, fmt.Errorf("connect the library: %w", err)
}

// dial has the library dial. Its own goroutine, which this begins, can't be guarded but by what the
// guard lets pass.
func dial(addr, secret string) (lib *eventsocket.Connection, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", ErrPanic, p)
		}
	}()
	return eventsocket.Dial(addr, secret)
}

// accept returns the connection that presents the secret in time, and closes the others.
func accept(ln *net.TCPListener, secret string, limit time.Duration) (*net.TCPConn, error) {
	ln.SetDeadline(time.Now().Add(joinTimeout))
	for {
		conn, err := ln.AcceptTCP()
		if err != nil {
			return nil, err
		}
		conn.SetDeadline(time.Now().Add(limit))
		if handshake(conn, secret) {
			conn.SetDeadline(time.Time{})
			return conn, nil
		}
		conn.Close()
	}
}

// handshake plays the switch's part, and says whether it was the library that came. It
// reads not a byte more than that says.
func handshake(conn net.Conn, secret string) bool {
	want := "auth " + secret + "\r\n\r\n"
	got := make([]byte, len(want))
	if _, err := io.WriteString(conn, "Content-Type: auth/request\n\n"); err != nil {
		return false
	}
	if _, err := io.ReadFull(conn, got); err != nil || string(got) != want {
		return false
	}
	_, err := io.WriteString(conn, "Content-Type: command/reply\nReply-Text: +OK accepted\n\n")
	return err == nil
}
