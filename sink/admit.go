package sink

import (
	"context"
	"crypto/subtle"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/coder/websocket"
	"go.uber.org/zap"

	"tapdeck/sink/store"
)

// ServeHTTP makes one request one stream.
func (c *connections) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if st := c.upgrade(w, r); st != nil {
		defer c.all.Done()
		st.serve()
	}
}

// upgrade makes a request a stream, or refuses it and returns nil. It is apart from
// ServeHTTP because its stack would be held for as long as the stream lives.
func (c *connections) upgrade(w http.ResponseWriter, r *http.Request) *stream {
	st, why := c.sink.admit(r)
	if why != "" {
		http.Error(w, why.Error(), refusals[why].status)
		c.sink.noteRefusal(r, why, why)
		return nil
	}
	var err error
	st.ws, err = websocket.Accept(w, r, &websocket.AcceptOptions{
		InsecureSkipVerify: true, // the module always sends an Origin
		CompressionMode:    websocket.CompressionDisabled,
		OnPingReceived:     st.ping,
		OnPongReceived:     func(context.Context, []byte) { st.countNoise() },
	})
	if err != nil {
		st.rec.release(&st.handle)
		c.sink.noteRefusal(r, "no_upgrade", err)
		return nil
	}
	return st
}

// admit checks all that can be checked before the upgrade and makes the socket its
// recording's one.
func (s *Sink) admit(r *http.Request) (*stream, refusal) {
	cfg := s.cfg.Load()
	peer, _ := netip.ParseAddrPort(r.RemoteAddr) // the zero Addr is in no network
	addr := peer.Addr().Unmap().WithZone("")
	if !slices.ContainsFunc(cfg.Allow, func(p netip.Prefix) bool { return p.Contains(addr) }) {
		return nil, "wrong_address"
	}
	rec, why := s.ticket(r.URL.Path)
	if why != "" {
		return nil, why
	}
	st := &stream{
		handle: handle{
			conn: r.Context().Value(connKey{}).(*conn), done: make(chan struct{}), wake: make(chan struct{}, 1),
		},
		rec: rec,
		buf: make([]byte, readBytes),
	}
	st.consumer, why = rec.reserve(&st.handle, cfg)
	return st, why
}

// ticket returns the recording that a path is for: /stream/UUID/TICKET.
func (s *Sink) ticket(path string) (*Recording, refusal) {
	rest, ok := strings.CutPrefix(path, "/stream")
	if !ok || (rest != "" && rest[0] != '/') {
		return nil, "wrong_path"
	}
	id, ticket, _ := strings.Cut(strings.TrimPrefix(rest, "/"), "/")
	if store.CheckID(id) != nil || ticket == "" || strings.ContainsRune(ticket, '/') {
		return nil, "no_ticket"
	}
	rec := s.lookup(id)
	if rec == nil || subtle.ConstantTimeCompare([]byte(rec.ticket), []byte(ticket)) != 1 {
		return nil, "wrong_ticket"
	}
	return rec, ""
}

func (s *Sink) noteRefusal(r *http.Request, why refusal, err error) {
	s.metrics.refused.WithLabelValues(string(why)).Inc()
	fields := []zap.Field{
		zap.String("peer", r.RemoteAddr), zap.String("cause", string(why)), zap.NamedError("err", err),
		zap.String("hint", refusals[why].hint),
	}
	kind := string(why)
	for part := range strings.SplitSeq(r.URL.Path, "/") {
		if store.CheckID(part) == nil {
			fields = append(fields, zap.String("call", part))
			if s.lookup(part) != nil {
				kind += " " + part
			}
			break
		}
	}
	s.log.Warn("stream refused", append(fields, rateLimited(kind))...)
}
