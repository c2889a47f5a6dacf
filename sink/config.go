package sink

import (
	"crypto/tls"
	"net/netip"
	"time"

	"tapdeck/sink/store"
)

// Config says how a Sink listens and what it permits. Whoever makes one checks it: the bounds
// are not checked again.
type Config struct {
	// Advertise is the URL that the switch is told, ws:// or wss://, without a path.
	Advertise string
	// TLS makes Serve speak TLS on its listener; nil is plain text.
	TLS *tls.Config
	// Allow are the addresses that streams may come from. An empty list permits none.
	Allow []netip.Prefix
	// Directory is where recordings go, made if it is not there.
	Directory string
	// Disk is the file system of Directory; nil is the machine's own.
	Disk store.Disk
	// MinFree is the space, in bytes, that must be free in Directory for a new
	// recording to begin; 0 permits every.
	MinFree int64
	// MaxStreams bounds the recordings that are expected or running; 0 is no bound.
	MaxStreams int
	// MaxDuration bounds one recording, from its first sample, the silence of gaps included. If
	// it can't reach 4 GiB in that time, its WAV has the plain header of 44 bytes.
	MaxDuration time.Duration
	// CuePoints has the WAV end with the cue points that Recording.Mark gave; some programs
	// can't read a file that does not end with its audio.
	CuePoints bool
	// IdleTimeout bounds the time that a socket may pass without a frame.
	IdleTimeout time.Duration
	// ReadInterval is the least time between two reads of a socket after the first
	// second of its audio, 0 to 1 s, so that one wake-up serves many frames and the file
	// is at most a second behind. A Tap makes it shorter for its own recording.
	ReadInterval time.Duration
	// SyncInterval is how often a running recording is brought to the disk itself, so that a
	// power loss costs no more than this; 0 leaves it to the system until the recording's end.
	SyncInterval time.Duration
	// PublishTimeout bounds Finish after the end of the socket, Save, and what Serve
	// waits for at its end: a disk that hangs holds up nothing for longer.
	PublishTimeout time.Duration
}

// DefaultConfig returns the configuration of a sink that serves a switch on the
// same machine.
func DefaultConfig() Config {
	return Config{
		Advertise:      "ws://127.0.0.1:8080",
		Allow:          []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")},
		Directory:      "recordings",
		MinFree:        1 << 30,
		MaxDuration:    4 * time.Hour,
		CuePoints:      true,
		IdleTimeout:    30 * time.Second,
		ReadInterval:   200 * time.Millisecond,
		PublishTimeout: 30 * time.Second,
	}
}
