package sink

import (
	"context"
	"crypto/subtle"
	"errors"
	"net/http"
	"net/netip"
	"strings"

	"github.com/coder/websocket"
	"go.uber.org/zap"

	"tapdeck/sink/store"
)

// ServeHTTP makes one request one stream.
func (c *connections) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	st, ws := c.upgrade(w, r)
	if st == nil {
		return
	}
	defer c.all.Done()
	st.serve(ws)
	if c.sink.isClosed() {
		_ = st.rec.Finish(context.Background()) // here, so that all are published side by side
	}
}

// upgrade makes a request a stream, or refuses it and returns nil. It is apart from
// ServeHTTP because its stack would be held for as long as the stream lives.
func (c *connections) upgrade(w http.ResponseWriter, r *http.Request) (*stream, *websocket.Conn) {
	st, err := c.sink.admit(r)
	if err != nil {
		c.sink.refuse(w, r, err)
		return nil, nil
	}
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{
		InsecureSkipVerify: true, // the module always sends an Origin
		CompressionMode:    websocket.CompressionDisabled,
		OnPingReceived:     st.ping,
		OnPongReceived:     st.pong,
	})
	if err != nil {
		st.rec.release(&st.handle)
		c.sink.noteRefusal(r, refusedUpgrade, err)
		return nil, nil
	}
	return st, ws
}

// admit checks all that can be checked before the upgrade and makes the socket its
// recording's one.
func (s *Sink) admit(r *http.Request) (*stream, error) {
	cfg := s.cfg.Load()
	if !cfg.permits(peerAddr(r)) {
		return nil, refusedAddress
	}
	rec, err := s.ticket(r)
	if err != nil {
		return nil, err
	}
	if s.isClosed() {
		return nil, refusedClosing
	}
	c := connOf(r.Context())
	if c == nil {
		return nil, errors.New("connection is not the sink's")
	}
	st := newStream(rec, c)
	st.consumer, err = rec.reserve(&st.handle, cfg)
	return st, err
}

// ticket returns the recording that a request's path is for: /stream/UUID/TICKET.
func (s *Sink) ticket(r *http.Request) (*Recording, error) {
	rest, ok := strings.CutPrefix(r.URL.Path, "/stream")
	if !ok || (rest != "" && rest[0] != '/') {
		return nil, refusedPath
	}
	id, ticket, _ := strings.Cut(strings.TrimPrefix(rest, "/"), "/")
	if store.CheckID(id) != nil || ticket == "" || strings.ContainsRune(ticket, '/') {
		return nil, refusedTicket
	}
	rec := s.lookup(id)
	if rec == nil || subtle.ConstantTimeCompare([]byte(rec.ticket), []byte(ticket)) != 1 {
		return nil, refusedWrong
	}
	return rec, nil
}

func (s *Sink) refuse(w http.ResponseWriter, r *http.Request, err error) {
	var why *refusal
	if !errors.As(err, &why) {
		why = refusedError
	}
	http.Error(w, why.Error(), why.status)
	s.noteRefusal(r, why, err)
}

func (s *Sink) noteRefusal(r *http.Request, why *refusal, err error) {
	s.metrics.refused.WithLabelValues(why.reason).Inc()
	id, kind := pathID(r.URL.Path), why.reason
	if id != "" && s.lookup(id) != nil {
		kind += " " + id
	}
	fields := []zap.Field{
		rateLimited(kind), zap.String("peer", r.RemoteAddr), zap.String("cause", why.reason), zap.NamedError("err", err),
		zap.String("hint", why.hint),
	}
	if id != "" {
		fields = append(fields, zap.String("call", id))
	}
	s.log.Warn("stream refused", fields...)
}

// pathID returns the call UUID that a path names, "" if it names none.
func pathID(path string) string {
	for part := range strings.SplitSeq(path, "/") {
		if store.CheckID(part) == nil {
			return part
		}
	}
	return ""
}

func peerAddr(r *http.Request) netip.Addr {
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr()
}
