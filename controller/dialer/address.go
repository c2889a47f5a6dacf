package dialer

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
)

// CheckAddress refuses an address that a URL is not to be dialled at: one that is not private,
// unless the URL is wss://, or insecure is true. Whoever dials asks it for each address that the
// URL's host stands for, right before it connects (Target.Permits): a name can't be judged earlier,
// and may stand for something else the next time.
func CheckAddress(url string, insecure bool, addr netip.Addr) error {
	if insecure || parsed(url).Scheme == "wss" || isPrivate(addr.Unmap()) {
		return nil
	}
	return fmt.Errorf("ws:// to %v, which is not a private address, would let everyone on the way listen", addr)
}

// isPrivate reports whether an address is this machine's, or of a network that is not the internet:
// RFC 1918, fc00::/7, link-local, and 100.64.0.0/10, which carriers and VPNs share.
func isPrivate(addr netip.Addr) bool {
	return addr.IsLoopback() || addr.IsPrivate() || addr.IsLinkLocalUnicast() || netip.MustParsePrefix("100.64.0.0/10").Contains(addr)
}

// WithoutSecrets is a URL without its query and user: all of it that is fit for a log. One that is no URL is "".
func WithoutSecrets(text string) string {
	u := parsed(text)
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

// parsed is a URL; one that is none is empty.
func parsed(text string) *url.URL {
	u, err := url.Parse(text)
	if err != nil {
		return &url.URL{}
	}
	return u
}

// connect refuses addresses that are not permitted.
func (t Target) connect() Connect {
	d := &net.Dialer{}
	if t.Permits != nil {
		d.ControlContext = func(_ context.Context, _, address string, _ syscall.RawConn) error {
			to, err := netip.ParseAddrPort(address)
			if err != nil {
				return err
			}
			if err := t.Permits(to.Addr()); err != nil {
				return &notPermitted{err}
			}
			return nil
		}
	}
	return d.DialContext
}

// notPermitted is an address that must not be dialled.
type notPermitted struct{ error }

func (e *notPermitted) Unwrap() error { return e.error }

// proxy is the one of the environment, but for an address that has to be judged.
func (t Target) proxy(r *http.Request) (*url.URL, error) {
	if t.Permits != nil && r.URL.Scheme == "http" {
		return nil, nil
	}
	return http.ProxyFromEnvironment(r)
}
