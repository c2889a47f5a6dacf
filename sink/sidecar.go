package sink

import (
	"errors"
	"slices"
	"time"

	"go.uber.org/zap"

	"tapdeck/sink/store"
	"tapdeck/sink/track"
)

// Note keeps what is known of the call so far, for Recover, instead of what Expect was given. It
// waits for nothing: while a socket is open, the stream's goroutine writes it to the sidecar within
// about a second. If none has been for a second, as of a stream that the call has stopped, it is
// written at once.
func (r *Recording) Note(call store.Record) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.known, r.unwritten = call, true
	if r.live == nil && !r.closed && r.track != nil && time.Since(r.gone) >= housekeepingInterval {
		r.updateSidecarLocked() // while mu is held, nobody else comes to the track
		_ = r.track.Flush()     // its error comes again
	}
}

// beginSidecar keeps what is known of the call beside a new file. If only that fails, it is no
// reason to end the stream.
func (r *Recording) beginSidecar(part *store.Part) {
	r.mu.Lock()
	record, _ := r.snapshot()
	r.mu.Unlock()
	record.Sound = track.NoSound(1)
	r.noteSidecar(part.SaveSidecar(&record, r.cfg.SyncInterval > 0))
}

// updateSidecar has what is new written beside the next flush. It is called by the stream's
// goroutine.
func (r *Recording) updateSidecar() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.updateSidecarLocked()
}

func (r *Recording) updateSidecarLocked() {
	if !r.unwritten && r.track.GapCount() == r.gapsWritten || r.writing || r.noSidecar {
		return
	}
	r.writing = true
	record, marks := r.snapshot()
	record.Sound = r.track.Sound()
	r.gapsWritten = len(record.Gaps)
	var at []store.Mark
	for _, m := range marks {
		at = append(at, store.Mark{Frame: r.track.Position(m.At), Label: m.Label})
	}
	r.track.Do(func() { r.writeSidecar(&record, at) })
}

// writeSidecar writes what is known over the sidecar, in the goroutine that writes the file.
func (r *Recording) writeSidecar(record *store.Record, marks []store.Mark) {
	err := r.currentPart().UpdateSidecar(record, marks, r.cfg.SyncInterval > 0)
	locked := errors.Is(err, store.ErrLocked) // for a moment, by a Recover
	r.mu.Lock()
	r.writing, r.unwritten = false, r.unwritten || locked
	r.mu.Unlock()
	if !locked {
		r.noteSidecar(err)
	}
}

// snapshot returns what is known of the call, but for its sound, which is about to be written. The
// caller holds mu.
func (r *Recording) snapshot() (store.Record, []track.Mark) {
	r.unwritten = false
	record := r.known
	record.Timeline = withStream(record.Timeline, r.streamMoments(r.state))
	record.Alarms = slices.Concat(r.state.Alarms, record.Alarms)
	return record, slices.Clone(r.marks)
}

// noteSidecar logs, once, that the sidecar can't be written, and tries no more.
func (r *Recording) noteSidecar(err error) {
	if err == nil {
		return
	}
	r.mu.Lock()
	r.noSidecar = true
	r.mu.Unlock()
	r.log.Warn("sidecar not written", zap.NamedError("err", err),
		zap.String("hint", "after a crash the recording would be published without its call's details, or only with those so far"))
}
