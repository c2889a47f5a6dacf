package dialertest

import (
	"io"
	"slices"
	"sync"
	"time"

	"tapdeck/controller/pcm"
)

// rate is an Ear's, in Hz.
const rate = 8000

// Ear is a recording at 8000 Hz that grows as a test says. It implements pcm.Ear.
type Ear struct {
	// Channels are interleaved in its audio.
	Channels int
	// Most is how much audio waits at most, in bytes; 0 is without a bound.
	Most int
	// At is the position at which what comes next begins.
	At time.Duration

	ready  chan struct{}
	mu     sync.Mutex
	sounds []pcm.Sound
	audio  []byte
	end    bool
	closed int
}

// NewEar returns an ear without a bound.
func NewEar(channels int) *Ear { return &Ear{Channels: channels, ready: make(chan struct{}, 1)} }

// Ready implements pcm.Ear, as Read and Close do.
func (e *Ear) Ready() <-chan struct{} { return e.ready }

func (e *Ear) Read(p []byte) (pcm.Sound, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed > 0 || len(e.sounds) == 0 && e.end {
		return pcm.Sound{}, io.EOF
	}
	if len(e.sounds) == 0 {
		return pcm.Sound{}, nil
	}
	s := e.sounds[0]
	if s.Gap > 0 {
		e.sounds = e.sounds[1:]
		return s, nil
	}
	s.Bytes = copy(p, e.audio[:min(s.Bytes, len(p))])
	e.forget(0, s.Bytes)
	return s, nil
}

func (e *Ear) Close() { e.change(func() { e.closed++ }) }

// Closed says how often Close was called.
func (e *Ear) Closed() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.closed
}

// Finish ends the recording.
func (e *Ear) Finish() { e.change(func() { e.end = true }) }

// Add is audio that comes now. Beyond the bound the oldest is dropped.
func (e *Ear) Add(audio []byte) {
	e.change(func() {
		e.sounds = append(e.sounds, pcm.Sound{At: e.At, Bytes: len(audio)})
		e.audio = append(e.audio, audio...)
		e.At += e.Duration(len(audio))
		for e.Most > 0 && len(e.audio) > e.Most {
			e.drop(len(e.audio) - e.Most)
		}
	})
}

// Live is audio that comes as it is spoken, in frames of 20 ms: in a bubble of fake time.
func (e *Ear) Live(audio []byte) {
	for part := range slices.Chunk(audio, 2*e.Channels*rate/50) {
		time.Sleep(e.Duration(len(part)))
		e.Add(part)
	}
}

// Gap is silence that comes now: in the recording, or dropped.
func (e *Ear) Gap(d time.Duration, dropped bool) {
	e.change(func() {
		sound := pcm.Sound{At: e.At, Gap: d}
		if dropped {
			sound.Dropped = d
		}
		e.sounds = append(e.sounds, sound)
		e.At += d
	})
}

// Duration is how long so many bytes last.
func (e *Ear) Duration(bytes int) time.Duration { return pcm.Duration(bytes/e.Channels, rate) }

func (e *Ear) change(f func()) {
	e.mu.Lock()
	f()
	e.mu.Unlock()
	select {
	case e.ready <- struct{}{}:
	default:
	}
}

// drop makes up to so many bytes of the oldest audio a gap.
func (e *Ear) drop(bytes int) {
	if e.sounds[0].Dropped == 0 {
		e.sounds = slices.Insert(e.sounds, 0, pcm.Sound{At: e.sounds[0].At})
	}
	bytes = min(bytes, e.sounds[1].Bytes)
	d := e.Duration(bytes)
	e.sounds[0].Gap, e.sounds[0].Dropped = e.sounds[0].Gap+d, e.sounds[0].Dropped+d
	e.forget(1, bytes)
}

// forget removes so many bytes of the oldest audio, which is that of the i-th sound.
func (e *Ear) forget(i, bytes int) {
	s := &e.sounds[i]
	e.audio, s.Bytes, s.At = e.audio[bytes:], s.Bytes-bytes, s.At+e.Duration(bytes)
	if s.Bytes == 0 {
		e.sounds = slices.Delete(e.sounds, i, i+1)
	}
}
