package config

import (
	_ "embed"
	"net/netip"
	"time"

	"tapdeck/controller"
	"tapdeck/controller/flow"
	"tapdeck/controller/transcript"
)

// Config is the whole configuration with every value in effect. Its tags are
// the schema: see field for what each of them means.
type Config struct {
	// Instance is the daemon's name in records; see InstanceName.
	Instance string `yaml:"instance" as:"instance" max:"64" unquoted:"true" reload:"restart"`
	ESL      ESL    `yaml:"esl"`
	Sink     Sink   `yaml:"sink"`
	Record   Record `yaml:"record"`
	Admin    Admin  `yaml:"admin"`
	Player   Player `yaml:"player" reload:"restart"`
	// DrainTimeout is how long calls may end by themselves after SIGTERM.
	DrainTimeout time.Duration `yaml:"drain_timeout" range:"0s..24h" reload:"now"`
	Log          Log           `yaml:"log"`
	// Plans holds every plan by its name, whole: what a plan does not state is
	// already filled in from the plan "default", which is always there.
	Plans map[string]Plan `yaml:"plans" base:"default" reload:"next call"`
}

// ESL is the event socket's side: the address that FreeSWITCH's socket action connects to.
type ESL struct {
	// Listen is host:port.
	Listen string `yaml:"listen" as:"address" reload:"restart"`
	// Allow are the addresses of the FreeSWITCH hosts.
	Allow []netip.Prefix `yaml:"allow" form:"IP addresses and networks (CIDR)" needed:"true" hint:"nobody could connect: 0.0.0.0/0 and ::/0 are everybody" reload:"now"`
	// MaxCalls is how many calls run at once; more are refused.
	MaxCalls int `yaml:"max_calls" range:"1..100000 calls" reload:"now"`
}

// Sink is the WebSocket side, which mod_audio_stream connects to, and what
// becomes of the audio.
type Sink struct {
	// Listen is host:port.
	Listen string `yaml:"listen" as:"address" reload:"restart"`
	// Advertise is the URL that FreeSWITCH is told: ws:// or wss:// and
	// host[:port], with nothing behind it.
	Advertise string `yaml:"advertise" as:"socket url" reload:"restart"`
	// Allow are the addresses of the FreeSWITCH hosts.
	Allow []netip.Prefix `yaml:"allow" form:"IP addresses and networks (CIDR)" needed:"true" hint:"nobody could connect: 0.0.0.0/0 and ::/0 are everybody" reload:"now"`
	TLS   TLS            `yaml:"tls" reload:"restart"`
	// Directory is the folder of the recordings.
	Directory string `yaml:"directory" form:"a directory" needed:"true" hint:"write . for the working directory" reload:"restart"`
	// MinFree is the free disk space in bytes below which new streams are refused.
	MinFree Size `yaml:"min_free" range:"0..1000TiB" reload:"now"`
	// MaxStreams is how many streams run at once; 0 is no limit.
	MaxStreams int `yaml:"max_streams" range:"0..100000 streams" reload:"now"`
	// MaxDuration bounds one recording.
	MaxDuration time.Duration `yaml:"max_duration" range:"1s..168h" reload:"next call"`
	// CuePoints says whether moments of the call are marked in the WAV, behind its audio.
	CuePoints bool `yaml:"cue_points" reload:"next call"`
	// IdleTimeout is how long a socket may send no frame.
	IdleTimeout time.Duration `yaml:"idle_timeout" range:"2s..1h" reload:"next call"`
	// ReadInterval is how long reads are held back so that one serves many frames.
	ReadInterval time.Duration `yaml:"read_interval" range:"0s..1s" reload:"next call"`
	// SyncInterval is how often a running recording is synced; 0 is at its end only.
	SyncInterval time.Duration `yaml:"sync_interval" range:"0s|1s..1h" reload:"next call"`
}

// TLS names the files of the sink's certificate; both are empty without TLS.
type TLS struct {
	// Certificate is a PEM file with the certificate and its chain.
	Certificate string `yaml:"certificate" form:"a file or empty"`
	// Key is the PEM file of the certificate's private key.
	Key string `yaml:"key" form:"a file or empty"`
}

// Record is what else goes into each call's record.
type Record struct {
	// Variables are the names of channel variables. The event socket decodes no others.
	Variables []string `yaml:"variables" as:"variable" form:"names of letters and digits, _, . and -" max:"128" most:"50" unquoted:"true" reload:"restart"`
}

// Admin is the listener for metrics, health, running calls and their events.
type Admin struct {
	// Listen is host:port.
	Listen string `yaml:"listen" as:"address" reload:"restart"`
	// Token must come with every request if it is not empty.
	Token string `yaml:"token" as:"token" max:"256" secret:"true" reload:"restart"`
	// Pprof switches /debug/pprof on.
	Pprof bool `yaml:"pprof" reload:"restart"`
}

