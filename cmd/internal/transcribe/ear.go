package transcribe

import (
	"errors"
	"io"
	"sync/atomic"
	"time"

	"tapdeck/controller/pcm"
	"tapdeck/wav"
)

// ear is a recording's audio as a session reads it: from the disk, as fast as it is asked for.
type ear struct {
	audio  *wav.Reader
	format wav.Format
	ready  chan struct{}
	left   bool   // only the left channel of two is read
	both   []byte // … of which this is what was read

	closed, held atomic.Bool
	frames       atomic.Int64          // that were read
	failed       atomic.Pointer[error] // of the disk
}

func newEar(r *Recording) *ear {
	return &ear{audio: r.audio, format: r.Format, ready: make(chan struct{}, 1), left: len(r.Channels) < r.Format.Channels}
}

// Ready implements pcm.Ear, as the methods below do.
func (e *ear) Ready() <-chan struct{} { return e.ready }

// Read ends the recording if the disk fails, which err says: the service would be dialled again otherwise.
func (e *ear) Read(p []byte) (pcm.Sound, error) {
	switch {
	case e.closed.Load():
		return pcm.Sound{}, io.EOF
	case e.held.Load():
		return pcm.Sound{}, nil
	}
	at, n, err := e.position(), 0, error(nil)
	if e.left {
		n, err = e.readLeft(p)
	} else {
		n, err = e.audio.Read(p)
		e.frames.Add(int64(n / e.format.FrameBytes()))
	}
	if n > 0 {
		return pcm.Sound{At: at, Bytes: n}, nil // an error comes again
	}
	e.end(err)
	return pcm.Sound{}, io.EOF
}

// end notes why there is nothing more to read.
func (e *ear) end(err error) {
	if !errors.Is(err, io.EOF) {
		e.failed.Store(&err)
	}
}

// readLeft fills p with the left channel.
func (e *ear) readLeft(p []byte) (int, error) {
	if len(e.both) < 2*len(p) {
		e.both = make([]byte, 2*len(p))
	}
	n, err := e.audio.Read(e.both[:2*len(p)])
	e.frames.Add(int64(n / e.format.FrameBytes()))
	for i := 0; i < n; i += 4 {
		copy(p[i/2:], e.both[i:i+2])
	}
	return n / 2, err
}

// Close has the recording end here.
func (e *ear) Close() { e.closed.Store(true) }

// hold has nothing more be read, or goes on.
func (e *ear) hold(held bool) {
	e.held.Store(held)
	if !held {
		select {
		case e.ready <- struct{}{}:
		default:
		}
	}
}

// position is how far the recording was read.
func (e *ear) position() time.Duration { return e.format.Duration(e.frames.Load()) }

// remaining is how much of it was not read.
func (e *ear) remaining() time.Duration {
	return e.format.Duration(e.audio.Frames() - e.frames.Load())
}

// err is why the disk could not be read to the recording's end.
func (e *ear) err() error {
	if err := e.failed.Load(); err != nil {
		return *err
	}
	return nil
}
