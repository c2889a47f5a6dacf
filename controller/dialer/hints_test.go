package dialer

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"syscall"
	"testing"

	"github.com/coder/websocket"
)

func TestHint(t *testing.T) {
	for err, want := range map[error]string{
		&net.DNSError{Err: "no such host", Name: "bot.invalid", IsNotFound: true}: hintNoHost,
		os.NewSyscallError("connect", syscall.EHOSTUNREACH):                       hintNoRoute,
		os.NewSyscallError("connect", syscall.ENETUNREACH):                        hintNoRoute,
		os.NewSyscallError("read", syscall.ECONNRESET):                            hintCrash,
		websocket.CloseError{Code: websocket.StatusPolicyViolation}:               hintSecret,
		websocket.CloseError{Code: websocket.StatusInternalError}:                 hintBroken,
		websocket.CloseError{Code: 4000}:                                          hintClosed,
		context.DeadlineExceeded:                                                  hintTimeout,
		errors.New("something else"):                                              hintLook,
	} {
		want = testWords.fill(want)
		if got := testTarget("ws://bot.test").Hint(fmt.Errorf("reach the bot: %w", err)); got != want {
			t.Errorf("%v: %q, want %q", err, got, want)
		}
	}
}

// Hints are in the words of the configuration, which are not looked into themselves.
func TestWords(t *testing.T) {
	const want = "the recogniser refuses who calls it, or something it was told: compare transcribe.key_file with the {key} of the service"
	if got := testTarget("ws://peer.test").Hint(&RefusalError{Status: http.StatusUnauthorized}); got != want {
		t.Errorf("hint %q, want %q", got, want)
	}
}
