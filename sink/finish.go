package sink

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"tapdeck/sink/store"
	"tapdeck/sink/track"
)

// finish is what the first Finish and the first Save do; later ones wait for it.
type finish struct {
	done     chan struct{}
	sinkSide store.Record // the sink's side of the record
	err      error
	save     sync.Once
	record   store.Record // once saved

	concluded chan struct{} // closed when the disk's work is over, however late
	late      store.Record  // then: the sink's side
	lateErr   error         // and why it is not published, or not whole
}

// Finish waits until the live socket has ended or ctx is done, closes it in that case,
// and publishes the WAV. The recording's URL is void from its beginning. Only the
// first call does this; later ones wait for it and return the same. After an error the
// audio is in the file that Save's record names, if any was written. What hangs longer
// than PublishTimeout, counted from the socket's end or ctx's, is not waited for: the
// error is ErrDiskHangs then. What was recorded is published once the disk responds, and its
// record after Save, or it stays a .part, for Recover.
func (r *Recording) Finish(ctx context.Context) error {
	r.callEnded()
	r.mu.Lock()
	first := r.finish == nil
	if first {
		r.finish = &finish{done: make(chan struct{}), concluded: make(chan struct{})}
	}
	r.closed = true
	f, live := r.finish, r.live
	r.mu.Unlock()
	if live != nil {
		select {
		case <-live.done:
		case <-ctx.Done():
			live.ask(EndFinished)
		}
	}
	if first {
		defer close(f.done)
		defer r.forget(r)
		f.sinkSide, f.err = r.conclude(f, live)
		r.logPublished(&f.sinkSide, f.err)
		return f.err
	}
	<-f.done
	return f.err
}

// Save completes a call's record by what the sink has seen of its audio, writes it beside the
// WAV and returns it, also beside an error. It counts call.Alarms. It is called after Finish,
// else the error is ErrNotFinished; a second call returns the same record. The words of its
// transcript are a file beside the WAV; that there is none is logged and no error. A record that
// can't be published, or whose recording hangs, is kept in the sidecar as far as the disk
// permits, for Recover; of one that hangs the record is saved once the disk responds, if the
// process lives to see that.
func (r *Recording) Save(call store.Record) (record store.Record, err error) {
	r.mu.Lock()
	f := r.finish
	r.mu.Unlock()
	if f == nil {
		return record, ErrNotFinished
	}
	<-f.done
	f.save.Do(func() {
		r.metrics.countAlarms(call.Alarms)
		f.record = f.complete(call, f.sinkSide)
		if errors.Is(f.err, ErrDiskHangs) {
			err = errors.Join(f.err, r.withTimeout(func() error { return r.keep(f.record) }))
			r.goGuarded(func() { r.saveLate(call, f) })
			return
		}
		saved := f.record // which a save that hangs may still change
		if err = r.withTimeout(func() error { return r.save(&saved) }); !errors.Is(err, ErrDiskHangs) {
			f.record = saved
		}
	})
	return f.record, err
}

// complete adds the sink's side to a call's record.
func (f *finish) complete(call, seen store.Record) store.Record {
	call.Schema = store.Schema
	call.Sound, call.WAV, call.AudioSHA256 = seen.Sound, seen.WAV, seen.AudioSHA256
	if call.WAV != "" {
		call.Agent, call.Transcript = call.Agent.Within(call.AudioMS), call.Transcript.Within(call.AudioMS)
	}
	call.Metadata, call.MetadataDropped = seen.Metadata, seen.MetadataDropped
	call.Timeline = withStream(call.Timeline, seen.Timeline)
	call.Alarms = append(seen.Alarms, call.Alarms...)
	if seen.Err != "" && strings.Contains(call.Err, seen.Err) {
		call.Hint = "" // the sink knows more of its own error
	}
	call.Err, call.Hint = cmp.Or(call.Err, seen.Err), cmp.Or(call.Hint, seen.Hint, hintOfCall(call.Alarms))
	return call
}

// save writes the record and, last, gives the file's lock back.
func (r *Recording) save(record *store.Record) error {
	part := r.currentPart()
	if part == nil {
		return r.store.Save(record)
	}
	defer part.Close() // after a panic, too
	err := part.Save(record)
	if errors.Is(err, store.ErrNoVTT) {
		r.log.Warn("transcript not saved", zap.NamedError("err", err), zap.String("hint", store.HintNoVTT))
		return nil
	}
	return err
}

