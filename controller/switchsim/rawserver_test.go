package switchsim

import (
	"bufio"
	"encoding/binary"
	"io"
	"net"
	"regexp"
	"strings"
	"testing"
	"time"
)

// rawServer is an audio server at the level of bytes.
type rawServer struct {
	t    *testing.T
	ln   net.Listener
	url  string
	conn net.Conn
	r    *bufio.Reader
}

func newRawServer(t *testing.T) *rawServer {
	ln := listen(t)
	return &rawServer{t: t, ln: ln, url: "ws://" + ln.Addr().String()}
}

// accept takes the next connection and returns its request.
func (w *rawServer) accept() string {
	w.t.Helper()
	conn, err := w.ln.Accept()
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(deadline))
	w.conn, w.r = conn, bufio.NewReader(conn)
	var request strings.Builder
	for {
		line, err := w.r.ReadString('\n')
		if err != nil {
			w.t.Fatal(err)
		}
		if request.WriteString(line); line == "\r\n" {
			return request.String()
		}
	}
}

// upgrade answers a request with 101.
func (w *rawServer) upgrade(request string) {
	w.t.Helper()
	key := regexp.MustCompile(`Sec-WebSocket-Key:(\S+)\r\n`).FindStringSubmatch(request)
	if key == nil {
		w.t.Fatalf("no key in %q", request)
	}
	w.write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + acceptKey(key[1]) + "\r\n\r\n")
}

func (w *rawServer) write(s string) {
	w.t.Helper()
	if _, err := io.WriteString(w.conn, s); err != nil {
		w.t.Fatal(err)
	}
}

// frame reads one client frame, which must be masked.
func (w *rawServer) frame() (first byte, payload []byte, err error) {
	var head [2]byte
	if _, err := io.ReadFull(w.r, head[:]); err != nil {
		return 0, nil, err
	}
	n := int(head[1] & 0x7f)
	if n == 126 {
		var long [2]byte
		if _, err := io.ReadFull(w.r, long[:]); err != nil {
			return 0, nil, err
		}
		n = int(binary.BigEndian.Uint16(long[:]))
	}
	if head[1]&maskBit == 0 {
		w.t.Errorf("frame %x is not masked", head)
	}
	var key [4]byte
	if _, err := io.ReadFull(w.r, key[:]); err != nil {
		return 0, nil, err
	}
	payload = make([]byte, n)
	if _, err := io.ReadFull(w.r, payload); err != nil {
		return 0, nil, err
	}
	for i := range payload {
		payload[i] ^= key[i%4]
	}
	return head[0], payload, nil
}

// until reads frames up to one with the given first byte.
func (w *rawServer) until(first byte) []byte {
	w.t.Helper()
	for {
		got, payload, err := w.frame()
		if err != nil {
			w.t.Fatalf("waiting for frame %x: %v", first, err)
		}
		if got == first {
			return payload
		}
	}
}

// drain reads to the Close, closes TCP, and returns the binary payloads.
func (w *rawServer) drain() []byte {
	var audio []byte
	for {
		first, payload, err := w.frame()
		if err != nil || first == finBit|opClose {
			w.conn.Close()
			return audio
		}
		if first == finBit|opBinary {
			audio = append(audio, payload...)
		}
	}
}
