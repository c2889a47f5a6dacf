package sink

import (
	"net/http"
	"strings"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
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
	"wrong_path":       {http.StatusNotFound, "streams come to /stream/UUID/TICKET, as the call's URL says"},
	"no_ticket":        {http.StatusUnauthorized, "the URL must be the one that tapdeck gave to uuid_audio_stream"},
	"wrong_ticket":     {http.StatusForbidden, "the call is over, or the URL is not the one that tapdeck gave to uuid_audio_stream"},
	"wrong_address":    {http.StatusForbidden, "add the switch's address to sink.allow"},
	"already_live":     {http.StatusConflict, "the call has a stream: stop it before the next start"},
	"recording_failed": {http.StatusServiceUnavailable, "see this call's earlier lines"},
	"disk_low":         {http.StatusServiceUnavailable, "make room in sink.directory, or lower sink.min_free"},
	"closing":          {http.StatusServiceUnavailable, "tapdeck is stopping"},
	"no_upgrade":       {http.StatusUpgradeRequired, "streams are WebSockets; is this mod_audio_stream?"},
	plainText: {hint: "mod_audio_stream built without USE_TLS sends plain text to wss:// URLs: " +
		"rebuild it with -DUSE_TLS=ON, or advertise ws://"},
}

// rateLimited marks a line that strangers can cause, of a kind of which there are few, for the
// logger: see the package's doc.
func rateLimited(kind string) zap.Field {
	return zap.Field{Key: "ratelog", Type: zapcore.SkipType, String: kind}
}
