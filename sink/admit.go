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
)

// refusal is why a request doesn't become a stream.
type refusal struct {
	status int
	reason string // of a closed list, for the metric
	hint   string
}

func (r *refusal) Error() string { return strings.ReplaceAll(r.reason, "_", " ") }

var (
	refusedPath    = &refusal{http.StatusNotFound, "wrong_path", "streams come to /stream/UUID/TICKET, as the call's URL says"}
	refusedTicket  = &refusal{http.StatusUnauthorized, "no_ticket", "the URL must be the one that tapdeck gave to uuid_audio_stream"}
	refusedWrong   = &refusal{http.StatusForbidden, "wrong_ticket", "the call is over, or the URL is not the one that tapdeck gave to uuid_audio_stream"}
	refusedAddress = &refusal{http.StatusForbidden, "wrong_address", "add the switch's address to sink.allow"}
	refusedLive    = &refusal{http.StatusConflict, "already_live", "the call has a stream: stop it before the next start"}
	refusedFailed  = &refusal{http.StatusServiceUnavailable, "recording_failed", "see this call's earlier lines"}
	refusedDisk    = &refusal{http.StatusServiceUnavailable, "disk_low", "make room in sink.directory, or lower sink.min_free"}
	refusedClosing = &refusal{http.StatusServiceUnavailable, "closing", "tapdeck is stopping"}
	refusedUpgrade = &refusal{http.StatusUpgradeRequired, "no_upgrade", "streams are WebSockets; is this mod_audio_stream?"}
	refusedError   = &refusal{http.StatusInternalServerError, "error", "a defect of tapdeck: see err"}
)

// reasonPlainText is that of a peer that speaks no TLS where the sink does.
const reasonPlainText = "plain_text"

// refusalReasons are all that a socket may be refused for.
func refusalReasons() []string {
	reasons := []string{reasonPlainText}
	for _, r := range []*refusal{
		refusedPath, refusedTicket, refusedWrong, refusedAddress, refusedLive,
		refusedFailed, refusedDisk, refusedClosing, refusedUpgrade, refusedError,
	} {
		reasons = append(reasons, r.reason)
	}
	return reasons
}

// handler is the sink's HTTP side: one request, one stream.
type handler struct {
	sink  *Sink
	conns *connections
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	st, ws := h.upgrade(w, r)
	if st == nil {
		return
	}
	defer h.conns.ended()
	st.serve(ws)
	if h.sink.isClosed() {
		_, _ = st.rec.Finish(context.Background()) // here, so that all are published side by side
	}
}

// upgrade makes a request a stream, or refuses it and returns nil. It is apart from
// ServeHTTP because its stack would be held for as long as the stream lives.
func (h *handler) upgrade(w http.ResponseWriter, r *http.Request) (*stream, *websocket.Conn) {
	st, err := h.sink.admit(r)
	if err != nil {
		h.sink.refuse(w, r, err)
		return nil, nil
	}
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{
		InsecureSkipVerify: true, // the module always sends an Origin
		CompressionMode:    websocket.CompressionDisabled,
		OnPingReceived:     st.ping,
		OnPongReceived:     st.pong,
	})
	if err != nil {
		st.rec.release(st)
		h.sink.noteRefusal(r, refusedUpgrade, err)
		return nil, nil
	}
	return st, ws
}

// admit checks all that can be checked before the upgrade and takes the recording's
// place for a socket.
func (s *Sink) admit(r *http.Request) (*stream, error) {
	if !s.cfg.Load().permits(peerAddr(r)) {
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
	return rec.reserve(c)
}

// ticket returns the recording that a request's path is for: /stream/UUID/TICKET.
func (s *Sink) ticket(r *http.Request) (*Recording, error) {
	rest, ok := strings.CutPrefix(r.URL.Path, "/stream")
	if !ok || (rest != "" && rest[0] != '/') {
		return nil, refusedPath
	}
	id, ticket, _ := strings.Cut(strings.TrimPrefix(rest, "/"), "/")
	if checkID(id) != nil || ticket == "" || strings.ContainsRune(ticket, '/') {
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
	id := pathID(r.URL.Path)
	kind := noticeKind{reason: why.reason}
	if id != "" && s.lookup(id) != nil {
		kind.call = id
	}
	skipped, ok := s.notices.permit(kind)
	if !ok {
		return
	}
	fields := []zap.Field{
		zap.String("peer", r.RemoteAddr), zap.String("cause", why.reason), zap.NamedError("err", err),
		zap.Int("skipped", skipped), zap.String("hint", why.hint),
	}
	if id != "" {
		fields = append(fields, zap.String("call", id))
	}
	s.log.Warn("stream refused", fields...)
}

// pathID returns the call UUID that a path names, "" if it names none.
func pathID(path string) string {
	for part := range strings.SplitSeq(path, "/") {
		if checkID(part) == nil {
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