// Player says how audio gets into a call.
type Player struct {
	// Method is MethodAuto, MethodStream or MethodFiles.
	Method string `yaml:"method" oneof:"auto stream files"`
	// Directory is a folder that tapdeck and FreeSWITCH see under the same path; empty is none.
	Directory string `yaml:"directory" as:"folder" max:"1024"`
	// Limit is how much audio waits for its turn at most.
	Limit time.Duration `yaml:"limit" range:"1s..1h"`
	// Lead is how much audio waits before an utterance begins.
	Lead time.Duration `yaml:"lead" range:"0s..1s"`
}

// The ways of audio into a call.
const (
	MethodAuto   = "auto"   // files if there is a directory, else stream
	MethodStream = "stream" // over the stream's own socket
	MethodFiles  = "files"  // as files in the directory
)

// Log says what is logged, and how.
type Log struct {
	Level  string `yaml:"level" oneof:"debug info warn error" reload:"now"`
	Format string `yaml:"format" oneof:"json console" reload:"restart"`
	// Transcripts has each final segment of a transcription logged.
	Transcripts bool `yaml:"transcripts" reload:"next call"`
}

// Plan is what happens in one call, as the file says it: in the flat form, or in steps. See
// flow.Flat, flow.Listen and controller.Plan for what each part does.
type Plan struct {
	AnswerPause     time.Duration              `yaml:"answer_pause" range:"0s..1m" flat:"true"`
	Tone            Tone                       `yaml:"tone" flat:"true"`
	Stream          Stream                     `yaml:"stream"`
	Prompt          string                     `yaml:"prompt" as:"prompt" max:"1024" flat:"true"`
	StopOn          string                     `yaml:"stop_on" as:"digits" max:"16" unquoted:"true" flat:"true"`
	Listen          time.Duration              `yaml:"listen" range:"0s..24h" flat:"true"`
	FinishOn        string                     `yaml:"finish_on" as:"digits" max:"16" unquoted:"true" flat:"true"`
	UntilSaid       []string                   `yaml:"until_said" as:"phrase" form:"words or phrases" max:"128" most:"50" unquoted:"true" flat:"true"`
	Silence         time.Duration              `yaml:"silence" range:"0s|100ms..1h" below:"listen" flat:"true"`
	SilenceLevel    flow.Level                 `yaml:"silence_level" form:"auto or -90 to -10 dBFS" flat:"true"`
	NoInput         time.Duration              `yaml:"no_input" range:"0s|100ms..1h" below:"listen" flat:"true"`
	Agent           flow.Bot                   `yaml:"agent" flat:"true"`
	OnStreamFailure controller.OnStreamFailure `yaml:"on_stream_failure" oneof:"hangup continue dialplan"`
	Transcribe      transcript.Service         `yaml:"transcribe"`
	Typeahead       bool                       `yaml:"typeahead"`
	DTMF            string                     `yaml:"dtmf" as:"dtmf"`
	// Steps are those of a plan that is made of steps; nil if it is flat.
	Steps Steps `yaml:"steps" form:"a list of steps"`
}

// Tone is the tone before the stream starts.
type Tone struct {
	// Frequency is in Hz.
	Frequency int           `yaml:"frequency" range:"20..3400 Hz"`
	Duration  time.Duration `yaml:"duration" range:"0s|20ms..1m"`
}

// Stream is how a call's audio is streamed.
type Stream struct {
	Mix string `yaml:"mix" oneof:"mono mixed stereo"`
	// SampleRate is in Hz.
	SampleRate     int           `yaml:"sample_rate" oneof:"8000 16000" hint:"in Hz: mod_audio_stream only stretches the audio to other multiples of 8000, and refuses the rest, with the socket left open"`
	Buffer         time.Duration `yaml:"buffer" range:"20ms..1s" step:"20ms"`
	ConnectTimeout time.Duration `yaml:"connect_timeout" range:"100ms..1m"`
	StopTimeout    time.Duration `yaml:"stop_timeout" range:"100ms..1m"`
	Restarts       int           `yaml:"restarts" range:"0..100 times"`
}

//go:embed example.yaml
var example string

// Example returns a commented configuration file that states every key with
// its default.
func Example() []byte { return []byte(example) }

// DefaultPlan is the name of the plan that every other plan begins from.
const DefaultPlan = "default"

// Default returns the configuration that holds if nothing is stated.
func Default() Config {
	return Config{
		ESL:          ESL{Listen: "127.0.0.1:8084", Allow: loopback(), MaxCalls: 1000},
		Sink:         defaultSink(),
		Record:       Record{Variables: []string{}},
		Admin:        Admin{Listen: "127.0.0.1:9084"},
		Player:       Player{Method: MethodAuto, Limit: 2 * time.Minute},
		DrainTimeout: 60 * time.Second,
		Log:          Log{Level: "info", Format: "json", Transcripts: true},
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
		CuePoints:    true,
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
		UntilSaid:       []string{},
		SilenceLevel:    flow.Level{DBFS: flow.DefaultLevel},
		Agent:           flow.DefaultBot(),
		OnStreamFailure: controller.FailureHangup,
		Transcribe:      transcript.DefaultService(),
	}
}

func loopback() []netip.Prefix {
	return []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
}
