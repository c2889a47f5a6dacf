package frame

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tapdeck/controller/esl/internal/frametest"

	"github.com/google/go-cmp/cmp"
)

// testTimeout is what a frame may take.
const testTimeout = 10 * time.Second

// chunkConn gives out its chunks, one a Read, and then EOF.
type chunkConn struct {
	net.Conn
	chunks []string
}

func (c *chunkConn) Read(b []byte) (int, error) {
	if len(c.chunks) == 0 {
		return 0, io.EOF
	}
	n := copy(b, c.chunks[0])
	if c.chunks[0] = c.chunks[0][n:]; c.chunks[0] == "" {
		c.chunks = c.chunks[1:]
	}
	return n, nil
}

func (c *chunkConn) RemoteAddr() net.Addr            { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 2), Port: 5} }
func (c *chunkConn) SetReadDeadline(time.Time) error { return nil }

// readAll returns the frames of a stream that comes in chunks, and its end.
func readAll(chunks ...string) (frames []string, err error) {
	r := NewReader(&chunkConn{chunks: chunks}, testTimeout, func(int) {})
	for {
		f, err := r.Next()
		if err != nil {
			return frames, err
		}
		frames = append(frames, string(f.ContentType)+"|"+string(f.ReplyText)+"|"+string(f.Data)+"|"+string(f.Body))
	}
}

func TestFramesOfRealCall(t *testing.T) {
	stream := frametest.Call
	whole, err := readAll(stream)
	if !errors.Is(err, ErrPeerClosed) || len(whole) < 20 {
		t.Fatalf("%d frames, %v", len(whole), err)
	}
	bytewise, _ := readAll(strings.Split(stream, "")...)
	if diff := cmp.Diff(whole, bytewise); diff != "" {
		t.Error(diff)
	}
}

func TestFrameSplitAtEveryByte(t *testing.T) {
	stream := "Event-Name: CHANNEL_DATA\nContent-Type: command/reply\nReply-Text: %2BOK%0A\nControl: full\n\n" + frametest.OKReply + frametest.JSON(`{"Event-Name":"X","variable_(a)":"b\r\n"}`) +
		"Content-Type: api/response\r\nbad[name]: x\r\nContent-Length: 3\r\n\r\n+OK" + "\n\r\n" + frametest.OKReply
	whole, _ := readAll(stream)
	if len(whole) != 5 {
		t.Fatalf("%d frames: %q", len(whole), whole)
	}
	for i := 1; i < len(stream); i++ {
		if split, _ := readAll(stream[:i], stream[i:]); !cmp.Equal(whole, split) {
			t.Errorf("split at %d: %s", i, cmp.Diff(whole, split))
		}
	}
}

func TestRefusedLinesAreDropped(t *testing.T) {
	in := "A: 1\nvariable_x(y): 2\nvariable_ä: 3\nno colon\n: no name\nB : 4\nC: a\x00b\nD: folded\n  here\nContent-Type: text/disconnect-notice\ntab\there: 5\nContent-Length: 2\n\nok"
	want := "A: 1\nB : 4\nContent-Type: text/disconnect-notice\nContent-Length: 2\n\nok"
	r := NewReader(&chunkConn{chunks: []string{in + frametest.OKReply}}, testTimeout, func(int) {})
	f, err := r.Next()
	if err != nil || f.Refused != 8 {
		t.Fatalf("%d refused, %v", f.Refused, err)
	}
	if diff := cmp.Diff(want, string(f.Data)); diff != "" || string(f.Body) != "ok" || string(f.ContentType) != "text/disconnect-notice" {
		t.Errorf("%s, body %q, type %q", diff, f.Body, f.ContentType)
	}
	if f, err = r.Next(); err != nil || string(f.Data) != frametest.OKReply {
		t.Errorf("next frame %q, %v", f.Data, err)
	}
}

