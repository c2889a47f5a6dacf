package controller_test

import (
	"io"
	"sync"
	"time"

	"tapdeck/controller/pcm"
)

// ear is an pcm.Ear without a bound, which keeps the pieces as they come.
type ear struct {
	ready chan struct{}

	mu     sync.Mutex
	pieces []piece
	ended  bool
}

type piece struct {
	at  time.Duration
	pcm []byte
}

func newEar() *ear { return &ear{ready: make(chan struct{}, 1)} }

func (e *ear) add(at time.Duration, pcm []byte) {
	e.mu.Lock()
	if !e.ended {
		e.pieces = append(e.pieces, piece{at, append([]byte(nil), pcm...)})
	}
	e.mu.Unlock()
	e.signal()
}

func (e *ear) end() {
	e.mu.Lock()
	e.ended = true
	e.mu.Unlock()
	e.signal()
}

func (e *ear) signal() {
	select {
	case e.ready <- struct{}{}:
	default:
	}
}

// Ready implements pcm.Ear, as the methods below do.
func (e *ear) Ready() <-chan struct{} { return e.ready }

func (e *ear) Read(p []byte) (pcm.Sound, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.pieces) == 0 {
		if e.ended {
			return pcm.Sound{}, io.EOF
		}
		return pcm.Sound{}, nil
	}
	first := &e.pieces[0]
	s := pcm.Sound{At: first.at, Bytes: copy(p, first.pcm)}
	first.pcm = first.pcm[s.Bytes:]
	first.at += time.Duration(s.Bytes/2) * time.Second / 8000
	if len(first.pcm) == 0 {
		e.pieces = e.pieces[1:]
	}
	return s, nil
}

func (e *ear) Close() {
	e.mu.Lock()
	e.pieces = nil
	e.mu.Unlock()
	e.end()
}
