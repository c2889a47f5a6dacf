package dialer

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/coder/websocket"

	"tapdeck/controller/internal/dialertest"
)

// peerThat returns the error of a client whose peer writes bytes after the handshake.
func peerThat(t *testing.T, frames string) (failure error) {
	synctest.Test(t, func(t *testing.T) {
		n := dialertest.NewNetwork()
		srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			h := &hijacker{ResponseWriter: w}
			if _, err := websocket.Accept(h, r, nil); err != nil {
				t.Error(err)
				return
			}
			_, _ = io.WriteString(h.conn, frames)
			_ = h.conn.Close()
		})}
		go srv.Serve(n)
		defer srv.Close()
		ws, _, err := testTarget("ws://bot.test").DialWith(t.Context(), n.Dial, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer ws.CloseNow()
		for failure == nil {
			_, _, failure = ws.Read(t.Context())
		}
	})
	return failure
}

// hijacker keeps the connection below a WebSocket.
type hijacker struct {
	http.ResponseWriter
	conn net.Conn
}

func (h *hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := http.NewResponseController(h.ResponseWriter).Hijack()
	h.conn = conn
	return conn, buffered, err
}

// What the library says of a peer is known, whatever words it has for it.
func TestEnds(t *testing.T) {
	const good, normal = "\x82\x01x", "normal"
	for name, c := range map[string]struct{ frames, hint string }{
		"reserved bits":            {"\xc2\x01x", hintProtocol},
		"unknown opcode":           {"\x83\x01x", hintProtocol},
		"long control frame":       {"\x89\x7e\x00\xff" + strings.Repeat("x", 255), hintProtocol},
		"control frame in parts":   {"\x09\x01x", hintProtocol},
		"close of one byte":        {"\x88\x01x", hintProtocol},
		"close without a meaning":  {"\x88\x02\x00\x01", hintProtocol},
		"continuation of nothing":  {"\x80\x01x", hintProtocol},
		"message within a message": {"\x02\x01x\x82\x01y", hintProtocol},
		"negative length":          {"\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff", hintProtocol},
		"nothing":                  {"", hintCrash},
		"half a frame":             {"\x82\x05x", hintCrash},
		"1000":                     {good + "\x88\x02\x03\xe8", normal},
		"1001":                     {good + "\x88\x02\x03\xe9", normal},
		"no status":                {"\x88\x00", normal},
		"1008":                     {"\x88\x02\x03\xf0", hintSecret},
		"1011":                     {"\x88\x02\x03\xf3", hintBroken},
		"4000":                     {"\x88\x02\x0f\xa0", hintClosed},
	} {
		t.Run(name, func(t *testing.T) {
			err := peerThat(t, c.frames)
			if c.hint != normal && hintOf(err) != c.hint || BrokenFrame(err) != (c.hint == hintProtocol) || NormalEnd(err) != (c.hint == normal) {
				t.Errorf("%v: hint %q, want %q; broken %v, normal %v", err, hintOf(err), c.hint, BrokenFrame(err), NormalEnd(err))
			}
		})
	}
}

func TestIsGone(t *testing.T) {
	for err, want := range map[error]bool{
		net.ErrClosed: true, os.NewSyscallError("write", syscall.EPIPE): true, os.NewSyscallError("read", syscall.ECONNRESET): true,
		io.EOF: false, context.DeadlineExceeded: false,
	} {
		if IsGone(fmt.Errorf("write frame: %w", err)) != want {
			t.Errorf("%v is of a connection that is gone: %v, want %v", err, !want, want)
		}
	}
}