// keep puts the record of a recording that hangs in the place of the sidecar, if there is one.
func (r *Recording) keep(record store.Record) error {
	if part := r.currentPart(); part != nil {
		return part.Keep(&record)
	}
	return nil
}

// saveLate saves the record of a recording that hangs once the disk has responded.
func (r *Recording) saveLate(call store.Record, f *finish) {
	<-f.concluded
	call.Err = strings.TrimSuffix(strings.TrimSuffix(call.Err, f.err.Error()), "; ") // what the call was told is over
	if !strings.Contains(call.Err, f.late.Err) {
		call.Err = strings.TrimPrefix(call.Err+"; "+f.late.Err, "; ")
	}
	record := f.complete(call, f.late)
	r.logLate(f, r.save(&record))
}

// logLate reports what became of a recording that hung, and of its record.
func (r *Recording) logLate(f *finish, errSave error) {
	log := r.log
	if f.late.WAV != "" {
		log = log.With(zap.String("file", r.store.Path(f.late.WAV)), zap.Int64("audio_ms", f.late.AudioMS))
	}
	const what = "disk responded after the timeout"
	switch err := errors.Join(f.lateErr, errSave); {
	case err == nil:
		log.Info(what)
	case f.lateErr != nil:
		log.Error(what, zap.NamedError("err", err), zap.String("hint", f.late.Hint))
	default:
		log.Error(what, zap.NamedError("err", err), zap.String("hint", hintLateRecord))
	}
}

// conclude publishes once the live socket, if there is one, has ended.
func (r *Recording) conclude(f *finish, live *handle) (store.Record, error) {
	err := r.withTimeout(func() error {
		defer close(f.concluded)
		if live != nil {
			<-live.done
		}
		r.endTaps()
		f.late, f.lateErr = r.publishGuarded()
		return f.lateErr
	})
	if errors.Is(err, ErrDiskHangs) { // f is the work's until concluded
		return r.unpublished(err)
	}
	return f.late, err
}

// publishGuarded is publish, whose panic leaves a part.
func (r *Recording) publishGuarded() (sinkSide store.Record, err error) {
	err = guarded(r.log, func() (err error) {
		sinkSide, err = r.publish()
		return err
	})
	if errors.Is(err, errPanic) {
		return r.unpublished(err)
	}
	return sinkSide, err
}

// unpublished is the sink's side of a recording whose publication did not end, or panicked.
func (r *Recording) unpublished(err error) (store.Record, error) {
	err = fmt.Errorf("publish recording: %w", err)
	return r.sinkSide(r.soundSoFar(), "", err), err
}

// soundWithoutFile is the sound of a recording that has no file: all of the call is missing.
func (r *Recording) soundWithoutFile() track.Sound {
	sound := r.track.Sound()
	sound.MissingMS, sound.AudioMS, sound.Gaps = sound.MissingMS+sound.AudioMS, 0, []track.Gap{}
	return sound
}

// soundSoFar is what is known of the audio without a look at the file: all that came is in it, or
// is missing if there is none.
func (r *Recording) soundSoFar() track.Sound {
	sound, frames := track.NoSound(r.State().Connections), r.received.Load()
	sound.Bytes = frames * int64(r.format.FrameBytes())
	if ms := r.format.Duration(frames).Milliseconds(); r.currentPart() != nil {
		sound.AudioMS = ms
	} else {
		sound.MissingMS = ms
	}
	return sound
}

// publish finishes the file and gives it, or a copy of it if its own name is gone, its lasting
// name. The lock is kept until the record is saved, so that Recover doesn't make one.
func (r *Recording) publish() (store.Record, error) {
	st := r.State()
	if r.track == nil {
		return r.sinkSide(track.NoSound(st.Connections), "", st.Err), st.Err
	}
	began := time.Now()
	r.mu.Lock()
	marks := r.marks
	r.mu.Unlock()
	r.noteStop()
	r.track.CallEnded(r.callEnded())
	complete, err := r.track.Finish(marks)
	if failed := r.track.Err(); failed != nil {
		r.fail(failed)
	}
	wav := ""
	if part := r.currentPart(); part != nil && complete {
		var errName error
		wav, errName = r.publishPart(part)
		err = errors.Join(err, errName)
	}
	var sinkSide store.Record
	if r.currentPart() == nil { // there is no file, or none any more
		err = cmp.Or(r.State().Err, err)
		sinkSide = r.sinkSide(r.soundWithoutFile(), "", err)
	} else {
		sound := r.track.Sound()
		r.observeEnd(sound)
		r.metrics.publication.Observe(time.Since(began).Seconds())
		sinkSide = r.sinkSide(sound, wav, err)
		sinkSide.AudioSHA256 = r.track.SHA256()
	}
	sinkSide.Metadata, sinkSide.MetadataDropped = r.metadata, r.dropped
	return sinkSide, err
}

