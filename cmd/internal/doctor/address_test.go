package doctor

import (
	"net"
	"net/netip"
	"testing"
)

// Every address of this machine is its own, and no other is.
func TestOwnAddress(t *testing.T) {
	interfaces, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range interfaces {
		addr, _ := netip.AddrFromSlice(a.(*net.IPNet).IP)
		if !ownAddress(addr.Unmap()) {
			t.Errorf("%v is not found", a)
		}
	}
	for _, other := range []string{"192.0.2.1", "2001:db8::1"} {
		if ownAddress(netip.MustParseAddr(other)) {
			t.Errorf("%s is found", other)
		}
	}
	if !ownAddress(netip.MustParseAddr("127.9.9.9")) || ownAddress(netip.Addr{}) {
		t.Error("loopback, or no address")
	}
}
