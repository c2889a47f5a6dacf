package esl

import (
	"sync"
	"time"

	"go.uber.org/zap"
)

// meterInterval is how often a meter logs at most.
const meterInterval = time.Second

// meter logs a kind of trouble at most once a second, with how often it came
// since the line before.
type meter struct {
	log *zap.Logger
	msg string

	mu     sync.Mutex
	next   time.Time
	count  int
	fields []zap.Field // of the last one
}

// add counts one and logs if it is time to.
func (m *meter) add(fields ...zap.Field) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.count, m.fields = m.count+1, fields
	if now := time.Now(); !now.Before(m.next) {
		m.next = now.Add(meterInterval)
		m.write()
	}
}

// flush logs what was counted and not logged yet.
func (m *meter) flush() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.count > 0 {
		m.write()
	}
}

func (m *meter) write() {
	m.log.Warn(m.msg, append([]zap.Field{zap.Int("count", m.count)}, m.fields...)...)
	m.count, m.fields = 0, nil
}