// publishPart gives a complete file, or a copy of it if its own name is gone, its lasting name.
// If no copy can be made, the recording has no file any more.
func (r *Recording) publishPart(part *store.Part) (wav string, err error) {
	wav, err = part.Publish()
	if !errors.Is(err, fs.ErrNotExist) {
		return wav, err
	}
	r.log.Warn("recording taken away", zap.String("file", r.store.Path(part.WAV())),
		zap.String("hint", "somebody removed or moved it, or its folder, while the call ran: what was recorded is written anew; don't tidy up .part files of running calls"))
	salvaged, err := part.Salvage()
	if err != nil {
		r.setPart(salvaged)
		return "", err
	}
	r.begin(salvaged)
	return salvaged.Publish()
}

// sinkSide is the sink's side of the record: what is known of a recording with this sound, which
// is published as wav if that is not "", or else still a part.
func (r *Recording) sinkSide(sound track.Sound, wav string, err error) store.Record {
	if part := r.currentPart(); wav == "" && part != nil {
		wav = part.WAV()
	}
	st := r.State()
	record := store.Record{Sound: sound, WAV: wav, Alarms: st.Alarms, Timeline: r.streamMoments(st)}
	if err = cmp.Or(err, st.Err); err != nil {
		record.Err, record.Hint = err.Error(), hintOf(err, wav)
	} else if len(st.Alarms) > 0 {
		record.Hint = r.hint(st.Alarms[0])
	}
	return record
}

// hintOf says what to do about an error of a recording that is published as wav, or a part, or
// has no file.
func hintOf(err error, wav string) string {
	switch {
	case errors.Is(err, ErrMaxDuration):
		return closeReasons[EndMaxDuration].hint
	case errors.Is(err, ErrDiskHangs):
		return hintLate
	case wav == "":
		return hintNothingWritten
	case strings.HasSuffix(wav, ".part"):
		return hintWritten
	}
	return hintDisk
}

// logPublished reports and counts what became of a recording, unless there was none.
func (r *Recording) logPublished(record *store.Record, err error) {
	log := r.log
	switch {
	case record.WAV != "":
		log = log.With(zap.String("file", r.store.Path(record.WAV)), zap.Int64("audio_ms", record.AudioMS))
	case err == nil:
		log.Debug("nothing recorded")
		return
	}
	if err == nil {
		r.metrics.recordings.WithLabelValues(resultPublished).Inc()
		if record.AudioMS > 0 {
			log.Info("recording saved")
		} else {
			log.Warn("recording is empty", zap.String("hint", cmp.Or(record.Hint, hintEmpty)))
		}
		return
	}
	r.metrics.recordings.WithLabelValues(resultFailed).Inc()
	what := "recording not saved"
	if record.WAV != "" && !strings.HasSuffix(record.WAV, ".part") {
		what = "recording incomplete"
	}
	log.Error(what, zap.NamedError("err", err), zap.String("hint", record.Hint))
}

const (
	hintWritten        = "what was written is in the .part file that is named here: see its disk, then run tapdeck repair on the directory"
	hintLate           = "the recording is published once the disk responds; if tapdeck ends before that, its next start publishes what is there"
	hintLateRecord     = "the recording is published, its record is not: see its disk, then run tapdeck repair on the directory"
	hintEmpty          = "the stream was open, but the call ended, or its plan stopped the stream, before any audio came: does a step that takes time follow stream?"
	hintNothingWritten = "there is no file of it: see sink.directory, its disk, and whether tapdeck may write there"
)

// withTimeout does work that a disk may hang, for at most PublishTimeout.
func (r *Recording) withTimeout(work func() error) error {
	return withTimeout(r.cfg.PublishTimeout, r.log, work)
}

// withTimeout does work that a disk may hang, for at most d, after which the error is
// ErrDiskHangs. The work's goroutine ends with the work, however late. A panic of the work is
// logged, and an error of it.
func withTimeout(d time.Duration, log *zap.Logger, work func() error) error {
	done := make(chan error, 1)
	go func() { done <- guarded(log, work) }()
	select {
	case err := <-done:
		return err
	case <-time.After(d):
		return fmt.Errorf("%w: nothing for %v", ErrDiskHangs, d)
	}
}