func TestFrameBounds(t *testing.T) {
	line := "Name: " + strings.Repeat("v", maxHeader/2) + "\n"
	for _, tt := range []struct{ name, in, reason string }{
		{"header block", strings.Repeat(line, 3), ReasonHeaderSize},
		{"header without line end", "A" + strings.Repeat("a", 2*maxHeader), ReasonHeaderSize},
		{"complete header block", strings.Repeat(line, 3) + "\n", ReasonHeaderSize},
		{"header count", strings.Repeat("A: b\n", maxHeaders+1), ReasonHeaderCount},
		{"body", "Content-Type: a\nContent-Length: " + strconv.Itoa(maxBody+1) + "\n\n", ReasonBodySize},
		{"body beyond int", "Content-Length: 99999999999999999999999\n\n", ReasonBodySize},
		{"negative length", "Content-Length: -1\n\n", ReasonLength},
		{"signed length", "Content-Length: +1\n\nx", ReasonLength},
		{"two lengths", "Content-Length: 1\nContent-Length: 1\n\nx", ReasonLength},
		{"empty and second length", "Content-Length:\nContent-Length: 1\n\nx", ReasonLength},
		{"folded length", "Content-Length: 1\n 0\n\nx", ReasonLength},
		{"length with a tab in its name", "A: b\nContent-Length\t: 1\n\nx", ReasonLength},
		{"length with a control", "A: b\nContent-Length: 1\x01\n\nx", ReasonLength},
		{"blank lines", strings.Repeat("\n", 100), ReasonBlankLines},
		{"HTTP", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", ReasonNotAFrame},
		{"TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", ReasonNotAFrame},
		{"NUL", "\x00", ReasonNotAFrame},
		{"leading blank", " A: b\n\n", ReasonNotAFrame},
	} {
		_, err := readAll(tt.in)
		var bad *Error
		if !errors.As(err, &bad) || bad.Reason != tt.reason || bad.Peer != "192.0.2.2:5" || len(bad.Bytes) > quotedBytes {
			t.Errorf("%s: %v, want %s", tt.name, err, tt.reason)
		}
		if bad != nil && !strings.Contains(tt.in, string(bad.Bytes)) {
			t.Errorf("%s: bytes %q", tt.name, bad.Bytes)
		}
	}
}

func TestBoundsReached(t *testing.T) {
	for name, in := range map[string]string{
		"header block": "A: " + strings.Repeat("b", maxHeader-5) + "\n\n",
		"header count": strings.Repeat("A: b\n", maxHeaders) + "\n",
		"body":         "Content-Length: " + strconv.Itoa(maxBody) + "\n\n" + strings.Repeat("b", maxBody),
		"no length":    "Content-Length: \n\n",
	} {
		if got, err := readAll(in, frametest.OKReply); len(got) != 2 {
			t.Errorf("%s: %d frames, %v", name, len(got), err)
		}
	}
}

func TestBufferShrinks(t *testing.T) {
	big := frametest.JSON(strings.Repeat("x", 1<<20))
	r := NewReader(&chunkConn{chunks: []string{big + frametest.OKReply[:10], frametest.OKReply[10:]}}, testTimeout, func(int) {})
	for _, want := range []string{big, frametest.OKReply} {
		if f, err := r.Next(); err != nil || string(f.Data) != want {
			t.Fatalf("frame of %d bytes, %v", len(f.Data), err)
		}
	}
	if len(r.buf) > waitingBuffer {
		t.Errorf("buffer keeps %d bytes for a short frame", len(r.buf))
	}
}

func TestPromisedBodyCostsNothing(t *testing.T) {
	r := NewReader(&chunkConn{chunks: []string{"Content-Length: 16000000\n\nx"}}, testTimeout, func(int) {})
	if _, err := r.Next(); !errors.Is(err, ErrPeerClosed) || len(r.buf) > frameBuffer {
		t.Errorf("buffer of %d bytes, %v", len(r.buf), err)
	}
}

func TestFrameDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := net.Pipe()
		defer a.Close()
		defer b.Close()
		go func() {
			time.Sleep(time.Hour)
			for i := range frametest.OKReply { // slow, and just in time
				time.Sleep(testTimeout / time.Duration(len(frametest.OKReply)+1))
				if i < len(frametest.OKReply)-1 {
					fmt.Fprint(b, frametest.OKReply[i:i+1])
				}
			}
			fmt.Fprint(b, frametest.OKReply[len(frametest.OKReply)-1:]+frametest.OKReply[:9]) // the next one has a deadline of its own
			time.Sleep(testTimeout - 1)
			fmt.Fprint(b, frametest.OKReply[9:])
			time.Sleep(time.Hour)
			fmt.Fprint(b, frametest.OKReply+"Content-")
		}()
		r := NewReader(a, testTimeout, func(int) {})
		for range 3 {
			if _, err := r.Next(); err != nil {
				t.Fatal(err)
			}
		}
		begun := time.Now()
		_, err := r.Next()
		var bad *Error
		if !errors.As(err, &bad) || bad.Reason != ReasonSlow || time.Since(begun) != testTimeout {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
	})
}

// repeatConn gives out its text again and again.
type repeatConn struct {
	chunkConn
	text string
	rest string
}

func (c *repeatConn) Read(p []byte) (int, error) {
	if c.rest == "" {
		c.rest = c.text
	}
	n := copy(p, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

// BenchmarkConnect reads a whole answer to connect.
func BenchmarkConnect(b *testing.B) {
	text := frametest.Call
	b.ReportAllocs()
	for b.Loop() {
		r := NewReader(&repeatConn{text: text}, testTimeout, func(int) {})
		f, err := r.Next()
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(int64(len(f.Data)))
	}
}
