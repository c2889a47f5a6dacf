package doctor

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tapdeck/cmd/internal/apptest"
	"tapdeck/controller/flow"
	"tapdeck/controller/switchsim/recogniser"
	"tapdeck/controller/transcript"
)

// transcribed adds a plan with a recording, and nothing else, that this service hears.
func (l *setup) transcribed(s transcript.Service, mix, name string) *setup {
	l.plans(false, map[string][]flow.Step{name: {&flow.Answer{}, &flow.Stream{}}})
	tune := l.tune
	l.tune = func(x *examination) {
		tune(x)
		plan := x.plan(name)
		plan.Transcribe, plan.Stream.SampleRate, plan.Stream.Mix = s, 16000, mix
	}
	return l
}

// recognise serves a recogniser until the test ends, and returns a service that it is.
func recognise(t *testing.T, server *recogniser.Server, fault string) transcript.Service {
	t.Helper()
	server.SetFault(0, recogniser.Faults()[fault])
	url, stop := server.Start()
	t.Cleanup(stop)
	s := transcript.DefaultService()
	s.URL, s.Format = url+"/v1/listen?secret=in-the-url", string(server.Format)
	return s
}

// Whether a service would hear calls is known before one is made: a wrong key is told from a wrong address, and
// nothing secret is told.
func TestTranscribers(t *testing.T) {
	key := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(key, []byte("tell-no-one"), 0o600); err != nil {
		t.Fatal(err)
	}
	with := func(s transcript.Service, change func(*transcript.Service)) transcript.Service {
		change(&s)
		return s
	}
	deepgram := func(fault string) transcript.Service {
		return recognise(t, &recogniser.Server{Format: recogniser.Deepgram}, fault)
	}
	guarded := func() transcript.Service {
		return recognise(t, &recogniser.Server{Format: recogniser.Deepgram, Key: "tell-no-one"}, "none")
	}
	closed := apptest.ListenAnywhere(t)
	_ = closed.Close()
	const check = "transcriber of plan words"
	for name, c := range map[string]struct {
		service transcript.Service
		want    []amiss
	}{
		"deepgram":        {deepgram("none"), nil},
		"vosk":            {recognise(t, &recogniser.Server{Format: recogniser.Vosk}, "none"), nil},
		"no last words":   {with(deepgram("none"), func(s *transcript.Service) { s.FinalTimeout = 0 }), nil},
		"knows the key":   {with(guarded(), func(s *transcript.Service) { s.KeyFile = key }), nil},
		"wants a key":     {guarded(), []amiss{{check, Fail, "answers 401", "transcribe.key_file"}}},
		"another wire":    {with(recognise(t, &recogniser.Server{Format: recogniser.Vosk}, "none"), func(s *transcript.Service) { s.Format = transcript.FormatDeepgram }), []amiss{{check, Fail, "is of transcribe.format", "deepgram or vosk"}}},
		"wrong path":      {deepgram("refuse-404"), []amiss{{check, Fail, "answers 404", "path of transcribe.url"}}},
		"wrong parameter": {with(deepgram("none"), func(s *transcript.Service) { s.Parameters = map[string]string{"endpointing": "soon"} }), []amiss{{check, Fail, "answers 400", "transcribe.model, language, parameters"}}},
		"tells the key":   {with(deepgram("refuse-with-key"), func(s *transcript.Service) { s.KeyFile = key }), []amiss{{check, Fail, "answers 401", "transcribe.key_file"}}},
		"closes":          {deepgram("close-1011"), nil}, // after more audio than it is sent
		"nobody":          {with(deepgram("none"), func(s *transcript.Service) { s.URL = "ws://" + closed.Addr().String() }), []amiss{{check, Fail, "connection refused", "nothing listens at transcribe.url"}}},
		"never answers":   {with(deepgram("no-handshake"), func(s *transcript.Service) { s.ConnectTimeout = 50 * time.Millisecond }), []amiss{{check, Fail, "deadline exceeded", "transcribe.connect_timeout"}}},
		"public address":  {with(deepgram("none"), func(s *transcript.Service) { s.URL = "ws://192.0.2.1/" }), []amiss{{check, Fail, "not a private address", "wss://"}}},
		"no key":          {with(deepgram("none"), func(s *transcript.Service) { s.KeyFile = "/no/such" }), []amiss{{check, Fail, "key_file", "read the key"}}},
	} {
		t.Run(name, func(t *testing.T) {
			l := newSetup(t).transcribed(c.service, "mono", "words")
			l.expect(c.want...)
			if text := l.text(); strings.Contains(text, "tell-no-one") || strings.Contains(text, "in-the-url") || c.want == nil && !l.has(amiss{check, Pass, "answers after", ""}) {
				t.Errorf("a secret is told, or nothing:\n%s", text)
			}
		})
	}
}

// A service of several plans is asked once, one of another model other channels or another rate once more, with both channels
// of stereo. A plan without a recording has nothing to transcribe.
func TestTranscriberOfSeveralPlans(t *testing.T) {
	server := &recogniser.Server{Format: recogniser.Deepgram}
	service := recognise(t, server, "none")
	l := newSetup(t).transcribed(service, "stereo", "sales").transcribed(service, "stereo", "support").transcribed(service, "mono", "lone").transcribed(service, "mono", "narrow")
	other := service
	other.Model = "nova-3"
	l.transcribed(other, "mono", "medical").plans(false, map[string][]flow.Step{"silent": {&flow.Answer{}}})
	tune := l.tune
	l.tune = func(x *examination) {
		tune(x)
		x.plan("silent").Transcribe = service
		x.plan("narrow").Stream.SampleRate = 8000
	}
	if _, err := l.examine(t.Context()); err != nil || server.Accepted() != 4 {
		t.Fatalf("%v, asked %d times:\n%s", err, server.Accepted(), l.text())
	}
	for i, name := range []string{"sales, support", "lone", "narrow", "medical"} {
		if query := server.Connections()[i].Query; query.Get("channels") != []string{"2", "1", "1", "1"}[i] || query.Get("sample_rate") != []string{"16000", "16000", "8000", "16000"}[i] {
			t.Errorf("asked with %v", query)
		}
		if !l.has(amiss{"transcriber of plan " + name, Pass, "answers after", ""}) {
			t.Errorf("nothing of plan %s:\n%s", name, l.text())
		}
	}
}
