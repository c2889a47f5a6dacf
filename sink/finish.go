package sink

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"
)

// Summary is what Finish tells of a recording.
type Summary struct {
	Sound
	// Alarms were raised by the sink, each once.
	Alarms []string
}

// finish is what the first Finish does; later ones wait for it.
type finish struct {
	done    chan struct{}
	summary Summary
	err     error
	record  *Record // once saved
}

// Finish waits until the live socket has ended or ctx is done, closes it in that case,
// and publishes the WAV. The recording's URL is void from its beginning. Only the
// first call does this; later ones wait for it and return the same. After an error the
// audio is in the file that Summary.WAV names, if any was written. What hangs longer
// than PublishTimeout, counted from the socket's end or ctx's, is left to itself: the
// error is ErrDiskHangs then, and what was recorded stays a .part, for Recover.
func (r *Recording) Finish(ctx context.Context) (Summary, error) {
	r.mu.Lock()
	first := r.finish == nil
	if first {
		r.finish = &finish{done: make(chan struct{})}
	}
	r.closed = true
	f, live := r.finish, r.live
	r.mu.Unlock()
	if live != nil {
		select {
		case <-live.done:
		case <-ctx.Done():
			live.ask(ending{EndFinished, "call is over", statusGoingAway, true})
		}
	}
	if first {
		f.summary, f.err = r.conclude(live)
		r.logPublished(f.summary.Sound, f.err)
		r.sink.forget(r)
		close(f.done)
	}
	<-f.done
	return f.summary, f.err
}

// conclude publishes once the live socket, if there is one, has ended.
func (r *Recording) conclude(live *stream) (Summary, error) {
	var sum Summary
	err := bounded(r.cfg.PublishTimeout, func() (err error) {
		if live != nil {
			<-live.done
		}
		sum, err = r.publish()
		return err
	}, r.late)
	if errors.Is(err, ErrDiskHangs) {
		return r.hanging(), fmt.Errorf("publish recording: %w", err)
	}
	return sum, err
}

// bounded does work that a disk may hang, for at most d, after which the error is
// ErrDiskHangs. The work's goroutine ends with the work; if that is too late, it calls
// late.
func bounded(d time.Duration, work func() error, late func()) error {
	done, left := make(chan error), make(chan struct{})
	defer close(left)
	go func() {
		err := work()
		select {
		case done <- err:
		case <-left:
			late()
		}
	}()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case err := <-done:
		return err
	case <-timer.C:
		return fmt.Errorf("%w: nothing for %v", ErrDiskHangs, d)
	}
}

// hanging is what can be told of a recording whose file hangs.
func (r *Recording) hanging() Summary {
	st, frames := r.State(), r.received.Load()
	sound := Sound{
		AudioMS: r.call.Format.Duration(frames).Milliseconds(), Bytes: frames * int64(r.call.Format.FrameBytes()),
		RMSDBFS: floorDBFS, PeakDBFS: floorDBFS, Connections: st.Connections,
	}
	if part := r.partName(); part != "" {
		sound.WAV = wavPath(part) + partExt
	}
	return Summary{Sound: sound, Alarms: st.Alarms}
}

// late ends what Finish has left to itself.
func (r *Recording) late() {
	fields := []zap.Field{zap.String("hint", "run tapdeck repair on the directory, which publishes what is left")}
	if r.take != nil {
		fields = append(fields, zap.NamedError("err", r.take.file.Close()))
	}
	r.log.Warn("disk answers again", fields...)
}

// partName is the name of the recording's running file, empty if there is none.
func (r *Recording) partName() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.part
}

// Save writes the call's record beside the WAV and returns it, also beside an error. It
// is called after Finish, else the error is ErrNotFinished; a second call returns the
// same record. A record that can't be published, or whose recording hangs, is kept in
// the sidecar as far as the disk permits, for Recover.
func (r *Recording) Save(o Outcome) (Record, error) {
	r.mu.Lock()
	f := r.finish
	r.mu.Unlock()
	if f == nil {
		return Record{}, ErrNotFinished
	}
	<-f.done
	r.mu.Lock()
	saved := f.record
	if saved == nil {
		record := r.record(f, o)
		f.record = &record
	}
	record := *f.record
	r.mu.Unlock()
	if saved != nil {
		return record, nil
	}
	r.sink.countAlarms(o.Alarms)
	err := bounded(r.cfg.PublishTimeout, func() error { return r.save(&record, f.err) }, func() {})
	return record, err
}

// save writes the record and, last, gives the file's lock back.
func (r *Recording) save(record *Record, finished error) error {
	part := r.partName()
	if errors.Is(finished, ErrDiskHangs) {
		return errors.Join(finished, r.sink.store.keepRecord(record, part)) // the file is still in use
	}
	if r.take == nil {
		return r.sink.store.saveRecord(record, "")
	}
	return errors.Join(r.sink.store.saveRecord(record, part), r.take.file.Close())
}
