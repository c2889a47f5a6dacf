package bot

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"maps"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// Format is the wire that a bot speaks.
type Format string

// The wires: Twilio Media Streams, and the lean one of binary PCM.
const (
	Twilio Format = "twilio"
	PCM    Format = "pcm"
)

// Options are what a bot is like. The zero value listens silently, on the twilio wire.
type Options struct {
	// Format is the wire; empty is Twilio.
	Format Format
	// Behaviour is what the bot does; nil is nothing.
	Behaviour Behaviour
	// Faults are what goes wrong: the first connection has the first, the second the second and so on,
	// and the last holds for all later ones.
	Faults []Fault
	// Token, if any, must come as Authorization: Bearer, or the handshake is refused with 401.
	Token string
	// TwilioAuthToken, if any, must have signed the URL (X-Twilio-Signature), or the handshake is
	// refused with 403.
	TwilioAuthToken string
	// Rate, in Hz, is that of what the bot says on the pcm wire; 0 is the caller's. The ready-made echoes
	// need the caller's.
	Rate int
	// Count keeps only numbers of what comes: for load.
	Count bool
	// Listener is where it listens; nil is a free port of 127.0.0.1.
	Listener net.Listener
}

// Bot is a running server.
type Bot struct {
	o       Options
	url     string
	server  *http.Server
	serving sync.WaitGroup
	closed  chan struct{}

	mu       sync.Mutex
	ended    bool                  // closed is
	conns    map[net.Conn]struct{} // those that are open
	accepted int
	sessions []*Session
	returned int           // how many of them Next has returned
	changed  chan struct{} // closed at the next change of sessions
}

// Start runs a bot until Close. It panics if this machine has no free loopback port, as net/http/httptest does.
func Start(o Options) *Bot {
	if o.Format == "" {
		o.Format = Twilio
	}
	if o.Listener == nil {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			panic("bot: listen on a loopback port: " + err.Error())
		}
		o.Listener = ln
	}
	b := &Bot{
		o: o, url: "ws://" + o.Listener.Addr().String() + "/media",
		closed: make(chan struct{}), changed: make(chan struct{}), conns: map[net.Conn]struct{}{},
	}
	b.server = &http.Server{
		Handler: http.HandlerFunc(b.serve), ReadHeaderTimeout: time.Minute,
		ConnContext: func(ctx context.Context, c net.Conn) context.Context { return context.WithValue(ctx, connKey{}, c) },
	}
	b.server.SetKeepAlivesEnabled(false) // one connection, one attempt, one Fault
	b.serving.Go(func() { _ = b.server.Serve(&listener{o.Listener, b}) })
	return b
}

// URL is where the bot answers.
func (b *Bot) URL() string { return b.url }

// Close ends every session without a word and returns when all goroutines have ended.
func (b *Bot) Close() { b.end(false) }

// Kill is Close as a process that is killed looks to its peers: connections are reset.
func (b *Bot) Kill() { b.end(true) }

func (b *Bot) end(reset bool) {
	b.mu.Lock()
	if !b.ended {
		b.ended = true
		close(b.closed)
	}
	open := slices.Collect(maps.Keys(b.conns))
	b.mu.Unlock()
	_ = b.server.Close()
	for _, c := range open {
		if reset {
			abort(c)
		}
		_ = c.Close()
	}
	b.serving.Wait()
}

// Connections is how many TCP connections have come.
func (b *Bot) Connections() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.accepted
}

// Sessions are all that have begun: those whose start message has come, in order.
func (b *Bot) Sessions() []*Session {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.sessions)
}

// Next waits for the next session that it has not returned before.
func (b *Bot) Next(ctx context.Context) (*Session, error) {
	for {
		b.mu.Lock()
		changed := b.changed
		if b.returned < len(b.sessions) {
			s := b.sessions[b.returned]
			b.returned++
			b.mu.Unlock()
			return s, nil
		}
		b.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// add is a session that has begun.
func (b *Bot) add(s *Session) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sessions = append(b.sessions, s)
	close(b.changed)
	b.changed = make(chan struct{})
}

// begin counts a goroutine that Close waits for; false when there may be none any more.
func (b *Bot) begin() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.ended {
		b.serving.Add(1)
	}
	return !b.ended
}

// serve is one attempt to connect.
func (b *Bot) serve(w http.ResponseWriter, r *http.Request) {
	if !b.begin() {
		return
	}
	defer b.serving.Done()
	conn := r.Context().Value(connKey{}).(*connection)
	f := conn.fault
	switch {
	case f.NoHandshake:
		select {
		case <-r.Context().Done():
		case <-b.closed:
		}
		return
	case f.NoWebSocket:
		_, _ = w.Write([]byte("<html>a page, simulated</html>\n"))
		return
	case f.Refuse != 0:
		http.Error(w, "refused, simulated", f.Refuse)
		return
	}
	if status := b.refusal(r); status != 0 {
		http.Error(w, http.StatusText(status), status)
		return
	}
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true, CompressionMode: websocket.CompressionDisabled})
	if err != nil {
		return // Accept has answered
	}
	newSession(b, ws, conn, r).run()
}

// refusal is the status of a handshake that lacks what the bot wants to see, or 0.
func (b *Bot) refusal(r *http.Request) int {
	if b.o.Token != "" && r.Header.Get("Authorization") != "Bearer "+b.o.Token {
		return http.StatusUnauthorized
	}
	if b.o.TwilioAuthToken != "" && r.Header.Get("X-Twilio-Signature") != Signature(b.o.TwilioAuthToken, "ws://"+r.Host+r.RequestURI) {
		return http.StatusForbidden
	}
	return 0
}

// Signature is X-Twilio-Signature of a URL.
func Signature(authToken, url string) string {
	h := hmac.New(sha1.New, []byte(authToken))
	h.Write([]byte(url))
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}
