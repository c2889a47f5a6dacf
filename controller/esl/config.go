package esl

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"tapdeck/controller/esl/internal/fio"
)

// Config bounds what a peer of the event socket may do.
type Config struct {
	// Allow lists the addresses that may connect; everybody else is closed
	// before a byte is read. Dial does not look at it.
	Allow []netip.Prefix
	// MaxConnections bounds the connections at one time.
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
	// MaxHeader is the size of a frame's header block in bytes.
	MaxHeader int
	// MaxHeaders is the number of lines in a header block.
	MaxHeaders int
	// MaxBody is the size of a frame's body in bytes.
	MaxBody int
	// EventQueue is how many events may wait for the handler; one more ends
	// the connection with ErrQueueFull.
	EventQueue int
	// Headers names, in any case, what the handler reads of JSON events and of the
	// replies to commands, including that to connect: a channel has some 140 headers in
	// 6 KB, and the others are not decoded. A name that ends in * stands for all that
	// begin so. What Event.Name, Subclass and ContentType read is always there. An empty
	// list stands for every header.
	Headers []string
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
		MaxHeader:      1 << 20,
		MaxHeaders:     4096,
		MaxBody:        16 << 20,
		EventQueue:     640,
	}
}

// Validate joins an error for every value that is out of its range, which names the
// field, its value and the rule.
func (c Config) Validate() error {
	var errs []error
	rule := func(ok bool, field string, value any, rule string) {
		if !ok {
			errs = append(errs, fmt.Errorf("%s is %v: must be %s", field, value, rule))
		}
	}
	rule(!slices.ContainsFunc(c.Allow, func(p netip.Prefix) bool { return !p.IsValid() }), "Allow", c.Allow, "valid prefixes")
	rule(c.MaxConnections > 0, "MaxConnections", c.MaxConnections, "at least 1")
	rule(c.MaxPending > 0, "MaxPending", c.MaxPending, "at least 1")
	rule(c.ConnectTimeout > 0, "ConnectTimeout", c.ConnectTimeout, "above 0")
	rule(c.FrameTimeout > 0, "FrameTimeout", c.FrameTimeout, "above 0")
	rule(c.ReplyTimeout > 0 && c.ReplyTimeout < fio.MaxReplyTimeout, "ReplyTimeout", c.ReplyTimeout, "above 0 and under 1m0s")
	rule(c.ConnectTimeout < fio.MaxReplyTimeout, "ConnectTimeout", c.ConnectTimeout, "under 1m0s")
	rule(c.MaxHeader >= 1024, "MaxHeader", c.MaxHeader, "at least 1024 bytes")
	rule(c.MaxHeaders >= 16, "MaxHeaders", c.MaxHeaders, "at least 16")
	rule(c.MaxBody >= 1024 && c.MaxBody <= 1<<30, "MaxBody", c.MaxBody, "from 1024 bytes to 1 GiB")
	rule(c.EventQueue > 0, "EventQueue", c.EventQueue, "at least 1")
	return errors.Join(errs...)
}

// allows says whether a peer at addr may connect.
func (c Config) allows(addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("")
	return slices.ContainsFunc(c.Allow, func(p netip.Prefix) bool { return unmap(p).Contains(addr) })
}

// unmap turns a prefix of IPv4-mapped IPv6 addresses into one of IPv4.
func unmap(p netip.Prefix) netip.Prefix {
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		return netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p
}
