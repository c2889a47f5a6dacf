package sink

import (
	"context"
	"crypto/subtle"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"tapdeck/sink/store"
)

// refusal is why a request doesn't become a stream: one of refusals, which is also the metric's
// reason; "" is none.
type refusal string

func (r refusal) Error() string { return strings.ReplaceAll(string(r), "_", " ") }

// plainText is that of a peer that speaks no TLS, if the sink does.
const plainText refusal = "plain_text"

var refusals = map[refusal]struct {
	status int
	hint   string
}{
	"wrong_path":       {http.StatusNotFound, "streams come to /stream/CALL/TICKET, as the call's URL says"},
	"no_ticket":        {http.StatusUnauthorized, "the URL must be the one that tapdeck gave to uuid_audio_stream"},
	"wrong_ticket":     {http.StatusForbidden, "the call is over, or the URL is not the one that tapdeck gave to uuid_audio_stream"},
	"wrong_address":    {http.StatusForbidden, "add the switch's address to sink.allow"},
	"already_live":     {http.StatusConflict, "the call has a stream: stop it before the next start"},
	"recording_failed": {http.StatusServiceUnavailable, "see this call's earlier lines"},
	"max_duration":     {http.StatusServiceUnavailable, "the call's recording is full: " + closeReasons[EndMaxDuration].hint},
	"disk_low":         {http.StatusServiceUnavailable, "make room in sink.directory, or lower sink.min_free"},
	"closing":          {http.StatusServiceUnavailable, "the call is over, or tapdeck is stopping: a stream that is started then has no recording"},
	"no_upgrade":       {hint: "streams are WebSockets; is this mod_audio_stream?"},
	plainText: {hint: "mod_audio_stream built without USE_TLS sends plain text to wss:// URLs: " +
		"rebuild it with -DUSE_TLS=ON, or advertise ws://"},
}

// rateLimited marks a line that strangers can cause, of a kind of which there are few, for the
// logger: see the package's doc.
func rateLimited(kind string) zap.Field {
	return zap.Field{Key: "ratelog", Type: zapcore.SkipType, String: kind}
}

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
	// The server's limit counts from the request. On an overloaded machine it may be over by now,
	// and net/http would drop the response of a stream that lives.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(responseTimeout))
	st, why := c.sink.admit(r)
	if why != "" {
		http.Error(w, why.Error(), refusals[why].status)
		c.sink.noteRefusal(r, why, why)
		return nil
	}
	var err error
	st.ws, err = websocket.Accept(w, r, &websocket.AcceptOptions{
		InsecureSkipVerify: true, // the module always sends an Origin (F56)
		CompressionMode:    websocket.CompressionDisabled,
		OnPingReceived:     st.ping,
		OnPongReceived:     func(context.Context, []byte) { st.countNoise() },
	})
	if err != nil {
		st.rec.update(func(*State) { st.rec.live = nil })
		close(st.done)
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
	return st, rec.reserve(&st.handle, cfg)
}

// ticket returns the recording that a path is for: /stream/NAME/TICKET, with the call's store.Name.
func (s *Sink) ticket(path string) (*Recording, refusal) {
	parts := strings.Split(path, "/")
	if len(parts) < 2 || parts[0] != "" || parts[1] != "stream" {
		return nil, "wrong_path"
	}
	if len(parts) != 4 || !store.IsName(parts[2]) || parts[3] == "" {
		return nil, "no_ticket"
	}
	rec := s.lookup(parts[2])
	if rec == nil || subtle.ConstantTimeCompare([]byte(rec.ticket), []byte(parts[3])) != 1 {
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
		if rec := s.lookup(part); rec != nil {
			fields = append(fields, zap.String("call", rec.call.Call))
			kind += " " + part
			break
		}
		if store.IsUUID(part) {
			fields = append(fields, zap.String("call", part))
			break
		}
	}
	s.log.Warn("stream refused", append(fields, rateLimited(kind))...)
}
