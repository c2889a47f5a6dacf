package transcript

import (
	"net/http"
	"net/url"
	"time"

	"tapdeck/controller/dialer"
)

// Config is what a session needs. It is validated by whoever made it.
type Config struct {
	Service
	// Key is what KeyFile or KeyEnv holds.
	Key string
	// Rate of the ear in Hz.
	Rate int
	// Channels are those of the ear in their order: one, or two if the service is Multichannel.
	Channels []string
	// Speed is how many times as fast as it was spoken audio may be sent; 0 is what the service accepts.
	Speed float64
	// Call is the call's id, for the limit on log lines.
	Call string
	// Position, if not nil, is where in the recording a moment is: what Metrics measure delays by.
	Position func(time.Time) time.Duration
}

// target is whom the session dials.
func (c Config) target() dialer.Target {
	t := dialer.Target{
		URL: c.URL, Header: http.Header{}, Permits: c.CheckAddress, ConnectTimeout: c.ConnectTimeout,
		Words:   dialer.Words{Peer: "the service", Key: "transcribe", Secret: "no key was sent: name its file by transcribe.key_file"},
		Secrets: c.secretsOfURL(),
	}
	if c.Format == FormatDeepgram {
		t.URL = c.deepgramURL()
	}
	if c.Key != "" {
		scheme := map[string]string{FormatDeepgram: "Token ", FormatVosk: "Bearer "}[c.Format]
		t.Header.Set("Authorization", scheme+c.Key)
		t.Secrets = append(t.Secrets, c.Key)
		t.Words.Secret = "compare what transcribe.key_file or key_env holds with the key that the service has given you, and whether it may use this model"
	}
	return t
}

// leastSecret is how long a value must be, in bytes, to be looked for in texts: a shorter one is a part of many
// words.
const leastSecret = 12

// secretsOfURL are the values of the URL's query that may be secrets.
func (c Config) secretsOfURL() (list []string) {
	u, err := url.Parse(c.URL)
	if err != nil {
		return nil
	}
	for _, values := range u.Query() {
		for _, value := range values {
			if len(value) >= leastSecret {
				list = append(list, value)
			}
		}
	}
	return list
}

// frameBytes is the size of one sample of every channel.
func (c Config) frameBytes() int { return 2 * len(c.Channels) }

// frames is how many last d, to the nearest one.
func (c Config) frames(d time.Duration) int64 {
	return int64((d*time.Duration(c.Rate) + time.Second/2) / time.Second)
}

// duration is how long so many frames last.
func (c Config) duration(frames int64) time.Duration {
	return time.Duration(frames) * time.Second / time.Duration(c.Rate)
}
