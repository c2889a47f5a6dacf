package sink

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"path/filepath"
	"strings"
	"time"

	"go.uber.org/zap"
)

const maxMarks = 100

// open returns the take, made with its file for the first socket.
func (r *Recording) open() (*take, error) {
	if r.take != nil {
		return r.take, nil
	}
	f, name, err := r.sink.store.createPart(callName(r.call.ID, r.call.Started))
	if err != nil {
		return nil, fmt.Errorf("create recording: %w", err)
	}
	t, err := newTake(f, r.call.Format, name)
	if err != nil {
		part := r.sink.store.path(name) + wavExt + partExt
		return nil, errors.Join(err, r.sink.store.disk.Remove(part), f.Close())
	}
	r.take = t
	r.setPart(name)
	r.saveSidecar(t)
	return t, nil
}

func (r *Recording) setPart(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.part = name
}

// saveSidecar keeps what is known of the call beside the running recording. It is no
// reason to end the stream if that fails in any way that the audio will not.
func (r *Recording) saveSidecar(t *take) {
	record := newRecord(r.call)
	record.WAV = wavPath(t.name)
	record.RMSDBFS, record.PeakDBFS = floorDBFS, floorDBFS
	record.Connections = 1
	record.Timeline.StreamConnected = sinceMS(r.call.Started, r.State().ConnectedAt)
	err := r.sink.store.saveSidecar(t.name, &record)
	if err != nil {
		r.log.Warn("record not begun", zap.NamedError("err", err),
			zap.String("hint", "after a crash the recording would be published without its call's details"))
	}
}

// publish finishes the file and gives it its lasting name.
func (r *Recording) publish() (Summary, error) {
	t := r.take
	if t == nil {
		none := Sound{RMSDBFS: floorDBFS, PeakDBFS: floorDBFS, Connections: r.State().Connections}
		return Summary{Sound: none, Alarms: r.State().Alarms}, r.State().Err
	}
	began := time.Now()
	err := r.finishFile(t)
	// The lock is kept until the record is saved, so that Recover doesn't make one.
	name := ""
	if err == nil || t.playable() {
		var errName error
		name, errName = r.sink.store.publishPart(t.name, callName(r.call.ID, r.call.Started))
		if errors.Is(errName, fs.ErrNotExist) {
			name, errName = r.rescue(t)
		}
		err = errors.Join(err, errName)
	}
	r.checkAtEnd(t)
	sound := t.sound()
	sound.Connections = r.State().Connections
	sum := t.w.Sum()
	sound.AudioSHA256 = hex.EncodeToString(sum[:])
	if name != "" {
		sound.WAV = wavPath(name)
	} else {
		sound.WAV += partExt
	}
	r.sink.metrics.publication.Observe(time.Since(began).Seconds())
	return Summary{Sound: sound, Alarms: r.State().Alarms}, err
}

// rescue publishes a copy of a file whose name somebody has taken away, folder and all.
func (r *Recording) rescue(t *take) (string, error) {
	store, base := r.sink.store, callName(r.call.ID, r.call.Started)
	info, err := t.file.Stat()
	if err != nil {
		return "", err
	}
	f, name, err := store.createPart(base)
	if err != nil {
		return "", err
	}
	_, err = io.Copy(f, io.NewSectionReader(t.file, 0, info.Size()))
	if err = errors.Join(err, f.Sync(), t.file.Close()); err != nil {
		return "", fmt.Errorf("copy recording: %w", errors.Join(err, f.Close()))
	}
	t.file, t.name = f, name
	r.setPart(name)
	r.saveSidecar(t)
	return store.publishPart(name, base)
}

// finishFile makes the file complete on the disk.
func (r *Recording) finishFile(t *take) error {
	r.mu.Lock()
	marks := r.marks
	r.mu.Unlock()
	for _, m := range marks {
		t.w.CueAt(t.timeline.position(m.at), m.label)
	}
	if err := t.w.Finish(); err != nil {
		return fmt.Errorf("finish recording: %w", err)
	}
	return nil
}

// checkAtEnd raises the alarms that can only be known at the end.
func (r *Recording) checkAtEnd(t *take) {
	tl, e := &t.timeline, t.meter.sum()
	if e.digitalSilence() && tl.format.Duration(tl.received) >= briefly {
		r.alarm(AlarmSilence)
	}
	got := tl.format.Duration(tl.received)
	want := got + tl.missing
	told := got == 0 && want >= noAudioAfter // by its own alarm
	if want >= shortAfter && float64(got) < shortShare*float64(want) && !told {
		r.alarm(AlarmShort)
	}
	r.sink.metrics.gaps.Add(float64(len(tl.gaps)))
}

func (r *Recording) logPublished(sound Sound, err error) {
	result := resultPublished
	if err != nil {
		result = resultFailed
	}
	r.sink.metrics.recordings.WithLabelValues(result).Inc()
	fields := []zap.Field{
		zap.String("file", r.sink.store.path(filepath.FromSlash(sound.WAV))),
		zap.Int64("audio_ms", sound.AudioMS),
	}
	if err == nil {
		r.log.Info("recording saved", fields...)
		return
	}
	r.log.Error("recording not saved", append(fields, zap.NamedError("err", err), zap.String("hint",
		"what was written is in this file: see its disk, then run tapdeck repair on the directory"))...)
}

// record puts a call's record together. mu is held.
func (r *Recording) record(f *finish, o Outcome) Record {
	record := newRecord(r.call)
	record.Sound = f.summary.Sound
	record.Alarms = f.summary.Alarms
	record.Timeline.StreamConnected = sinceMS(r.call.Started, r.state.ConnectedAt)
	record.Timeline.FirstAudio = sinceMS(r.call.Started, r.state.FirstAudioAt)
	if f.err != nil {
		record.Err = f.err.Error()
	} else if r.state.Err != nil {
		record.Err = r.state.Err.Error()
	}
	record.setOutcome(o)
	return record
}

// round2 rounds to two places; the zero that comes out has no sign.
func round2(v float64) float64 { return math.Round(v*100)/100 + 0 }

func trimSlash(s string) string { return strings.TrimRight(s, "/") }
