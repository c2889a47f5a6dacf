package esl

import (
	"net/netip"
	"slices"
	"time"
)

// eventQueue is how many events may wait for the handler; one more ends the connection
// with ErrQueueFull.
const eventQueue = 640

// Config bounds what a peer of the event socket may do. It is validated where it is read;
// a Server trusts it.
type Config struct {
	// Allow lists the addresses that may connect. Everybody else is only asked who he is, so
	// that a call of a switch that is missing here goes on with the dialplan's next action.
	// Dial does not look at it.
	Allow []netip.Prefix
	// MaxConnections bounds the connections at one time. One that its handler has closed is none.
	MaxConnections int
	// MaxPending bounds those of them that have not answered connect yet.
	MaxPending int
	// ConnectTimeout bounds the time from accept to the answer to connect.
	ConnectTimeout time.Duration
	// FrameTimeout bounds the time from a frame's first byte to its last, and
	// how long a write may wait for the peer.
	FrameTimeout time.Duration
	// ReplyTimeout bounds the time from a command to its reply; under 60 s.
	ReplyTimeout time.Duration
	// Headers names, in any case, what the handler reads of JSON events and of the
	// replies to commands, including that to connect: a channel has some 140 headers in
	// 6 KB, and the others are not decoded. A name that ends in * stands for all that
	// begin so. What Event.Name, Subclass and ContentType read is always there, and what the
	// connection needs to let a call go. An empty
	// list stands for every header.
	Headers []string

	headers *headerList // Headers, once a server or a dialled connection has them
}

// DefaultConfig returns the configuration for a switch on this machine.
func DefaultConfig() Config {
	return Config{
		Allow:          []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")},
		MaxConnections: 4096,
		MaxPending:     1024,
		ConnectTimeout: 5 * time.Second,
		FrameTimeout:   10 * time.Second,
		ReplyTimeout:   20 * time.Second,
	}
}

// allows says whether a peer at addr may connect.
func (c Config) allows(addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("")
	return slices.ContainsFunc(c.Allow, func(p netip.Prefix) bool {
		if p.Addr().Is4In6() && p.Bits() >= 96 { // IPv4 addresses, mapped into IPv6
			p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
		}
		return p.Contains(addr)
	})
}
