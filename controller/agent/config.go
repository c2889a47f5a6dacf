package agent

import (
	"net/netip"
	"time"
)

// Format is the wire that a bot speaks.
type Format string

// The wires.
const (
	FormatTwilio Format = "twilio"
	FormatPCM    Format = "pcm"
)

// Config is what a session needs. It is validated by whoever made it.
type Config struct {
	// URL is the bot's, ws:// or wss://.
	URL    string
	Format Format
	// Token, if any, is sent as Authorization: Bearer.
	Token string
	// TwilioAuthToken, if any, signs URL in the header X-Twilio-Signature.
	TwilioAuthToken string
	// AccountSID is told to a bot of the twilio wire: AC and 32 hexadecimal digits. Empty is
	// AccountSID("").
	AccountSID string
	// Parameters are told to the bot in this order.
	Parameters []Parameter
	// Permits refuses an address that the URL's host stands for, right before it is connected with;
	// nil permits all. A proxy is not used then for ws://, since the address would be the proxy's.
	Permits func(netip.Addr) error
	// ConnectTimeout bounds each attempt to reach the bot, its handshake included.
	ConnectTimeout time.Duration
	// Reconnect is how many times in succession a bot is dialled again.
	Reconnect int
	// Rate of the ear in Hz: 8000 or 16000. The pcm wire speaks it, twilio 8000 Hz always.
	Rate int
	// Position, if not nil, is where in the recording a moment is: what Metrics.Added is measured by.
	Position func(time.Time) time.Duration
	Call     Call
}

// Parameter is a value that the configuration gives to the bot.
type Parameter struct{ Name, Value string }

// Call is what a bot is told of its call.
type Call struct{ ID, Caller, Destination, Plan string }
