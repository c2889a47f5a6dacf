package agent

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"

	"github.com/coder/websocket"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// How a connection can be lost that neither side has closed.
var (
	errNoWrite = errors.New("the bot has read nothing for 5 s")
	errNoPong  = errors.New("the bot has not answered a ping for 20 s")
	errNoRead  = errors.New("the bot reads too slowly: 16384 messages wait for it")
	errFrames  = errors.New("the bot has sent nothing but control frames and fragments, thousands of them for 5 s")
	errPanic   = errors.New("panic")
)

const (
	hintTimeout  = "the bot's machine or a firewall before it drops what is sent to agent.url, or the bot is too busy to answer: look there, or raise agent.connect_timeout. Or it speaks no TLS, and agent.url must say ws://"
	hintRefused  = "nothing listens at agent.url: is the bot running, and are host and port those of its WebSocket server?"
	hintNoHost   = "the host of agent.url is not known to DNS on this machine: is it spelled right?"
	hintNoRoute  = "this machine has no route to the host of agent.url: look at its network and firewall"
	hintTLS      = "the certificate of agent.url is not one that this machine trusts for that host: give the bot a valid one, or name its authority in the daemon's environment: SSL_CERT_FILE=ca.pem"
	hintPlain    = "agent.url says wss://, but no TLS answers there: is it ws://, or another port?"
	hintNoHTTP   = "what listens at agent.url speaks no HTTP: is it another port, or wss:// instead of ws://?"
	hintSecret   = "the bot refuses who calls it, or something it was told (see err): compare agent.token_file and agent.twilio_auth_token_file with what the bot expects; Twilio's signature is made of agent.url as the plan has it, so a proxy must not change what the bot takes for its URL"
	hintPath     = "the bot's server has nothing at the path of agent.url: compare it with the bot's"
	hintRedirect = "redirects are not followed, so that the token goes nowhere else: put the final address into agent.url"
	hintNoSocket = "a web server answers at agent.url, but no WebSocket: is it the right path, and does a proxy before the bot pass upgrades on?"
	hintBroken   = "the bot or a proxy before it has an error: look at its log"
	hintCrash    = "the bot's process has ended, or a proxy before it has cut the connection: look at the log of both. If it was never reached, it may speak TLS: wss:// instead of ws://"
	hintSlow     = "the bot does not read its socket: it works too long in the loop that reads, or hangs; look at its log"
	hintTooBig   = "the bot has sent a message of more than 1 MiB: let it send its audio in several"
	hintProtocol = "what came is no WebSocket frame: does a proxy change what the bot sends?"
	hintFrames   = "a ping every few seconds is enough, and a message belongs into one frame: look at what the bot's library is told to send"
	hintClosed   = "the bot has closed with an error: look at its log"
	hintReport   = "please report this with its stack; this conversation is over, the call and all others go on"
	hintAddress  = "use wss://, or set agent.insecure: true if the way to the bot is safe by other means"
	hintLook     = "look at the bot's log at this time"
)

// hintOf says what to do about a bot that was not reached or was lost.
func hintOf(err error) string {
	var refused *refusal
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
		{errNoWrite, hintSlow},
		{errNoPong, hintSlow},
		{errNoRead, hintSlow},
		{errFrames, hintFrames},
		{errPanic, hintReport},
		{errSpokeFirst, hintNoHTTP},
		{websocket.ErrMessageTooBig, hintTooBig},
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
	case brokenFrame(err):
		return hintProtocol
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, net.ErrClosed):
		return hintCrash
	}
	return hintLook
}

// brokenFrame says that the peer has sent what WebSocket does not know. The library has no type for it.
func brokenFrame(err error) bool {
	for _, part := range []string{"unexpected rsv bits", "unknown opcode", "control frame payload", "fragmented control frame", "invalid close payload", "continuation frame", "without finishing the previous", "negative payload length"} {
		if strings.Contains(err.Error(), part) {
			return true
		}
	}
	return false
}

func (r *refusal) hint() string {
	switch {
	case r.status == http.StatusUnauthorized, r.status == http.StatusForbidden:
		return hintSecret
	case r.status == http.StatusNotFound:
		return hintPath
	case r.location != "":
		return hintRedirect
	case r.status >= http.StatusInternalServerError:
		return hintBroken
	}
	return hintNoSocket
}

// closeHint is about a status that the bot has closed with.
func closeHint(code websocket.StatusCode) string {
	switch code {
	case websocket.StatusPolicyViolation:
		return hintSecret
	case websocket.StatusInternalError, websocket.StatusServiceRestart, websocket.StatusTryAgainLater, websocket.StatusBadGateway:
		return hintBroken
	}
	return hintClosed
}

func hint(text string) zap.Field { return zap.String("hint", text) }

// ratelog marks a line that a bot can cause, for the daemon's log, which limits the lines of the
// same message and kind. Encoders ignore the field.
func ratelog(kind string) zap.Field {
	return zap.Field{Key: "ratelog", Type: zapcore.SkipType, String: kind}
}
