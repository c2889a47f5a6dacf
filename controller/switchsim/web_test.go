package switchsim

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// received is what one WebSocket brought.
type received struct {
	audio  []byte
	texts  []string
	order  string // 't' and 'b' per frame
	status websocket.StatusCode
	reason string
}

// webServer is a plain audio server.
type webServer struct {
	url  string
	done chan received
}

func newWebServer(t *testing.T) *webServer {
	w := &webServer{done: make(chan received, 100)}
	srv := httptest.NewServer(w)
	t.Cleanup(srv.Close)
	w.url = "ws" + strings.TrimPrefix(srv.URL, "http")
	return w
}

func (w *webServer) ServeHTTP(rw http.ResponseWriter, req *http.Request) {
	conn, err := websocket.Accept(rw, req, &websocket.AcceptOptions{InsecureSkipVerify: true})
	if err != nil {
		return
	}
	defer conn.CloseNow()
	conn.SetReadLimit(1 << 20)
	var r received
	for {
		kind, b, err := conn.Read(context.Background())
		if err != nil {
			var ce websocket.CloseError
			if errors.As(err, &ce) {
				r.status, r.reason = ce.Code, ce.Reason
			}
			w.done <- r
			return
		}
		if kind == websocket.MessageText {
			r.order += "t"
			r.texts = append(r.texts, string(b))
			continue
		}
		r.order += "b"
		r.audio = append(r.audio, b...)
	}
}

func (w *webServer) received(t *testing.T) received {
	t.Helper()
	select {
	case r := <-w.done:
		return r
	case <-time.After(deadline):
		t.Fatal("no stream has ended")
		return received{}
	}
}
