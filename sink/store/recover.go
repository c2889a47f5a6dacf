package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.uber.org/zap"

	"tapdeck/wav"
)

// resultAborted is the result of a recovered call: tapdeck ended before the call did.
const resultAborted = "aborted"

var errForeign = errors.New("not a file of tapdeck: its name is no call UUID")

// RecoverDir repairs and publishes every recording below dir whose process died, with
// "recovered": true and what is known of its call; the result is "aborted" unless the
// call's own is known. It touches no recording that is running, here or in another
// process, overwrites nothing, leaves a file that it can't understand as it is, and
// removes what a crash left of a record that was being written. It ends soon after ctx
// is done, and what it has not got to yet is as it was. The error is that dir can't be
// read or ctx is done; those of single files are in the Recovery.
func RecoverDir(ctx context.Context, dir string, log *zap.Logger) (Recovery, error) {
	return New(dir, OSDisk{}).recoverAll(ctx, log)
}

// Recover publishes what a crash left in the directory, which is made if it isn't there, as
// RecoverDir does. It may run beside recordings of this process, which are as live to it as
// another's, from the moment that their files are there until their records are.
func (s *Store) Recover(ctx context.Context, log *zap.Logger) (Recovery, error) {
	if err := os.MkdirAll(s.dir, directoryMode); err != nil {
		return Recovery{}, fmt.Errorf("make directory: %w", err)
	}
	return s.recoverAll(ctx, log)
}

func (s *Store) recoverAll(ctx context.Context, log *zap.Logger) (Recovery, error) {
	parts, err := s.parts(ctx)
	if err != nil {
		return Recovery{}, fmt.Errorf("look for recordings: %w", err)
	}
	var all Recovery
	for _, part := range parts {
		if !exists(part) { // a sidecar that went with its WAV
			continue
		}
		done := s.recoverPart(ctx, part)
		if ctx.Err() != nil && (done.Action == ActionLeft || done.Action == "") {
			return all, fmt.Errorf("recover recordings: %w", context.Cause(ctx))
		}
		done.log(log)
		all.Files = append(all.Files, done)
	}
	return all, nil
}

// parts returns the paths of all .part files, each WAV before its sidecar, and last
// those of unfinished records.
func (s *Store) parts(ctx context.Context) ([]string, error) {
	var wavs, sidecars, unfinished []string
	root := s.dir + string(filepath.Separator) + "." // a symbolic link itself is not walked
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.Is(err, fs.ErrNotExist) && path != root: // gone since
		case err != nil:
			return err
		case !d.Type().IsRegular():
		case strings.HasSuffix(path, wavExt+partExt):
			wavs = append(wavs, path)
		case strings.HasSuffix(path, jsonExt+partExt):
			sidecars = append(sidecars, path)
		case strings.HasSuffix(path, jsonExt+newExt):
			unfinished = append(unfinished, path)
		}
		return nil
	})
	return slices.Concat(wavs, sidecars, unfinished), err
}

func (s *Store) recoverPart(ctx context.Context, path string) Recovered {
	if ctx.Err() != nil {
		return Recovered{}
	}
	done, err := s.recoverFile(ctx, path)
	done.Part = path
	switch {
	case err == nil:
		return done
	case errors.Is(err, ErrLocked) || errors.Is(err, fs.ErrNotExist) && !exists(path):
		return Recovered{Part: path, Action: ActionLive}
	case done.WAV != "":
		done.Action, done.Record, done.Err = ActionNoRecord, "", err
		return done
	}
	return Recovered{Part: path, Action: ActionLeft, Err: err}
}

func (s *Store) recoverFile(ctx context.Context, path string) (Recovered, error) {
	file, err := filepath.Rel(s.dir, path)
	if err != nil {
		return Recovered{}, err
	}
	if callOf(filepath.Base(file)) == "" {
		return Recovered{}, errForeign
	}
	if name, ok := strings.CutSuffix(file, wavExt+partExt); ok {
		return s.recoverWAV(ctx, name)
	}
	if name, ok := strings.CutSuffix(file, jsonExt+partExt); ok {
		return s.recoverSidecar(ctx, name)
	}
	return s.removeUnfinished(path)
}

// openIdle opens a file that no recording has. While it is open, none can take it.
func (s *Store) openIdle(path string) (File, fs.FileInfo, error) {
	f, err := s.disk.Open(path)
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	if err == nil && !same(info, path) {
		err = ErrLocked // its process has just published it
	}
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	return f, info, nil
}

// removeUnfinished removes what a crash left of a record; its call's sidecar has more.
func (s *Store) removeUnfinished(path string) (Recovered, error) {
	f, _, err := s.openIdle(path)
	if err != nil {
		return Recovered{}, err
	}
	defer f.Close()
	return Recovered{Action: ActionRemoved}, os.Remove(path)
}

