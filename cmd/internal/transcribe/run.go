package transcribe

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"tapdeck/controller/transcript"
)

// A file waits for the service, as no caller does: for the last words, and with what was sent and not answered,
// which needs 19 MB at the most.
const (
	finalTimeout = time.Minute
	buffer       = 5 * time.Minute
)

// progressInterval is how often it is told how far a recording was read.
const progressInterval = time.Second

// Options say by whom a recording is transcribed, and who is told.
type Options struct {
	Service transcript.Service
	// Key is the service's; "" if it needs none.
	Key string
	// Speed is how many times as fast as it was spoken audio may be sent; 0 is what the service accepts.
	Speed float64
	// Log is given the session's lines.
	Log *zap.Logger
	// Said is given each final segment as it comes. Its error ends Run, which returns it.
	Said func(transcript.Segment) error
	// Progress, if not nil, is given each second how far the recording was read.
	Progress func(read time.Duration)

	finalTimeout time.Duration // of tests
}

// Error is a recording that was not transcribed to its end.
type Error struct {
	// Missing is how much of it the service has not answered for good, and Length all of it.
	Missing, Length time.Duration
	// Err is why, and Hint what to do.
	Err  error
	Hint string
	// Service says that the service refused us, or was lost for good.
	Service bool
}

func (e *Error) Error() string {
	return fmt.Sprintf("%.3f s of %.3f s are not transcribed: %v", e.Missing.Seconds(), e.Length.Seconds(), e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

// ErrInterrupted says that a transcription was ended before its end.
var ErrInterrupted = errors.New("interrupted")

// errUnanswered is of a service that ended well, and has not answered what was sent.
var errUnanswered = errors.New("the service has not answered all of it")

const (
	hintInterrupted = "run it again to have all of it"
	hintSaid        = "what was said so far is above; " + hintInterrupted
	hintDisk        = "look at the disk, and at the file: is it as long as its header says?"
	hintSlow        = "the service is too slow: look at its machine and its log, or send the audio more slowly with --speed"
	hintUnanswered  = "run it again; if it stays, look at the service's log"
)

// Run has the service transcribe a recording from its begin to its end, or until ctx ends. The error is an
// *Error, or that of Said.
func Run(ctx context.Context, r *Recording, o Options) error {
	if r.audio.Frames() == 0 {
		return nil
	}
	said, tell := false, o.Said
	o.Said = func(s transcript.Segment) error {
		said = true
		return tell(s)
	}
	e := newEar(r)
	s := transcript.Start(o.config(r), e, o.Log, nil)
	if err := o.follow(ctx, s, e); err != nil {
		return err
	}
	err := outcome(ctx, r, e, s.State())
	if failed, is := errors.AsType[*Error](err); is && said && errors.Is(err, ErrInterrupted) {
		failed.Hint = hintSaid
	}
	return err
}

func (o *Options) config(r *Recording) transcript.Config {
	c := transcript.Config{Service: o.Service, Key: o.Key, Rate: r.Format.SampleRate, Channels: r.Channels, Speed: o.Speed, Call: r.Path}
	c.Interim, c.FinalTimeout, c.Buffer = false, cmp.Or(o.finalTimeout, finalTimeout), max(c.Buffer, buffer)
	return c
}

// follow hands on what is said, and ends the session. The error is that of Said.
func (o *Options) follow(ctx context.Context, s *transcript.Session, e *ear) error {
	err := o.listen(ctx, s, e)
	e.Close()
	s.Stop()
	if err != nil {
		return err
	}
	return o.say(s) // what came since
}

// listen hands on what is said until there is nothing more to come. The error is that of Said.
func (o *Options) listen(ctx context.Context, s *transcript.Session, e *ear) error {
	tick := time.NewTicker(progressInterval)
	defer tick.Stop()
	for !s.State().GivenUp {
		select {
		case <-ctx.Done():
			return nil
		case <-s.Done():
			return nil
		case <-tick.C:
			if o.Progress != nil {
				o.Progress(e.position())
			}
		case <-s.Changed():
			e.hold(true)
			if err := o.say(s); err != nil {
				return err
			}
			e.hold(false)
		}
	}
	return nil
}

// say hands on what was said.
func (o *Options) say(s *transcript.Session) error {
	for _, segment := range s.News() {
		if !segment.Final {
			continue
		}
		if err := o.Said(segment); err != nil {
			return err
		}
	}
	return nil
}

// outcome is what the session has come to.
func outcome(ctx context.Context, r *Recording, e *ear, state transcript.State) error {
	missing := state.Missing + e.remaining()
	failed := &Error{Missing: missing, Length: r.Length, Service: state.GivenUp}
	switch {
	case missing == 0 && !state.GivenUp:
		return nil
	case e.err() != nil:
		failed.Err, failed.Hint = e.err(), hintDisk
	case state.GivenUp:
		failed.Err, failed.Hint = state.Err, state.Hint
	case ctx.Err() != nil:
		failed.Err, failed.Hint = ErrInterrupted, hintInterrupted
	case state.Err != nil && state.Hint == transcript.HintLate: // which is about calls
		failed.Err, failed.Hint = state.Err, hintSlow
	case state.Err != nil: // it ended without its last words, or what was sent before a loss is not kept any more
		failed.Err, failed.Hint = state.Err, state.Hint
	default:
		failed.Err, failed.Hint = errUnanswered, hintUnanswered
	}
	return failed
}
