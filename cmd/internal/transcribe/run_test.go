package transcribe

import (
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tapdeck/controller/switchsim/recogniser"
	"tapdeck/controller/transcript"
)

// What is said in a file comes with its channel and its time, on either wire.
func TestRun(t *testing.T) {
	both := recogniser.Interleave(say("one", "two"), say("", "three"))
	for name, c := range map[string]struct {
		format recogniser.Format
		file   string
		want   []string
	}{
		"mono, vosk":       {recogniser.Vosk, write(t, "x.wav", mono8, say("one", "two")), []string{"caller one at 0.0", "caller two at 1.0"}},
		"mono, deepgram":   {recogniser.Deepgram, write(t, "x.wav", mono8, say("one", "two")), []string{"caller one at 0.0", "caller two at 1.0"}},
		"stereo, vosk":     {recogniser.Vosk, write(t, "x.wav", stereo8, both), []string{"caller one at 0.0", "caller two at 1.0"}},
		"stereo, deepgram": {recogniser.Deepgram, write(t, "x.wav", stereo8, both), []string{"callee three at 1.0", "caller one at 0.0", "caller two at 1.0"}},
		"nothing is said":  {recogniser.Vosk, write(t, "x.wav", mono8, make([]byte, 16000)), nil},
	} {
		t.Run(name, func(t *testing.T) {
			server := &recogniser.Server{Format: c.format}
			o := serve(t, server)
			said, err := run(t.Context(), open(t, c.file, o), o)
			slices.Sort(said)
			if diff := cmp.Diff(c.want, said); diff != "" || err != nil {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
			if problems := server.Connections()[0].Report().Problems; problems != nil {
				t.Error(problems)
			}
		})
	}
}

// A file without audio has nothing to say, and nobody is asked.
func TestRunOfNoAudio(t *testing.T) {
	server := &recogniser.Server{Format: recogniser.Vosk}
	o := serve(t, server)
	if said, err := run(t.Context(), open(t, write(t, "x.wav", mono8, nil), o), o); said != nil || err != nil || server.Accepted() != 0 {
		t.Errorf("%q, %v, dialled %d times", said, err, server.Accepted())
	}
}

// A service that is lost is sent again what it has not answered.
func TestRunAfterALoss(t *testing.T) {
	for _, format := range []recogniser.Format{recogniser.Vosk, recogniser.Deepgram} {
		server := &recogniser.Server{Format: format}
		server.SetFault(1, recogniser.Fault{Reset: true, After: 1500 * time.Millisecond})
		o := serve(t, server)
		said, err := run(t.Context(), open(t, write(t, "x.wav", mono8, say("one", "two", "three")), o), o)
		if want := []string{"caller one at 0.0", "caller two at 1.0", "caller three at 2.0"}; !slices.Equal(said, want) || err != nil {
			t.Errorf("%s: %q, %v", format, said, err)
		}
	}
}

// A service that refuses us is not dialled again, and the rest of the file is not read.
func TestRunRefused(t *testing.T) {
	for fault, hint := range map[string]string{"refuse-401": "transcribe.key_file", "refuse-404": "path of transcribe.url"} {
		server := &recogniser.Server{Format: recogniser.Vosk}
		server.SetFault(0, recogniser.Faults()[fault])
		o := serve(t, server)
		r := open(t, write(t, "x.wav", mono8, make([]byte, 8<<20)), o)
		_, err := run(t.Context(), r, o)
		e, is := errors.AsType[*Error](err)
		if !is || !e.Service || e.Missing != r.Length || e.Length != r.Length || !strings.Contains(e.Hint, hint) || server.Accepted() != 1 {
			t.Errorf("%s: %+v, dialled %d times", fault, err, server.Accepted())
		}
	}
}

// A service that does not say its last words keeps those that it has said, and nobody waits for ever.
func TestRunWithoutLastWords(t *testing.T) {
	server := &recogniser.Server{Format: recogniser.Vosk}
	server.SetFault(0, recogniser.Faults()["never-finishes"])
	o := serve(t, server)
	o.finalTimeout = 100 * time.Millisecond
	said, err := run(t.Context(), open(t, write(t, "x.wav", mono8, say("one", "two")), o), o)
	e, is := errors.AsType[*Error](err)
	if !is || e.Service || e.Missing == 0 || e.Missing >= e.Length || !strings.Contains(e.Hint, "--speed") || len(said) == 0 || said[0] != "caller one at 0.0" {
		t.Errorf("%q, %+v", said, err)
	}
}

// A service that ends in order, and has answered nothing, is not slow: the hint is the session's.
func TestRunUnanswered(t *testing.T) {
	server := &recogniser.Server{Format: recogniser.Deepgram}
	server.SetFault(0, recogniser.Faults()["mute"])
	o := serve(t, server)
	said, err := run(t.Context(), open(t, write(t, "x.wav", mono8, say("one")), o), o)
	e, is := errors.AsType[*Error](err)
	if !is || e.Service || e.Missing != e.Length || !strings.Contains(e.Hint, "transcribe.format") || strings.Contains(e.Hint, "slow") || said != nil {
		t.Errorf("%q, %+v", said, err)
	}
}

// What was said before an interruption is told, and how much is missing.
func TestRunInterrupted(t *testing.T) {
	server := &recogniser.Server{Format: recogniser.Deepgram}
	o := serve(t, server)
	o.Speed = 4
	r := open(t, write(t, "x.wav", mono8, append(say("one", "two"), make([]byte, 60*16000)...)), o)
	ctx, cancel := context.WithCancel(t.Context())
	var said []string
	o.Said = func(s transcript.Segment) error {
		said = append(said, s.Text)
		cancel()
		return nil
	}
	err := Run(ctx, r, o)
	e, is := errors.AsType[*Error](err)
	if !is || !errors.Is(err, ErrInterrupted) || e.Service || e.Hint != hintSaid || len(said) == 0 || said[0] != "one" {
		t.Fatalf("%q, %+v", said, err)
	}
	if e.Missing < 50*time.Second || e.Missing >= e.Length || e.Length != r.Length {
		t.Errorf("%v of %v missing", e.Missing, e.Length)
	}
}

// Before anything was said, there is nothing above.
func TestRunInterruptedAtOnce(t *testing.T) {
	o := serve(t, &recogniser.Server{Format: recogniser.Deepgram})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	said, err := run(ctx, open(t, write(t, "x.wav", mono8, make([]byte, 60*16000)), o), o)
	if e, is := errors.AsType[*Error](err); !is || !errors.Is(err, ErrInterrupted) || strings.Contains(e.Hint, "above") || said != nil {
		t.Errorf("%q, %+v", said, err)
	}
}

// A disk that can't be read to the end is no reason to dial the service again.
func TestRunOfABadFile(t *testing.T) {
	server := &recogniser.Server{Format: recogniser.Vosk}
	o := serve(t, server)
	path := write(t, "x.wav", mono8, say("one", "two", "three"))
	r := open(t, path, o)
	if err := os.Truncate(path, 100+16000); err != nil {
		t.Fatal(err)
	}
	said, err := run(t.Context(), r, o)
	e, is := errors.AsType[*Error](err)
	if !is || !errors.Is(err, io.ErrUnexpectedEOF) || e.Service || e.Missing < 2*time.Second || e.Missing > 2200*time.Millisecond || len(said) != 1 || server.Accepted() != 1 {
		t.Errorf("%q, %+v, dialled %d times", said, err, server.Accepted())
	}
}

// Whoever is told can end it.
func TestRunEndedByItsReader(t *testing.T) {
	o := serve(t, &recogniser.Server{Format: recogniser.Vosk})
	calls := 0
	o.Said = func(transcript.Segment) error { calls++; return io.ErrClosedPipe }
	if err := Run(t.Context(), open(t, write(t, "x.wav", mono8, say("one", "two", "three")), o), o); !errors.Is(err, io.ErrClosedPipe) || calls != 1 {
		t.Errorf("%v, told %d times", err, calls)
	}
}

// Words that came with the session's end are told, whatever is seen first.
func TestFollowTellsTheLastWords(t *testing.T) {
	o := serve(t, &recogniser.Server{Format: recogniser.Vosk})
	var said []string
	o.Said = func(s transcript.Segment) error {
		said = append(said, s.Text)
		return nil
	}
	r := open(t, write(t, "x.wav", mono8, say("one", "two")), o)
	e := newEar(r)
	s := transcript.Start(o.config(r), e, o.Log, nil)
	<-s.Done()
	<-s.Changed() // so that the end is seen first
	if err := o.follow(t.Context(), s, e); err != nil || !slices.Equal(said, []string{"one", "two"}) {
		t.Errorf("%q, %v", said, err)
	}
}

// A file waits longer than a call does, and has no use for words that may still change.
func TestConfig(t *testing.T) {
	for kept, want := range map[time.Duration]time.Duration{0: 5 * time.Minute, time.Hour: time.Hour} {
		o := Options{Service: transcript.DefaultService()}
		o.Service.Interim, o.Service.Buffer = true, kept
		if c := o.config(&Recording{}); c.Interim || c.Buffer != want || c.FinalTimeout != time.Minute {
			t.Errorf("%v: %+v", kept, c)
		}
	}
}

// It is told how far a recording was read.
func TestRunProgress(t *testing.T) {
	o := serve(t, &recogniser.Server{Format: recogniser.Deepgram})
	o.Speed = 4
	r := open(t, write(t, "x.wav", mono8, make([]byte, 60*16000)), o)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var told time.Duration
	o.Progress = func(read time.Duration) {
		told = read
		cancel()
	}
	if _, err := run(ctx, r, o); told == 0 || told >= r.Length || !errors.Is(err, ErrInterrupted) {
		t.Errorf("%v of %v, %v", told, r.Length, err)
	}
}

// While nobody reads the words, no more is sent: only so many may wait.
func TestRunForASlowReader(t *testing.T) {
	server := &recogniser.Server{Format: recogniser.Vosk}
	o := serve(t, server)
	const length = 5 * time.Minute
	spoken := []recogniser.Spoken{{Word: "one"}, {At: time.Second, Word: "two"}, {At: length, Word: "three"}}
	r := open(t, write(t, "x.wav", mono8, recogniser.Say(8000, spoken...)), o)
	var said []string
	o.Said = func(s transcript.Segment) error {
		if said = append(said, s.Text); len(said) > 1 {
			return nil
		}
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond) // in which all would be sent
		defer cancel()
		if report, err := server.Connections()[0].Await(ctx, func(r recogniser.Report) bool { return r.Audio > time.Minute }); err == nil {
			t.Errorf("%v were sent while nobody read the words", report.Audio)
		}
		return nil
	}
	if err := Run(t.Context(), r, o); err != nil || !slices.Equal(said, []string{"one", "two", "three"}) {
		t.Errorf("%q, %v", said, err)
	}
}
