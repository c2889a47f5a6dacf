package config

import (
	"net/netip"
	"time"

	"tapdeck/controller"
)

// Config is the whole configuration with every value in effect. The yaml tags
// are the keys of the file; the reload tags say when a changed value counts:
// "now", "next call" or "restart"; secret values are never printed.
type Config struct {
	ESL   ESL   `yaml:"esl"`
	Sink  Sink  `yaml:"sink"`
	Admin Admin `yaml:"admin"`
	// DrainTimeout is how long calls may end by themselves after SIGTERM.
	DrainTimeout time.Duration `yaml:"drain_timeout" reload:"now"`
	Log          Log           `yaml:"log"`
	// Plans holds every plan by its name, whole: what a plan does not state is
	// already filled in from the plan "default", which is always there.
	Plans map[string]Plan `yaml:"plans"`
}

// ESL is the event socket's side: where FreeSWITCH's socket action connects.
type ESL struct {
	// Listen is host:port.
	Listen string `yaml:"listen" reload:"restart"`
	// Allow are the addresses of the FreeSWITCH hosts.
	Allow []netip.Prefix `yaml:"allow" reload:"now"`
	// MaxCalls is how many calls run at once; more are refused.
	MaxCalls int `yaml:"max_calls" reload:"now"`
}

// Sink is the WebSocket side, where mod_audio_stream connects, and what becomes
// of the audio.
type Sink struct {
	// Listen is host:port.
	Listen string `yaml:"listen" reload:"restart"`
	// Advertise is the URL that FreeSWITCH is told: ws:// or wss:// and
	// host[:port], with nothing behind it.
	Advertise string `yaml:"advertise" reload:"restart"`
	// Allow are the addresses of the FreeSWITCH hosts.
	Allow []netip.Prefix `yaml:"allow" reload:"now"`
	TLS   TLS            `yaml:"tls"`
	// Directory is where the recordings go.
	Directory string `yaml:"directory" reload:"restart"`
	// MinFree is the free disk space in bytes below which new streams are refused.
	MinFree Size `yaml:"min_free" reload:"now"`
	// MaxStreams is how many streams run at once; 0 is no limit.
	MaxStreams int `yaml:"max_streams" reload:"now"`
	// MaxDuration bounds one recording.
	MaxDuration time.Duration `yaml:"max_duration" reload:"next call"`
	// IdleTimeout is how long a socket may send no frame.
	IdleTimeout time.Duration `yaml:"idle_timeout" reload:"next call"`
	// ReadInterval is how long reads are held back so that one serves many frames.
	ReadInterval time.Duration `yaml:"read_interval" reload:"next call"`
}

// TLS names the files of the sink's certificate; both are empty without TLS.
type TLS struct {
	// Certificate is a PEM file with the certificate and its chain.
	Certificate string `yaml:"certificate" reload:"restart"`
	// Key is the PEM file of the certificate's private key.
	Key string `yaml:"key" reload:"restart"`
}

// Admin is the listener for metrics, health and running calls.
type Admin struct {
	// Listen is host:port.
	Listen string `yaml:"listen" reload:"restart"`
	// Token must come with every request if it is not empty.
	Token string `yaml:"token" reload:"restart" secret:"true"`
	// Pprof switches /debug/pprof on.
	Pprof bool `yaml:"pprof" reload:"restart"`
}

// Log says what is logged, and how.
type Log struct {
	// Level is debug, info, warn or error.
	Level string `yaml:"level" reload:"now"`
	// Format is json or console.
	Format string `yaml:"format" reload:"restart"`
}

// Plan is what happens in one call, as the file says it. See controller.Plan
// for what each part does.
type Plan struct {
	AnswerPause     time.Duration              `yaml:"answer_pause" reload:"next call"`
	Tone            Tone                       `yaml:"tone"`
	Stream          Stream                     `yaml:"stream"`
	Prompt          string                     `yaml:"prompt" reload:"next call"`
	Listen          time.Duration              `yaml:"listen" reload:"next call"`
	FinishOn        string                     `yaml:"finish_on" reload:"next call"`
	Silence         time.Duration              `yaml:"silence" reload:"next call"`
	OnStreamFailure controller.OnStreamFailure `yaml:"on_stream_failure" reload:"next call"`
}

// Tone is the tone before the stream starts.
type Tone struct {
	// Frequency is in Hz.
	Frequency int           `yaml:"frequency" reload:"next call"`
	Duration  time.Duration `yaml:"duration" reload:"next call"`
}

// Stream is how a call's audio is streamed.
type Stream struct {
	// Mix is mono, mixed or stereo.
	Mix string `yaml:"mix" reload:"next call"`
	// SampleRate is in Hz.
	SampleRate     int           `yaml:"sample_rate" reload:"next call"`
	Buffer         time.Duration `yaml:"buffer" reload:"next call"`
	ConnectTimeout time.Duration `yaml:"connect_timeout" reload:"next call"`
	StopTimeout    time.Duration `yaml:"stop_timeout" reload:"next call"`
	Restarts       int           `yaml:"restarts" reload:"next call"`
}

// DefaultPlan is the name of the plan that every other plan begins from.
const DefaultPlan = "default"

// Default returns the configuration that holds where nothing is stated.
func Default() Config {
	return Config{
		ESL:          ESL{Listen: "127.0.0.1:8084", Allow: loopback(), MaxCalls: 1000},
		Sink:         defaultSink(),
		Admin:        Admin{Listen: "127.0.0.1:9084"},
		DrainTimeout: 60 * time.Second,
		Log:          Log{Level: "info", Format: "json"},
		Plans:        map[string]Plan{DefaultPlan: defaultPlan()},
	}
}

func defaultSink() Sink {
	return Sink{
		Listen:       "127.0.0.1:8080",
		Advertise:    "ws://127.0.0.1:8080",
		Allow:        loopback(),
		Directory:    "recordings",
		MinFree:      GiB,
		MaxDuration:  4 * time.Hour,
		IdleTimeout:  30 * time.Second,
		ReadInterval: 200 * time.Millisecond,
	}
}

func defaultPlan() Plan {
	return Plan{
		AnswerPause: 500 * time.Millisecond,
		Tone:        Tone{Frequency: 800, Duration: 500 * time.Millisecond},
		Stream: Stream{
			Mix: "mono", SampleRate: 8000, Buffer: 20 * time.Millisecond,
			ConnectTimeout: 3 * time.Second, StopTimeout: 3 * time.Second, Restarts: 3,
		},
		Prompt:          "ivr/ivr-please_state_your_name_and_reason_for_calling.wav",
		Listen:          15 * time.Second,
		OnStreamFailure: controller.FailureHangup,
	}
}

func loopback() []netip.Prefix {
	return []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
}
