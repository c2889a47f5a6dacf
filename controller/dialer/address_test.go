package dialer

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// An address that must not be dialled is never connected with, whatever name stands for it.
func TestAddressIsJudgedAtTheDial(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	var asked []netip.Addr
	target := testTarget("ws://localhost:" + port)
	target.Permits = func(addr netip.Addr) error {
		asked = append(asked, addr)
		return errors.New("not this one")
	}
	_, todo, err := target.Reach(t.Context())
	if err == nil || !strings.Contains(err.Error(), "not this one") || todo != testWords.fill(hintAddress) || len(asked) == 0 || !asked[0].IsLoopback() {
		t.Errorf("%v, asked for %v", err, asked)
	}
}

// A proxy would be told where to go, and the address that is judged would be its own. It is another process, since net/http
// reads the environment once.
func TestNoProxyForAJudgedAddress(t *testing.T) {
	if os.Getenv("HTTP_PROXY") != "http://proxy.test" {
		again := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
		again.Env = append(os.Environ(), "HTTP_PROXY=http://proxy.test", "HTTPS_PROXY=http://proxy.test", "NO_PROXY=")
		if out, err := again.CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
		return
	}
	judged := Target{Permits: func(netip.Addr) error { return nil }}
	for _, c := range []struct {
		target Target
		url    string
		proxy  bool
	}{{Target{}, "http://peer.test", true}, {judged, "http://peer.test", false}, {judged, "https://peer.test", true}} {
		r, _ := http.NewRequest(http.MethodGet, c.url, nil)
		if proxy, err := c.target.proxy(r); (proxy != nil) != c.proxy || err != nil {
			t.Errorf("%s, judged %v: proxy %v, %v", c.url, c.target.Permits != nil, proxy, err)
		}
	}
}

// ws:// is for addresses that nobody on the internet is on the way to.
func TestCheckAddress(t *testing.T) {
	for address, private := range map[string]bool{
		"127.0.0.1": true, "127.9.9.9": true, "::1": true, "10.0.0.1": true, "172.16.0.1": true, "172.31.255.255": true, "192.168.1.1": true,
		"fd00::1": true, "fc00::1": true, "169.254.1.1": true, "fe80::1": true, "100.64.0.1": true, "100.127.255.255": true, "::ffff:10.0.0.1": true, "::ffff:127.0.0.1": true, "::ffff:100.64.0.1": true,
		"1.2.3.4": false, "172.32.0.1": false, "172.15.0.1": false, "100.128.0.1": false, "100.63.0.1": false, "2001:db8::1": false, "::ffff:1.2.3.4": false, "0.0.0.0": false, "::": false, "64:ff9b::a00:1": false,
	} {
		addr := netip.MustParseAddr(address)
		if err := CheckAddress("ws://bot", false, addr); (err == nil) != private || err != nil && !strings.Contains(err.Error(), address) && !addr.Is4In6() {
			t.Errorf("%s: %v", address, err)
		}
		if CheckAddress("wss://bot", false, addr) != nil || CheckAddress("ws://bot", true, addr) != nil {
			t.Errorf("%s is refused", address)
		}
	}
}

// A log has a URL without what may be secret in it.
func TestWithoutSecrets(t *testing.T) {
	for text, want := range map[string]string{
		"wss://user:secret@bot.test:8443/media?key=secret#secret": "wss://bot.test:8443/media",
		"ws://bot.test": "ws://bot.test",
		"%secret":       "",
	} {
		if got := WithoutSecrets(text); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}
