package transcript

import (
	"net/netip"
	"net/url"
	"time"

	"tapdeck/controller/dialer"
)

// Service is a speech recogniser, and how it is used. Its tags are those of the configuration.
type Service struct {
	// URL is where it listens: ws:// or wss://.
	URL string `yaml:"url" as:"service url" max:"2048"`
	// Format is the wire: FormatDeepgram or FormatVosk.
	Format string `yaml:"format" oneof:"deepgram vosk"`
	// KeyFile holds, and KeyEnv names the environment variable of, what the service is sent in the
	// header Authorization; both empty sends nothing.
	KeyFile string `yaml:"key_file" form:"a file or empty"`
	KeyEnv  string `yaml:"key_env" as:"environment" max:"128"`
	// Model and Language are sent to the service; empty leaves the choice to it.
	Model    string `yaml:"model" form:"a name or empty" max:"256"`
	Language string `yaml:"language" as:"language tag" max:"64"`
	// Interim asks for words that may still change.
	Interim bool `yaml:"interim"`
	// Parameters are sent to the service unchanged.
	Parameters map[string]string `yaml:"parameters" names:"parameter name" form:"names of letters, digits, _, . and -, with texts" max:"1024" most:"50" unquoted:"true" hint:"such as {punctuate: \"true\"}"`
	// ConnectTimeout bounds each attempt to reach it, the WebSocket's handshake included.
	ConnectTimeout time.Duration `yaml:"connect_timeout" range:"100ms..1m"`
	// Reconnect is how many times in succession a connection that was lost, or can't be made, is
	// tried again.
	Reconnect int `yaml:"reconnect" range:"0..100 times"`
	// Buffer is how much audio is kept for a service that is slow or away, and how much of what it
	// has not answered is sent again.
	Buffer time.Duration `yaml:"buffer" range:"1s..5m"`
	// FinalTimeout bounds the wait for the last words after the call.
	FinalTimeout time.Duration `yaml:"final_timeout" range:"0s..30s"`
	// Insecure allows ws:// to addresses that are not private.
	Insecure bool `yaml:"insecure"`
}

// The wires of a Service.
const (
	FormatDeepgram = "deepgram"
	FormatVosk     = "vosk"
)

// DefaultService is that of a plan that states nothing of one: it has no URL, and nothing is transcribed.
func DefaultService() Service {
	return Service{
		Format: FormatDeepgram, Interim: true, Parameters: map[string]string{},
		ConnectTimeout: 3 * time.Second, Reconnect: 10, Buffer: 30 * time.Second, FinalTimeout: 5 * time.Second,
	}
}

// Multichannel says whether the service is given both channels of a stereo recording; else it hears
// the caller alone.
func (s *Service) Multichannel() bool { return s.Format == FormatDeepgram }

// Host is the service's, with its port if the URL has one: all of a URL that is fit to be shown.
func (s *Service) Host() string {
	u, err := url.Parse(s.URL)
	if err != nil {
		return ""
	}
	return u.Host
}

// Key reads the service's key; "" if there is none. Its error is a *dialer.SecretError.
func (s *Service) Key() (string, error) { return dialer.Secret("key", s.KeyFile, s.KeyEnv) }

// CheckAddress refuses an address that the service is not to be reached at: see dialer.CheckAddress.
func (s *Service) CheckAddress(addr netip.Addr) error {
	return dialer.CheckAddress(s.URL, s.Insecure, addr)
}
