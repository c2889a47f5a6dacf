package sink

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"go.uber.org/zap"

	"tapdeck/wav"
)

// resultAborted is the result of a recovered call: tapdeck ended before the call did.
const resultAborted = "aborted"

// What was done about a file.
const (
	// ActionPublished: repaired where needed, and published with its record.
	ActionPublished = "published"
	// ActionRecord: the WAV was published already; now its record is.
	ActionRecord = "record published"
	// ActionRemoved: what it told is published already.
	ActionRemoved = "removed"
	// ActionLive: a running tapdeck writes it; nothing was done.
	ActionLive = "live"
	// ActionLeft: it can't be understood or published; it is as it was.
	ActionLeft = "left"
)

// Recovery tells what was found and done, in the order of the files' paths.
type Recovery struct{ Files []Recovered }

// Recovered is one .part file.
type Recovered struct {
	// Part is the file's path.
	Part string
	// Action is one of the Action constants.
	Action string
	// WAV and Record are the paths of what was published, empty if nothing was.
	WAV, Record string
	// Audio is the length of the WAV.
	Audio time.Duration
	// Err says why the file was left.
	Err error
}

// Published counts the recordings that were published.
func (r Recovery) Published() int { return r.count(ActionPublished) + r.count(ActionRecord) }

// Left counts the files that were left as they are.
func (r Recovery) Left() int { return r.count(ActionLeft) }

func (r Recovery) count(action string) int {
	n := 0
	for _, f := range r.Files {
		if f.Action == action {
			n++
		}
	}
	return n
}

// Recover publishes what a crash has left in the directory, as RecoverDir does. It is
// called once before Serve.
func (s *Sink) Recover(ctx context.Context) (Recovery, error) {
	if err := s.store.disk.MkdirAll(s.store.dir); err != nil {
		return Recovery{}, fmt.Errorf("make directory: %w", err)
	}
	rec, err := recoverStore(ctx, s.store, s.log)
	s.metrics.recordings.WithLabelValues("recovered").Add(float64(rec.Published()))
	return rec, err
}

// RecoverDir repairs and publishes every recording below dir whose process died, with
// "recovered": true, the result "aborted", and what is known of its call. It touches
// no recording that is running, here or in another process, overwrites nothing, and
// leaves a file that it can't understand as it is. The error is that dir can't be read
// or ctx is done; those of single files are in the Recovery.
func RecoverDir(ctx context.Context, dir string, log *zap.Logger) (Recovery, error) {
	return recoverStore(ctx, &store{osDisk{}, dir}, log)
}

func recoverStore(ctx context.Context, s *store, log *zap.Logger) (Recovery, error) {
	parts, err := s.parts()
	if err != nil {
		return Recovery{}, fmt.Errorf("look for recordings: %w", err)
	}
	var all Recovery
	for _, part := range parts {
		if ctx.Err() != nil {
			return all, fmt.Errorf("recover recordings: %w", context.Cause(ctx))
		}
		if !s.disk.Exists(part) { // a sidecar that went with its WAV
			continue
		}
		done := s.recoverPart(part)
		done.log(log)
		all.Files = append(all.Files, done)
	}
	return all, nil
}

// parts returns the paths of all .part files, each WAV before its sidecar.
func (s *store) parts() ([]string, error) {
	var wavs, sidecars []string
	err := filepath.WalkDir(s.dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case !d.Type().IsRegular():
		case strings.HasSuffix(path, wavExt+partExt):
			wavs = append(wavs, path)
		case strings.HasSuffix(path, jsonExt+partExt):
			sidecars = append(sidecars, path)
		}
		return nil
	})
	return append(wavs, sidecars...), err
}

func (s *store) recoverPart(path string) Recovered {
	name, err := filepath.Rel(s.dir, path)
	var done Recovered
	if err == nil {
		if base, ok := strings.CutSuffix(name, wavExt+partExt); ok {
			done, err = s.recoverWAV(base)
		} else {
			done, err = s.recoverSidecar(strings.TrimSuffix(name, jsonExt+partExt))
		}
	}
	done.Part = path
	switch {
	case errors.Is(err, errLocked):
		done.Action = ActionLive
	case err != nil:
		done.Action, done.Err = ActionLeft, err
	}
	return done
}

// recoverWAV repairs and publishes name.wav.part.
func (s *store) recoverWAV(name string) (Recovered, error) {
	base := s.path(name)
	part := base + wavExt + partExt
	f, err := s.disk.Open(part)
	if err != nil {
		return Recovered{}, err
	}
	defer f.Close()
	if same(part, base+wavExt) { // a crash between the two steps of a rename
		return Recovered{Action: ActionRemoved}, s.disk.Remove(part)
	}
	info, err := f.Stat()
	if err != nil {
		return Recovered{}, err
	}
	if at, err := os.Stat(part); err != nil || !os.SameFile(info, at) {
		return Recovered{}, errLocked // its process has just published it
	}
	record, _ := s.readSidecar(name)
	fallback := wav.Format{SampleRate: record.SampleRate, Channels: record.Channels}
	if _, err = wav.Repair(f, info.Size(), fallback); err != nil {
		return Recovered{}, fmt.Errorf("repair recording: %w", err)
	}
	published, err := s.publishPart(name, name)
	if err != nil {
		return Recovered{}, err
	}
	done, err := s.recoverRecord(f, published, name)
	done.Action = ActionPublished
	return done, err
}