// recoverWAV repairs and publishes name.wav.part.
func (s *Store) recoverWAV(ctx context.Context, name string) (Recovered, error) {
	part := s.path(name) + wavExt + partExt
	f, info, err := s.openIdle(part)
	if err != nil {
		return Recovered{}, err
	}
	defer f.Close()
	if same(info, s.path(name)+wavExt) { // a crash between the two steps of a rename
		return Recovered{Action: ActionRemoved}, os.Remove(part)
	}
	if err := s.takeBack(name); err != nil {
		return Recovered{}, err
	}
	known, _ := readRecord(s.sidecar(name))
	if _, err := wav.Repair(f, info.Size(), wav.Format{SampleRate: known.SampleRate, Channels: known.Channels}); err != nil {
		return Recovered{}, fmt.Errorf("repair recording: %w", err)
	}
	done, record, err := s.describe(ctx, f, name)
	if ctx.Err() != nil {
		return Recovered{}, context.Cause(ctx)
	}
	published, errName := (&Part{File: f, store: s, base: name, name: name}).Publish()
	if published == "" {
		return Recovered{}, errName
	}
	done.Action, done.WAV = ActionPublished, s.Path(published)
	record.WAV = published
	if err = errors.Join(err, errName); err != nil {
		return done, err
	}
	done.Record = strings.TrimSuffix(done.WAV, wavExt) + jsonExt
	return done, s.saveRecord(&record, name)
}

// takeBack makes the published record of a WAV that is still a part its sidecar again.
func (s *Store) takeBack(name string) error {
	path := s.path(name) + jsonExt
	if record, _ := readRecord(path); record.WAV != wavPath(name)+partExt {
		return nil
	}
	err := s.disk.Rename(path, s.sidecar(name))
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	return err
}

// describe puts together what the sidecar of a name and a WAV itself say of a call.
func (s *Store) describe(ctx context.Context, f File, name string) (Recovered, Record, error) {
	var done Recovered
	record, known := readRecord(s.sidecar(name))
	info, err := f.Stat()
	if err != nil {
		return done, record, err
	}
	h, err := wav.ReadHeader(f, info.Size())
	if err != nil {
		return done, record, err
	}
	done.Audio = h.Format.Duration(h.Frames())
	if !known {
		record.Call = filepath.Base(name)
		record.Started = info.ModTime().Add(-done.Audio).UTC()
	}
	if record.Ended.IsZero() {
		record.Ended = info.ModTime().UTC()
	}
	record.setRecovered()
	record.SampleRate, record.Channels = h.Format.SampleRate, h.Format.Channels
	record.AudioSHA256, err = record.Measure(ctx, f, h)
	return done, record, err
}

// setRecovered marks a record as Recover's. A result that the call had stays.
func (r *Record) setRecovered() {
	r.Recovered = true
	if r.Result == "" {
		r.Result = resultAborted
	}
}

// recoverSidecar publishes the record of name.json.part, whose WAV is published
// already or was never begun.
func (s *Store) recoverSidecar(ctx context.Context, name string) (Recovered, error) {
	base := s.path(name)
	if exists(base + wavExt + partExt) {
		return Recovered{}, ErrLocked // it is live, or has stayed for a reason
	}
	if !exists(base + wavExt) {
		return s.recoverRecord(name)
	}
	f, err := s.disk.Open(base + wavExt)
	if err != nil {
		return Recovered{}, err
	}
	defer f.Close()
	switch { // now that nobody else has it
	case !exists(s.sidecar(name)):
		return Recovered{}, ErrLocked // its process has just published it
	case exists(base + jsonExt):
		return s.removeSidecar(name)
	}
	done, record, err := s.describe(ctx, f, name)
	if err != nil {
		return Recovered{}, err
	}
	record.WAV = wavPath(name)
	if err := s.saveRecord(&record, name); err != nil {
		return Recovered{}, err
	}
	done.Action, done.WAV, done.Record = ActionRecord, base+wavExt, base+jsonExt
	return done, nil
}

// recoverRecord publishes what a sidecar says that has no WAV beside it.
func (s *Store) recoverRecord(name string) (Recovered, error) {
	record, known := readRecord(s.sidecar(name))
	if !known || exists(s.path(name)+jsonExt) {
		return s.removeSidecar(name)
	}
	record.setRecovered()
	if !exists(s.Path(record.WAV)) {
		record.WAV = ""
	}
	return Recovered{Action: ActionRecord, Record: s.path(name) + jsonExt}, s.saveRecord(&record, name)
}

func (s *Store) removeSidecar(name string) (Recovered, error) {
	return Recovered{Action: ActionRemoved}, os.Remove(s.sidecar(name))
}
