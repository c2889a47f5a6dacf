package dialer

import (
	"fmt"
	"net/http"
	"strings"
	"unicode"
)

const (
	// reasonHeader is where Deepgram says why it refuses.
	reasonHeader = "dg-error"
	// maxReason bounds what is told of it, in bytes.
	maxReason = 200
)

// RefusalError is an answer to the handshake that is no WebSocket.
type RefusalError struct {
	// Status is HTTP's.
	Status int
	// Reason is what the peer says in the header dg-error: at most 200 printable bytes without a
	// secret; "" if it says nothing.
	Reason string

	peer     string
	location string // where a redirect leads, without query and user
	err      error  // what the library says of it
}

func (t Target) refusal(response *http.Response, err error) *RefusalError {
	return &RefusalError{
		Status: response.StatusCode, Reason: t.reason(response.Header.Get(reasonHeader)),
		peer: t.Words.Peer, location: WithoutSecrets(response.Header.Get("Location")), err: err,
	}
}

// reason is what may be told of a reason.
func (t Target) reason(text string) string {
	text = t.Hide(strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, text))
	if len(text) > maxReason {
		text = strings.ToValidUTF8(text[:maxReason-len("…")], "") + "…"
	}
	return text
}

// Error names the peer, the status and, if they are known, the reason and the place of a redirect.
func (r *RefusalError) Error() string {
	if r.Status == http.StatusSwitchingProtocols {
		return r.err.Error()
	}
	text := fmt.Sprintf("%s answers %d %s", r.peer, r.Status, http.StatusText(r.Status))
	if r.location != "" {
		text += ", to " + r.location
	}
	if r.Reason != "" {
		text += ": " + r.Reason
	}
	return text
}

func (r *RefusalError) hint() string {
	switch {
	case r.Status == http.StatusUnauthorized, r.Status == http.StatusForbidden:
		return hintSecret
	case r.Status == http.StatusNotFound:
		return hintPath
	case r.location != "":
		return hintRedirect
	case r.Status >= http.StatusInternalServerError:
		return hintBroken
	}
	return hintNoSocket
}
