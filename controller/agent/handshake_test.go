package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

const (
	token       = "bearer-of-this-test"
	twilioToken = "twilio-token-of-this-test"
)

// The handshake says who we are. The signature was made with another program:
// printf %s URL | openssl dgst -sha1 -hmac TOKEN -binary | base64
func TestHandshakeHeaders(t *testing.T) {
	c := testConfig(FormatTwilio)
	c.Token, c.TwilioAuthToken, c.URL = token, "12345", "wss://myapp.com/media?a=b"
	h := c.header()
	if got := h.Get("Authorization"); got != "Bearer "+token {
		t.Errorf("Authorization is %q", got)
	}
	if got := h.Get("X-Twilio-Signature"); got != "eHokRkczrpzBkco7XHWduRiknRc=" {
		t.Errorf("the signature is %q", got)
	}
	if h := testConfig(FormatTwilio).header(); len(h) != 0 {
		t.Errorf("without tokens the header is %v", h)
	}
}

// connectOnce returns the failure of a session that tries once.
func connectOnce(t *testing.T, c Config) Event {
	t.Helper()
	c.Reconnect = 0
	s := Start(t.Context(), c, newEar(), &testMouth{}, zap.NewNop(), nil)
	defer s.Stop("test over")
	for e := range s.Events() {
		if e.Kind == Failed {
			return e
		}
	}
	return Event{}
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
			bot := httptest.NewServer(c.handler)
			defer bot.Close()
			config := testConfig(FormatTwilio)
			config.URL = "ws" + strings.TrimPrefix(bot.URL, "http") + "/media?key=" + twilioToken
			config.Token = token
			e := connectOnce(t, config)
			if e.Text != c.hint {
				t.Errorf("%v: hint %q, want %q", e.Err, e.Text, c.hint)
			}
			if _, todo, err := Reach(t.Context(), config); err == nil || strings.Contains(err.Error(), token) || strings.Contains(err.Error(), twilioToken) || todo != e.Text {
				t.Errorf("Reach says %v, %q, a session %v, %q", err, todo, e.Err, e.Text)
			}
			if s := e.Err.Error(); strings.Contains(s, token) || strings.Contains(s, twilioToken) || len(s) > 500 {
				t.Errorf("error %q", s)
			}
		})
	}
}

// A bot that is there answers.
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
	c := testConfig(FormatTwilio)
	c.URL = "ws" + strings.TrimPrefix(server.URL, "http")
	if took, todo, err := Reach(t.Context(), c); err != nil || took <= 0 || todo != "" {
		t.Errorf("%v, %q, %v", took, todo, err)
	}
	if got := <-heard; got != `"" 1000` {
		t.Errorf("the bot has heard %s", got)
	}
}

// So it does if nothing answers, or something that is no web server.
func TestNoHandshake(t *testing.T) {
	serve := func(answer string) string {
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
		"never answers":          {"ws://" + serve(""), hintTimeout},
		"no HTTP":                {"ws://" + serve("SSH-2.0-x\r\n"), hintNoHTTP},
		"certificate of nobody":  {"wss://" + secure.Listener.Addr().String(), hintTLS},
		"no TLS":                 {"wss://" + plain.Listener.Addr().String(), hintPlain},
		"TLS where none is said": {"ws://" + secure.Listener.Addr().String(), hintNoSocket},
	} {
		t.Run(name, func(t *testing.T) {
			config := testConfig(FormatPCM)
			config.URL = c.url
			if c.hint == hintTimeout {
				config.ConnectTimeout = 50 * time.Millisecond
			}
			if e := connectOnce(t, config); e.Text != c.hint {
				t.Errorf("%v: hint %q, want %q", e.Err, e.Text, c.hint)
			}
		})
	}
}

func TestHintOf(t *testing.T) {
	for err, want := range map[error]string{
		&net.DNSError{Err: "no such host", Name: "bot.invalid", IsNotFound: true}: hintNoHost,
		os.NewSyscallError("connect", syscall.EHOSTUNREACH):                       hintNoRoute,
		os.NewSyscallError("connect", syscall.ENETUNREACH):                        hintNoRoute,
		os.NewSyscallError("read", syscall.ECONNRESET):                            hintCrash,
		websocket.CloseError{Code: websocket.StatusPolicyViolation}:               hintSecret,
		websocket.CloseError{Code: websocket.StatusInternalError}:                 hintBroken,
		websocket.CloseError{Code: 4000}:                                          hintClosed,
		context.DeadlineExceeded:                                                  hintTimeout,
		errors.New("something else"):                                              hintLook,
		errNoRead:                                                                 hintSlow,
	} {
		if got := (&Session{target: testConfig(FormatPCM).target()}).hintOf(fmt.Errorf("reach the bot: %w", err)); got != want {
			t.Errorf("%v: %q, want %q", err, got, want)
		}
	}
}

// A bot that sends back what it was sent brings no token into logs and events.
func TestTokensStaySecret(t *testing.T) {
	core, logs := observer.New(zap.DebugLevel)
	bot := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := websocket.Accept(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		secret := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		for _, m := range []string{secret, `{"event":"` + secret + `"}`, `{"event":"media","streamSid":"` + secret + `"}`, `{"event":"` + twilioToken + `"}`} {
			_ = ws.Write(r.Context(), websocket.MessageText, []byte(m))
		}
		ws.Close(4000, secret+twilioToken)
	}))
	defer bot.Close()
	c := testConfig(FormatTwilio)
	c.URL, c.Token, c.TwilioAuthToken, c.Reconnect = "ws://user:"+token+"@"+bot.Listener.Addr().String()+"/?"+token, token, twilioToken, 1
	s := Start(t.Context(), c, newEar(), &testMouth{}, zap.New(core), nil)
	defer s.Stop("test over")
	for e := range s.Events() {
		if text := fmt.Sprintf("%v %+v %s", e.Err, e.Err, e.Text); strings.Contains(text, token) || strings.Contains(text, twilioToken) {
			t.Errorf("event %q: %s", e.Kind, text)
		}
		if e.Kind == Failed {
			break
		}
	}
	if logs.Len() < 8 {
		t.Errorf("%d lines", logs.Len())
	}
	for _, l := range logs.All() {
		if text := fmt.Sprint(l.Message, l.ContextMap()); strings.Contains(text, token) || strings.Contains(text, twilioToken) {
			t.Errorf("line %s", text)
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
			c := testConfig(FormatPCM)
			c.URL, c.Reconnect, c.ConnectTimeout = scheme+"://"+ln.Addr().String(), 0, time.Second
			s := Start(t.Context(), c, newEar(), &testMouth{}, zap.NewNop(), nil)
			defer s.Stop("test over")
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
