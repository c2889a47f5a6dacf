package sink

import (
	"crypto/tls"
	"errors"
	"net/netip"
	"net/url"
	"slices"
	"time"

	"tapdeck/wav"
)

// maxReadInterval keeps a recording's file at most a second behind its socket.
const maxReadInterval = time.Second

// Config says how a Sink listens and what it permits.
type Config struct {
	// Advertise is the URL that the switch is told, ws:// or wss://, without a path.
	Advertise string
	// TLS makes Serve speak TLS on its listener; nil is plain text. A listener that
	// is a TLS one itself works as well, but its reads are not coalesced.
	TLS *tls.Config
	// Allow are the addresses that streams may come from. An empty list permits none.
	Allow []netip.Prefix
	// Directory is where recordings go, made if it is not there.
	Directory string
	// MinFree is the space, in bytes, that must be free in Directory for a new
	// recording to begin; 0 permits every.
	MinFree int64
	// MaxStreams bounds the recordings that are expected or running; 0 is no bound.
	MaxStreams int
	// MaxDuration bounds one recording, from its first sample.
	MaxDuration time.Duration
	// IdleTimeout bounds the time that a socket may pass without a frame.
	IdleTimeout time.Duration
	// ReadInterval is the least time between two reads of a socket after the first
	// second of its audio, 0 to 1 s, so that one wake-up serves many frames. A live
	// Consumer wants 0.
	ReadInterval time.Duration
	// PublishTimeout bounds Finish after the end of the socket, Save, and what Serve
	// waits for at its end: a disk that hangs holds up nothing for longer.
	PublishTimeout time.Duration
}

// DefaultConfig returns the configuration of a sink that serves a switch on the
// same machine.
func DefaultConfig() Config {
	return Config{
		Advertise:    "ws://127.0.0.1:8080",
		Allow:        []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")},
		Directory:    "recordings",
		MinFree:      1 << 30,
		MaxDuration:  4 * time.Hour,
		IdleTimeout:  30 * time.Second,
		ReadInterval: 200 * time.Millisecond,

		PublishTimeout: 30 * time.Second,
	}
}

// Validate reports every field that breaks a rule, joined, each a *wav.FieldError.
func (c Config) Validate() error {
	return errors.Join(
		checkAdvertise(c.Advertise),
		check(c.Directory != "", "directory", c.Directory, "must be given"),
		check(c.MinFree >= 0, "min_free", c.MinFree, "must not be negative"),
		check(c.MaxStreams >= 0, "max_streams", c.MaxStreams, "must not be negative"),
		check(c.MaxDuration > 0, "max_duration", c.MaxDuration, "must be positive"),
		check(c.IdleTimeout > 0, "idle_timeout", c.IdleTimeout, "must be positive"),
		check(c.ReadInterval >= 0 && c.ReadInterval <= maxReadInterval,
			"read_interval", c.ReadInterval, "must be 0 to 1s"),
		check(c.PublishTimeout > 0, "publish_timeout", c.PublishTimeout, "must be positive"),
	)
}

func check(ok bool, field string, value any, rule string) error {
	if ok {
		return nil
	}
	return &wav.FieldError{Field: field, Value: value, Rule: rule}
}

func checkAdvertise(s string) error {
	u, err := url.Parse(s)
	ok := err == nil && (u.Scheme == "ws" || u.Scheme == "wss") && u.Host != "" &&
		u.Path == "" && u.RawQuery == "" && u.Fragment == "" && u.User == nil
	return check(ok, "advertise", s, "must be ws://HOST:PORT or wss://HOST:PORT")
}

// permits says whether a peer's address is in Allow.
func (c *Config) permits(addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("")
	return slices.ContainsFunc(c.Allow, func(p netip.Prefix) bool { return p.Contains(addr) })
}
