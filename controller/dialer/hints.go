package dialer

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"

	"github.com/coder/websocket"
)

// Each stands for itself once Words.fill has filled it.
const (
	hintTimeout  = "{peer}'s machine or a firewall before it drops what is sent to {key}.url, or {peer} is too busy to answer: look there, or raise {key}.connect_timeout. Or it speaks no TLS, and {key}.url must say ws://"
	hintRefused  = "nothing listens at {key}.url: is {peer} running, and are host and port those of its WebSocket server?"
	hintNoHost   = "the host of {key}.url is not known to DNS on this machine: is it spelled right?"
	hintNoRoute  = "this machine has no route to the host of {key}.url: look at its network and firewall"
	hintTLS      = "the certificate of {key}.url is not one that this machine trusts for that host: give {peer} a valid one, or name its authority in the daemon's environment: SSL_CERT_FILE=ca.pem"
	hintPlain    = "{key}.url says wss://, but no TLS answers there: is it ws://, or another port?"
	hintNoHTTP   = "what listens at {key}.url speaks no HTTP: is it another port, or wss:// instead of ws://?"
	hintSecret   = "{peer} refuses who calls it, or something it was told: {secret}"
	hintPath     = "{peer}'s server has nothing at the path of {key}.url: compare it with {peer}'s"
	hintRedirect = "redirects are not followed, so that no secret goes elsewhere: put the final address into {key}.url"
	hintNoSocket = "a web server answers at {key}.url, but no WebSocket: is it the right path, and does a proxy before {peer} pass upgrades on?"
	hintBroken   = "{peer} or a proxy before it has an error: look at its log"
	hintCrash    = "{peer}'s process has ended, or a proxy before it has cut the connection: look at the log of both. If it was never reached, it may speak TLS: wss:// instead of ws://"
	hintProtocol = "what came is no WebSocket frame: does a proxy change what {peer} sends?"
	hintClosed   = "{peer} has closed with an error: look at its log"
	hintAddress  = "use wss://, or set {key}.insecure: true if the way to {peer} is safe by other means"
	hintLook     = "look at {peer}'s log at this time"
)

// Hint says what to do about a peer that was not reached or was lost.
func (t Target) Hint(err error) string { return t.Words.fill(hintOf(err)) }

func hintOf(err error) string {
	var refused *RefusalError
	if errors.As(err, &refused) {
		return refused.hint()
	}
	var address *notPermitted
	if errors.As(err, &address) {
		return hintAddress
	}
	var closed websocket.CloseError
	if errors.As(err, &closed) {
		return closeHint(closed.Code)
	}
	for _, known := range []struct {
		is   error
		hint string
	}{
		{errSpokeFirst, hintNoHTTP},
		{context.DeadlineExceeded, hintTimeout},
		{os.ErrDeadlineExceeded, hintTimeout},
		{syscall.ECONNREFUSED, hintRefused},
		{syscall.EHOSTUNREACH, hintNoRoute},
		{syscall.ENETUNREACH, hintNoRoute},
		{syscall.ETIMEDOUT, hintTimeout},
	} {
		if errors.Is(err, known.is) {
			return known.hint
		}
	}
	return typeHint(err)
}

// typeHint knows errors by their type or, if they have none, by their text.
func typeHint(err error) string {
	var noHost *net.DNSError
	var noTLS tls.RecordHeaderError
	var certificate *tls.CertificateVerificationError
	var authority x509.UnknownAuthorityError
	switch text := err.Error(); {
	case errors.As(err, &noHost):
		return hintNoHost
	case errors.As(err, &noTLS), strings.Contains(text, "server gave HTTP response to HTTPS client"):
		return hintPlain
	case errors.As(err, &certificate), errors.As(err, &authority), strings.Contains(text, "tls: "):
		return hintTLS
	case strings.Contains(text, "malformed HTTP"):
		return hintNoHTTP
	case BrokenFrame(err):
		return hintProtocol
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, net.ErrClosed):
		return hintCrash
	}
	return hintLook
}

// closeHint is about a status that the peer has closed with.
func closeHint(code websocket.StatusCode) string {
	switch code {
	case websocket.StatusPolicyViolation:
		return hintSecret
	case websocket.StatusInternalError, websocket.StatusServiceRestart, websocket.StatusTryAgainLater, websocket.StatusBadGateway:
		return hintBroken
	}
	return hintClosed
}
