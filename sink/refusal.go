package sink

import (
	"net/http"
	"strings"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
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

// reasonPlainText is that of a peer that speaks no TLS, if the sink does.
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

// rateLimited marks a line that strangers can cause, of a kind of which there are few, for the
// logger: see the package's doc.
func rateLimited(kind string) zap.Field {
	return zap.Field{Key: "ratelog", Type: zapcore.SkipType, String: kind}
}
