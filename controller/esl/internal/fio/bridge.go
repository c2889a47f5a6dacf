package esl

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
)

// bridge is the loopback listener that the library dials in place of the
// switch. Who comes without a secret that is waited for is closed.
type bridge struct {
	ln     *net.TCPListener
	spare  *os.File // a descriptor to give up when there are no more; nil if it is given up
	slots  chan struct{}
	cancel context.CancelFunc
	tasks  sync.WaitGroup

	mu      sync.Mutex
	waiting map[string]chan net.Conn // by secret; each takes one connection
}

// pair is a library's connection and our end of it.
type pair struct {
	lib   *eventsocket.Connection
	inner net.Conn
}

// newBridge opens a loopback port and starts the goroutine that accepts on it. The
// caller must close the bridge, after all its connections.
func newBridge(ctx context.Context) (*bridge, error) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	lc := net.ListenConfig{KeepAlive: -1}
	ln, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		cancel()
		return nil, fmt.Errorf("listen for the library: %w", err)
	}
	b := &bridge{ln: ln.(*net.TCPListener), cancel: cancel, slots: make(chan struct{}, maxHandshakes), waiting: make(map[string]chan net.Conn)}
	b.spare, err = os.Open(os.DevNull)
	if err != nil {
		cancel()
		return nil, errors.Join(fmt.Errorf("open spare descriptor: %w", err), ln.Close())
	}
	b.tasks.Go(func() { b.accept(ctx) })
	return b, nil
}

// close ends the listener and waits for its goroutines.
func (b *bridge) close() {
	b.cancel()
	b.ln.Close()
	b.tasks.Wait()
	if b.spare != nil {
		b.spare.Close()
	}
}

// join makes the library dial the bridge. It may wait for as long as a handshake does.
func (b *bridge) join() (pair, error) {
	secret := rand.Text()
	arrived := b.expect(secret)
	lib, err := eventsocket.Dial(b.ln.Addr().String(), secret)
	b.forget(secret)
	if err == nil {
		return pair{lib, <-arrived}, nil
	}
	select {
	case inner := <-arrived:
		inner.Close()
	default:
	}
	return pair{}, fmt.Errorf("connect the library: %w", err)
}

func (b *bridge) expect(secret string) <-chan net.Conn {
	arrived := make(chan net.Conn, 1)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.waiting[secret] = arrived
	return arrived
}

func (b *bridge) forget(secret string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.waiting, secret)
}

// claim hands conn to whoever waits for secret, once.
func (b *bridge) claim(secret string, conn net.Conn) bool {
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
func (b *bridge) accept(ctx context.Context) {
	for wait := time.Duration(0); ; {
		b.slots <- struct{}{}
		conn, err := b.ln.Accept()
		switch {
		case err == nil:
			wait = 0
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
		wait = grow(wait)
		pause(ctx, wait)
	}
}

func (b *bridge) release() { <-b.slots }

// shed closes the first connection in the queue when there is no descriptor
// left to accept it: the library waits without a limit for its handshake, and
// who waits holds two descriptors.
func (b *bridge) shed() {
	if b.spare != nil {
		b.spare.Close()
	}
	b.ln.SetDeadline(time.Now().Add(50 * time.Millisecond))
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
func (b *bridge) welcome(ctx context.Context, conn net.Conn) {
	limited, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	stop := context.AfterFunc(limited, func() { conn.Close() })
	secret, err := askSecret(conn)
	if intime := stop(); !intime || err != nil || !b.claim(secret, conn) {
		conn.Close()
		return
	}
	// What fails here fails in the library's Dial too, which closes both ends.
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

// pause waits, but not beyond the end of ctx.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// grow returns the pause after another failed accept.
func grow(wait time.Duration) time.Duration {
	return min(max(2*wait, 5*time.Millisecond), time.Second)
}
