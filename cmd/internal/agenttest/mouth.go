package agenttest

import (
	"sync"
	"time"

	"tapdeck/controller/pcm"
)

// mouth is what the caller hears: audio that is played in real time, one after the other, and nowhere. It keeps
// no audio, only when it ends.
type mouth struct {
	calling sync.Mutex // marks are told one at a time, in order

	mu    sync.Mutex // protects the following
	end   time.Time  // of all that was said so far
	marks []mark
	timer *time.Timer // of the first mark
	heard heard
}

type mark struct {
	at   time.Time // its audio has been heard then
	done func(cleared bool)
}

// heard is what a mouth has been given.
type heard struct {
	messages    int
	audio       time.Duration
	longest     time.Duration // message
	ahead       time.Duration // most that waited to be heard
	first       time.Time     // message
	marks, back int
	waiting     int // marks, at most
	clears      int
	cleared     time.Time     // the latest time
	dropped     time.Duration // audio that was cleared
}

func (m *mouth) Play(audio []byte, rate int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now, d := time.Now(), pcm.Duration(len(audio), rate)
	if m.end.Before(now) {
		m.end = now
	}
	m.end = m.end.Add(d)
	h := &m.heard
	if h.messages == 0 {
		h.first = now
	}
	h.messages++
	h.audio += d
	h.longest = max(h.longest, d)
	h.ahead = max(h.ahead, m.end.Sub(now))
}

func (m *mouth) Mark(done func(cleared bool)) {
	m.mu.Lock()
	m.marks = append(m.marks, mark{m.end, done})
	m.heard.marks++
	m.heard.waiting = max(m.heard.waiting, len(m.marks))
	first := len(m.marks) == 1
	m.mu.Unlock()
	if first {
		m.tell(false)
	}
}

func (m *mouth) Clear() {
	m.mu.Lock()
	now := time.Now()
	m.heard.clears++
	m.heard.cleared = now
	if m.end.After(now) {
		m.heard.dropped += m.end.Sub(now)
		m.end = now
	}
	m.mu.Unlock()
	m.tell(true)
}

// tell gives back the marks whose audio has been heard, or all, and sets the timer for the next one.
func (m *mouth) tell(all bool) {
	m.calling.Lock()
	defer m.calling.Unlock()
	m.mu.Lock()
	now, due := time.Now(), 0
	for due < len(m.marks) && (all || !m.marks[due].at.After(now)) {
		due++
	}
	gone := m.marks[:due]
	m.marks = m.marks[due:]
	m.heard.back += due
	if len(m.marks) > 0 {
		m.wake(m.marks[0].at.Sub(now))
	}
	m.mu.Unlock()
	for _, g := range gone {
		g.done(all)
	}
}

func (m *mouth) wake(after time.Duration) {
	if m.timer != nil {
		m.timer.Stop()
	}
	m.timer = time.AfterFunc(after, func() { m.tell(false) })
}

// close ends the timer.
func (m *mouth) close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.timer != nil {
		m.timer.Stop()
	}
}

// until is when all that was said so far has been heard.
func (m *mouth) until() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.end
}

func (m *mouth) state() heard {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.heard
}
