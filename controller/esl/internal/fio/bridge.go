package fio

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/fiorix/go-eventsocket/eventsocket"
)

const (
	handshakeTimeout = 5 * time.Second // of the library with the bridge
	maxHandshakes    = 1024            // at one time; more wait in the listener's queue
	acceptPause      = 50 * time.Millisecond
)

// Bridge is the loopback listener that the library dials instead of the switch. A
// connection that does not present an expected secret is closed.
type Bridge struct {
	ln     *net.TCPListener
	spare  *os.File // a descriptor to give up if none is left; nil once it was given up
	slots  chan struct{}
	cancel context.CancelFunc
	tasks  sync.WaitGroup

	mu      sync.Mutex
	waiting map[string]chan net.Conn // by secret; each receives one connection
}

// NewBridge opens a loopback port and starts the goroutine that accepts on it. The
// caller must close the bridge, after all its links.
func NewBridge(ctx context.Context) (*Bridge, error) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	lc := net.ListenConfig{KeepAlive: -1}
	ln, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		cancel()
		return nil, fmt.Errorf("listen for the library: %w", err)
	}
	b := &Bridge{ln: ln.(*net.TCPListener), cancel: cancel, slots: make(chan struct{}, maxHandshakes), waiting: make(map[string]chan net.Conn)}
	b.spare, err = os.Open(os.DevNull)
	if err != nil {
		cancel()
		return nil, errors.Join(fmt.Errorf("open spare descriptor: %w", err), ln.Close())
	}
	b.tasks.Go(func() { b.accept(ctx) })
	return b, nil
}

// Close ends the listener and waits for its goroutines.
func (b *Bridge) Close() {
	b.cancel()
	b.ln.Close()
	b.tasks.Wait()
	if b.spare != nil {
		b.spare.Close()
	}
}

// join has the library dial the bridge, and returns its connection and our end of it.
// It may wait for as long as a handshake does.
func (b *Bridge) join() (*eventsocket.Connection, *net.TCPConn, error) {
	secret := rand.Text()
	arrived := b.expect(secret)
	lib, err := eventsocket.Dial(b.ln.Addr().String(), secret)
	b.forget(secret)
	if err == nil {
		return lib, (<-arrived).(*net.TCPConn), nil
	}
	select {
	case inner := <-arrived:
		inner.Close()
	default:
	}
	return nil, nil, fmt.Errorf("connect the library: %w", err)
}

func (b *Bridge) expect(secret string) <-chan net.Conn {
	arrived := make(chan net.Conn, 1)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.waiting[secret] = arrived
	return arrived
}

func (b *Bridge) forget(secret string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.waiting, secret)
}

// claim hands conn to whoever expects secret, once.
func (b *Bridge) claim(secret string, conn net.Conn) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	arrived, ok := b.waiting[secret]
	if ok {
		delete(b.waiting, secret)
		arrived <- conn
	}
	return ok
}

// accept runs until the listener is closed.
func (b *Bridge) accept(ctx context.Context) {
	for {
		b.slots <- struct{}{}
		conn, err := b.ln.Accept()
		switch {
		case err == nil:
			b.tasks.Go(func() {
				defer b.release()
				b.welcome(ctx, conn)
			})
			continue
		case errors.Is(err, net.ErrClosed):
			return
		}
		b.release()
		b.shed()
		select {
		case <-time.After(acceptPause):
		case <-ctx.Done():
		}
	}
}

func (b *Bridge) release() { <-b.slots }

// shed closes the first connection in the queue if there is no descriptor left to
// accept it: the library waits without a limit for its handshake, and a connection
// that waits holds two descriptors.
func (b *Bridge) shed() {
	if b.spare != nil {
		b.spare.Close()
	}
	b.ln.SetDeadline(time.Now().Add(acceptPause))
	if conn, err := b.ln.Accept(); err == nil {
		conn.Close()
	}
	b.ln.SetDeadline(time.Time{})
	var err error
	if b.spare, err = os.Open(os.DevNull); err != nil {
		b.spare = nil
	}
}

// welcome plays the switch's part of the handshake.
func (b *Bridge) welcome(ctx context.Context, conn net.Conn) {
	limited, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	stop := context.AfterFunc(limited, func() { conn.Close() })
	secret, err := askSecret(conn)
	if inTime := stop(); !inTime || err != nil || !b.claim(secret, conn) {
		conn.Close()
		return
	}
	// If this fails, the library's Dial fails too, and both ends are closed.
	conn.Write([]byte("Content-Type: command/reply\nReply-Text: +OK accepted\n\n"))
}

// askSecret reads "auth SECRET" and its two line ends, and not a byte more.
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