// recoverRecord publishes the record of a WAV that is published now, from what the
// sidecar and the WAV itself tell.
func (s *store) recoverRecord(f file, published, sidecar string) (Recovered, error) {
	done := Recovered{Action: ActionRecord, WAV: s.path(published) + wavExt}
	info, err := f.Stat()
	if err != nil {
		return done, err
	}
	h, err := wav.ReadHeader(f, info.Size())
	if err != nil {
		return done, err
	}
	done.Audio = h.Format.Duration(h.Frames())
	record, known := s.readSidecar(sidecar)
	if !known {
		record.Call = filepath.Base(sidecar)
		record.Started = info.ModTime().Add(-done.Audio).UTC()
	}
	record.Ended = info.ModTime().UTC()
	record.WAV = filepath.ToSlash(published) + wavExt
	if err := record.hear(f, h); err != nil {
		return done, err
	}
	record.Recovered, record.Result = true, resultAborted
	done.Record = s.path(published) + jsonExt
	return done, s.saveRecord(record, sidecar)
}

// recoverSidecar publishes the record of name.json.part, whose WAV is published
// already or was never begun.
func (s *store) recoverSidecar(name string) (Recovered, error) {
	base := s.path(name)
	record, known := s.readSidecar(name)
	switch {
	case s.disk.Exists(base + wavExt + partExt):
		return Recovered{}, errLocked // it is live, or was left for a reason
	case s.disk.Exists(base+jsonExt) || (!known && !s.disk.Exists(base+wavExt)):
		return Recovered{Action: ActionRemoved}, s.disk.Remove(base + jsonExt + partExt)
	case !s.disk.Exists(base + wavExt):
		record.Recovered, record.Result, record.WAV = true, resultAborted, ""
		return Recovered{Action: ActionRecord, Record: base + jsonExt}, s.saveRecord(record, name)
	}
	f, err := s.disk.Open(base + wavExt)
	if err != nil {
		return Recovered{}, err
	}
	defer f.Close()
	return s.recoverRecord(f, name, name)
}

// readSidecar returns what was known of a call when its recording began.
func (s *store) readSidecar(name string) (Record, bool) {
	b, err := os.ReadFile(s.path(name) + jsonExt + partExt)
	if err != nil {
		return Record{}, false
	}
	var r Record
	if err := json.Unmarshal(b, &r); err != nil || checkID(r.Call) != nil {
		return Record{}, false
	}
	return r, true
}

// hear fills in what a WAV itself tells of its sound.
func (r *Record) hear(f io.ReaderAt, h wav.Header) error {
	m, sum := newMeter(h.Format), sha256.New()
	buf := make([]byte, 32<<10-32<<10%h.Format.FrameBytes())
	pcm := io.NewSectionReader(f, h.DataOffset, h.DataBytes)
	for {
		n, err := io.ReadFull(pcm, buf)
		sum.Write(buf[:n])
		m.add(buf[:n-n%h.Format.FrameBytes()])
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			break
		}
		if err != nil {
			return fmt.Errorf("read recording: %w", err)
		}
	}
	e := m.sum()
	r.SampleRate, r.Channels = h.Format.SampleRate, h.Format.Channels
	r.AudioMS = h.Format.Duration(h.Frames()).Milliseconds()
	r.Bytes = h.DataBytes
	r.RMSDBFS, r.PeakDBFS = round2(e.rmsDBFS()), round2(e.peakDBFS())
	r.DigitalSilence = e.digitalSilence()
	r.AudioSHA256 = hex.EncodeToString(sum.Sum(nil))
	return nil
}

func (d Recovered) log(log *zap.Logger) {
	path := d.Part
	if d.WAV != "" {
		path = d.WAV
	}
	fields := []zap.Field{zap.String("file", path)}
	if id := pathID(strings.ReplaceAll(filepath.ToSlash(d.Part), ".", "/")); id != "" {
		fields = append(fields, zap.String("call", id))
	}
	switch d.Action {
	case ActionLeft:
		log.Warn("recording not recovered", append(fields, zap.NamedError("err", d.Err),
			zap.String("hint", "the file is as it was; look at it and move it away"))...)
	case ActionPublished, ActionRecord:
		log.Info("recording recovered", append(fields, zap.Int64("audio_ms", d.Audio.Milliseconds()))...)
	default:
		log.Debug("recording skipped", append(fields, zap.String("cause", d.Action))...)
	}
}

func same(a, b string) bool {
	ia, err := os.Stat(a)
	if err != nil {
		return false
	}
	ib, err := os.Stat(b)
	return err == nil && os.SameFile(ia, ib)
}
