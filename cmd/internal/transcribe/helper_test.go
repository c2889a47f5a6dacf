package transcribe

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/zap"

	"tapdeck/controller/switchsim/recogniser"
	"tapdeck/controller/transcript"
	"tapdeck/wav"
)

var (
	mono8   = wav.Format{SampleRate: 8000, Channels: 1}
	stereo8 = wav.Format{SampleRate: 8000, Channels: 2}
)

// say is audio of 8000 Hz that says a word each second.
func say(words ...string) []byte {
	var list []recogniser.Spoken
	for i, w := range words {
		list = append(list, recogniser.Spoken{At: time.Duration(i) * time.Second, Word: w})
	}
	return recogniser.Say(8000, append(list, recogniser.Spoken{At: time.Duration(len(words)) * time.Second})...)
}

// write writes a recording with these samples.
func write(t *testing.T, name string, format wav.Format, pcm []byte) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), name)
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	w, err := wav.NewWriter(f, format, 0)
	if err == nil {
		_, err = w.Write(pcm)
	}
	if err == nil {
		err = w.Finish()
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// serve serves a recogniser until the test ends, and returns options by which it is used.
func serve(t *testing.T, server *recogniser.Server) Options {
	t.Helper()
	url, stop := server.Start()
	t.Cleanup(stop)
	o := Options{Service: transcript.DefaultService(), Log: zap.NewNop()}
	o.Service.URL, o.Service.Format = url, string(server.Format)
	if server.Format == recogniser.Deepgram {
		o.Speed = 20
	}
	return o
}

// open opens a recording until the test ends.
func open(t *testing.T, path string, o Options) *Recording {
	t.Helper()
	r, err := Open(path, o.Service.Multichannel())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

// run transcribes a recording and returns what was said, each as "channel text at second".
func run(ctx context.Context, r *Recording, o Options) (said []string, err error) {
	o.Said = func(s transcript.Segment) error {
		said = append(said, fmt.Sprintf("%s %s at %.1f", s.Channel, s.Text, s.From.Seconds()))
		return nil
	}
	return said, Run(ctx, r, o)
}
