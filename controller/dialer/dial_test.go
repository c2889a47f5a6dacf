package dialer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tapdeck/controller/internal/dialertest"

	"github.com/coder/websocket"
	"go.uber.org/zap"
)

const (
	token = "bearer-of-this-test"
	key   = "0123456789"
)

var testWords = Words{Peer: "the recogniser", Key: "transcribe", Secret: "compare transcribe.key_file with the {key} of the service"}

func testTarget(url string) Target {
	return Target{
		URL: url, Header: http.Header{"Authorization": {"Token " + token}}, ConnectTimeout: 3 * time.Second,
		Secrets: []string{token}, Words: testWords,
	}
}

// The handshake says who we are, and what comes after it is counted.
func TestDial(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := dialertest.NewNetwork()
		srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if agent, auth := r.Header.Get("User-Agent"), r.Header.Get("Authorization"); agent != "tapdeck" || auth != "Token "+token {
				t.Errorf("the peer is told %v", r.Header)
			}
			ws, err := websocket.Accept(w, r, nil)
			if err != nil {
				t.Error(err)
				return
			}
			_ = ws.Write(r.Context(), websocket.MessageBinary, []byte("x"))
			_ = ws.Close(websocket.StatusNormalClosure, "")
		})}
		go srv.Serve(n)
		defer srv.Close()
		var c FrameCounter
		target := testTarget("ws://peer.test")
		ws, below, err := target.DialWith(t.Context(), n.Dial, &c)
		if err != nil {
			t.Fatal(err)
		}
		var seen SeenFrames
		c.Seen = func(f SeenFrames) {
			seen = SeenFrames{seen.Control + f.Control, seen.Fragments + f.Fragments, seen.Messages + f.Messages}
		}
		for err == nil {
			_, _, err = ws.Read(t.Context())
		}
		if want := (SeenFrames{Control: 1, Messages: 1}); seen != want || !NormalEnd(err) {
			t.Errorf("%+v, want %+v: %v", seen, want, err)
		}
		if err := below.SetDeadline(time.Now()); len(target.Header) != 1 {
			t.Errorf("the header has become %v (%v)", target.Header, err)
		}
	})
}

// A context that ends while the peer has us wait ends the dial.
func TestDialIsCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := dialertest.NewNetwork()
		go func() {
			if conn, err := n.Accept(); err == nil {
				_, _ = io.Copy(io.Discard, conn)
			}
		}()
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		began := time.Now()
		if _, _, err := testTarget("ws://peer.test").DialWith(ctx, n.Dial, nil); !errors.Is(err, context.Canceled) || time.Since(began) != time.Second {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
	})
}

// Whatever answers wrongly, the hint says what to do.
func TestHandshakeFails(t *testing.T) {
	answer := func(status int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			http.Error(w, strings.Repeat(r.Header.Get("Authorization"), 1000), status)
		}
	}
	stranger := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a redirect was followed") }))
	defer stranger.Close()
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		hint    string
	}{
		"401":      {answer(401), hintSecret},
		"403":      {answer(403), hintSecret},
		"404":      {answer(404), hintPath},
		"500":      {answer(500), hintBroken},
		"200":      {answer(200), hintNoSocket},
		"426":      {answer(426), hintNoSocket},
		"redirect": {http.RedirectHandler(stranger.URL+"/?"+token, http.StatusTemporaryRedirect).ServeHTTP, hintRedirect},
		"long header": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Long", strings.Repeat("x", 100_000))
		}, hintLook},
		"wrong accept": {func(w http.ResponseWriter, r *http.Request) {
			conn, buf, err := w.(http.Hijacker).Hijack()
			if err == nil {
				fmt.Fprint(buf, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: "+token+"\r\n\r\n")
				buf.Flush()
				conn.Close()
			}
		}, hintNoSocket},
	} {
		t.Run(name, func(t *testing.T) {
			peer := httptest.NewServer(c.handler)
			defer peer.Close()
			target := testTarget("ws" + strings.TrimPrefix(peer.URL, "http") + "/media?key=" + key)
			_, todo, err := target.Reach(t.Context())
			if want := target.Words.fill(c.hint); err == nil || todo != want {
				t.Errorf("%v: hint %q, want %q", err, todo, want)
			}
			if s := fmt.Sprint(err); strings.Contains(s, token) || strings.Contains(s, key) || len(s) > 500 {
				t.Errorf("error %q", s)
			}
		})
	}
}

