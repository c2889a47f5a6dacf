package dialer

import (
	"context"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/coder/websocket"
)

// Target is whom to dial, and what must stay secret of it. It is not changed by its methods, which are
// safe for concurrent use.
type Target struct {
	// URL is ws:// or wss://.
	URL string
	// Header is sent with the handshake, beside "User-Agent: tapdeck".
	Header http.Header
	// Permits refuses an address that the URL's host stands for, right before it is connected with;
	// nil permits all. A proxy is not used then for ws://, since the address would be the proxy's.
	Permits func(netip.Addr) error
	// ConnectTimeout bounds an attempt to reach it, the handshake included.
	ConnectTimeout time.Duration
	// Secrets are what must not be read in an error, a hint or a log: tokens, signatures. Empty ones
	// are none.
	Secrets []string
	// Words are needed for each error and hint.
	Words Words
}

// Words are how errors and hints call a target.
type Words struct {
	// Peer is who listens there: "the bot".
	Peer string
	// Key is that of the configuration below which url, connect_timeout and insecure stand: "agent".
	Key string
	// Secret says what to compare if the peer refuses us: "compare agent.token_file with …".
	Secret string
}

// fill puts the words into a text, in the place of {peer}, {key} and {secret}.
func (w Words) fill(text string) string {
	return strings.NewReplacer("{peer}", w.Peer, "{key}", w.Key, "{secret}", w.Secret).Replace(text)
}

// Reach connects, says nothing, and closes. It returns how long the handshake took, or why there was
// none and what to do; no secret is in either.
func (t Target) Reach(ctx context.Context) (took time.Duration, todo string, err error) {
	began := time.Now()
	ws, _, err := t.Dial(ctx, nil)
	if err != nil {
		return 0, t.Hint(err), t.Redact(err)
	}
	took = time.Since(began)
	_ = ws.Close(websocket.StatusNormalClosure, "only asked whether it answers")
	return took, "", nil
}
