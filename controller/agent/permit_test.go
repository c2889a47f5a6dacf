package agent

import (
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// An address that the bot must not be reached at is never connected with, whatever name stands for it.
func TestAddressIsJudgedAtTheDial(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	var asked []netip.Addr
	c := Config{URL: "ws://localhost:" + port, ConnectTimeout: 3 * time.Second, Permits: func(addr netip.Addr) error {
		asked = append(asked, addr)
		return errors.New("not this one")
	}}
	_, _, err = c.target().Dial(t.Context(), nil)
	if err == nil || !strings.Contains(err.Error(), "not this one") || c.target().Hint(err) != hintAddress || len(asked) == 0 || !asked[0].IsLoopback() {
		t.Errorf("%v, asked for %v", err, asked)
	}
}
