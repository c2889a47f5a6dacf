package recogniser

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"strings"

	"github.com/coder/websocket"
)

// serve is one attempt to connect.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	c := s.add(r)
	if c == nil {
		return
	}
	defer s.remove(c)
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	c.socket = r.Context().Value(socketKey{}).(net.Conn)
	if f := c.fault(); f.NoHandshake {
		<-ctx.Done()
		return
	} else if f.Refuse != 0 {
		c.refuse(w, f.Refuse, f.Location, "Simulated.")
		return
	}
	wire, status, problem := s.newWire(c)
	if status != 0 {
		c.refuse(w, status, "", problem)
		return
	}
	c.accept(ctx, cancel, w, r, wire)
}

// newWire is the connection's, or the status with which the handshake is refused and why.
func (s *Server) newWire(c *Connection) (w wire, status int, problem string) {
	if !s.admits(c.Header.Get("Authorization")) {
		return nil, http.StatusUnauthorized, "Invalid credentials."
	}
	if s.Format == Vosk {
		return newVosk(c), 0, ""
	}
	p, err := parseParameters(c.Query, s.silence())
	if err != nil {
		return nil, http.StatusBadRequest, "Bad Request: " + err.Error()
	}
	return newDeepgram(c, p), 0, ""
}

// admits says whether the header has the key.
func (s *Server) admits(authorization string) bool {
	scheme, key, found := strings.Cut(authorization, " ")
	switch {
	case s.Key == "":
		return true
	case s.Format == Vosk && !found:
		return authorization == s.Key
	case s.Format == Vosk:
		return key == s.Key
	}
	return strings.EqualFold(scheme, "Token") && key == s.Key
}

// codes are what deepgram calls statuses.
var codes = map[int]string{
	http.StatusBadRequest:          "Bad Request",
	http.StatusUnauthorized:        "INVALID_AUTH",
	http.StatusForbidden:           "INSUFFICIENT_PERMISSIONS",
	http.StatusNotFound:            "NOT_FOUND",
	http.StatusTooManyRequests:     "TOO_MANY_REQUESTS",
	http.StatusInternalServerError: "INTERNAL_SERVER_ERROR",
}

// refuse answers the handshake with a status.
func (c *Connection) refuse(w http.ResponseWriter, status int, location, problem string) {
	c.note(func(r *Report) { r.Status = status })
	problem = c.echoed(problem)
	if location != "" {
		w.Header().Set("Location", location)
	}
	if c.server.Format == Vosk {
		http.Error(w, problem, status)
		return
	}
	b, err := json.Marshal(struct {
		Code    string `json:"err_code"`
		Message string `json:"err_msg"`
		ID      string `json:"request_id"`
	}{codes[status], problem, c.id()})
	if err != nil {
		panic("recogniser: " + err.Error())
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("dg-request-id", c.id())
	w.Header().Set("dg-error", problem)
	w.WriteHeader(status)
	_, _ = w.Write(b) // the client may have gone
}

// accept upgrades the connection and serves it until its end.
func (c *Connection) accept(ctx context.Context, cancel context.CancelFunc, w http.ResponseWriter, r *http.Request, wire wire) {
	if c.server.Format != Vosk {
		w.Header().Set("dg-request-id", c.id())
	}
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{
		InsecureSkipVerify: true, CompressionMode: websocket.CompressionDisabled, OnPingReceived: c.ping,
	})
	if err != nil {
		c.note(func(r *Report) { r.Status = http.StatusBadRequest }) // or what else Accept has answered
		return
	}
	c.ws = ws
	c.note(func(r *Report) { r.Status = http.StatusSwitchingProtocols })
	c.run(ctx, cancel, wire)
}

// ping counts one, and says whether it is answered.
func (c *Connection) ping(context.Context, []byte) bool {
	c.note(func(r *Report) { r.Pings++ })
	return !c.fault().NoPongs
}

// echoed is a text with the client's key, if the fault says so.
func (c *Connection) echoed(text string) string {
	if !c.fault().EchoKey {
		return text
	}
	return text + " " + c.Header.Get("Authorization")
}