// A peer that is there is told nothing.
func TestReach(t *testing.T) {
	heard := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		_, message, err := conn.Read(context.Background())
		heard <- fmt.Sprintf("%q %d", message, websocket.CloseStatus(err))
	}))
	defer server.Close()
	if took, todo, err := testTarget("ws" + strings.TrimPrefix(server.URL, "http")).Reach(t.Context()); err != nil || took <= 0 || todo != "" {
		t.Errorf("%v, %q, %v", took, todo, err)
	}
	if got := <-heard; got != `"" 1000` {
		t.Errorf("the peer has heard %s", got)
	}
}

// whoSays returns the address of a peer that says something to whoever connects, and nothing more.
func whoSays(t *testing.T, answer string) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			conn.Write([]byte(answer))
			t.Cleanup(func() { conn.Close() })
		}
	}()
	return ln.Addr().String()
}

// If nothing answers, or something that is no web server, a hint says what to do, too.
func TestNoHandshake(t *testing.T) {
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone.Close()
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	secure.Config.ErrorLog = zap.NewStdLog(zap.NewNop())
	defer secure.Close()
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	for name, c := range map[string]struct{ url, hint string }{
		"nothing listens":        {"ws://" + gone.Addr().String(), hintRefused},
		"never answers":          {"ws://" + whoSays(t, ""), hintTimeout},
		"no HTTP":                {"ws://" + whoSays(t, "SSH-2.0-x\r\n"), hintNoHTTP},
		"certificate of nobody":  {"wss://" + secure.Listener.Addr().String(), hintTLS},
		"no TLS":                 {"wss://" + plain.Listener.Addr().String(), hintPlain},
		"TLS where none is said": {"ws://" + secure.Listener.Addr().String(), hintNoSocket},
	} {
		t.Run(name, func(t *testing.T) {
			target := testTarget(c.url + "/?key=" + key)
			if c.hint == hintTimeout {
				target.ConnectTimeout = 50 * time.Millisecond
			}
			_, todo, err := target.Reach(t.Context())
			if want := target.Words.fill(c.hint); err == nil || todo != want {
				t.Errorf("%v: hint %q, want %q", err, todo, want)
			}
			if text := fmt.Sprint(err); !strings.HasPrefix(text, "reach the recogniser: ") && c.hint != hintNoSocket || strings.Contains(text, key) {
				t.Errorf("error %q", err)
			}
			if c.hint == hintTimeout && fmt.Sprint(err) != "reach the recogniser: no answer to the handshake within 50ms: context deadline exceeded" {
				t.Errorf("error %q", err)
			}
		})
	}
}

// What net/http says of a peer is not told as it is.
func TestDialError(t *testing.T) {
	target := testTarget("ws://peer.test")
	for text, want := range map[string]error{
		"net/http: HTTP/1.x transport connection broken: readLoopPeekFailLocked: <nil>": errSpokeFirst,
		`malformed MIME header line: "secret"`:                                          errNoHeader,
	} {
		err := target.dialError(nil, &url.Error{Op: "Get", URL: "http://peer.test/?key=" + key, Err: errors.New(text)})
		if err.Error() != "reach the recogniser: "+want.Error() || target.Hint(err) == "" {
			t.Errorf("%s is told as %v", text, err)
		}
	}
}

// Nothing is left of an attempt whose time is over, however long the peer has it wait.
func TestNoConnectionIsLeft(t *testing.T) {
	for _, scheme := range []string{"ws", "wss"} {
		t.Run(scheme, func(t *testing.T) {
			ln, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer ln.Close()
			target := testTarget(scheme + "://" + ln.Addr().String())
			target.ConnectTimeout = time.Second
			var dialled sync.WaitGroup
			defer dialled.Wait()
			dialled.Go(func() {
				if _, _, err := target.Dial(t.Context(), nil); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("dialled: %v", err)
				}
			})
			_ = ln.(*net.TCPListener).SetDeadline(time.Now().Add(10 * time.Second))
			conn, err := ln.Accept()
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
			if _, err := io.Copy(io.Discard, conn); errors.Is(err, os.ErrDeadlineExceeded) {
				t.Error("the connection is still open")
			}
		})
	}
}
