package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"tapdeck/wav"
)

// What a recovered record says of a call whose end nobody saw.
const (
	resultAborted = "aborted"
	errAborted    = "tapdeck ended before it had finished the call (a crash, kill -9, or a power loss); this is what was kept until then"
	hintRecovered = "what came in the last second before that may be missing; why tapdeck ended, its log before this start says, or the service manager's (journalctl), or the kernel's (out of memory)"

	errWordsLost  = "tapdeck ended before the call did, and what was said since the words were last noted is lost"
	hintWordsLost = "`tapdeck transcribe FILE.wav` hears it again"
)

// errAlive says that a file may be in use by another process, for all that can be known.
var errAlive = errors.New("touched within the last minute, and there are no file locks here: a running tapdeck may have it; try again in a minute")

var errForeign = errors.New("not a file of tapdeck: its name is no call UUID, and no record beside it is of a call of that name")

// Recover repairs and publishes every recording in the directory, which is made if it isn't
// there, whose process died, with "recovered": true and what is known of its call; the result is
// "aborted" unless the call's own is known. It touches no recording that is running, here or in
// another process, from the moment that its files are there until its record is. Where the file
// system has no locks that work, a file of another process is known by its time: what was
// touched within AliveFor is left, for another Recover after that. It overwrites
// nothing, leaves a file that it can't understand as it is, and removes what a crash left of a
// record, or of its words, that was being written. It ends soon after ctx is done, and what it has not got to yet
// is as it was. The error is that the directory can't be read or ctx is done; those of single
// files are in the Recovery.
func (s *Store) Recover(ctx context.Context, log *zap.Logger) (all Recovery, err error) {
	if err := os.MkdirAll(s.dir, directoryMode); err != nil {
		return all, fmt.Errorf("make directory: %w", err)
	}
	s.findAlive()
	files, err := s.unfinished(ctx)
	if err != nil {
		return all, fmt.Errorf("look for recordings: %w", err)
	}
	for _, file := range files {
		if !exists(s.path(file)) { // a sidecar that went with its WAV
			continue
		}
		done := s.recoverGuarded(ctx, file, log)
		if ctx.Err() != nil && done.Action == ActionLeft {
			return all, fmt.Errorf("recover recordings: %w", context.Cause(ctx))
		}
		done.log(log)
		all.Files = append(all.Files, done)
	}
	return all, nil
}

// unfinished returns all files that a crash may have left, each WAV before its sidecar, and last
// the unfinished records and words.
func (s *Store) unfinished(ctx context.Context) ([]string, error) {
	var found [4][]string
	root := s.dir + string(filepath.Separator) + "." // a symbolic link itself is not walked
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.Is(err, fs.ErrNotExist) && path != root: // gone since
			return nil
		case err != nil:
			return err
		}
		for i, ext := range []string{wavExt + partExt, jsonExt + partExt, jsonExt + newExt, vttExt + newExt} {
			if d.Type().IsRegular() && strings.HasSuffix(path, ext) {
				file, _ := filepath.Rel(s.dir, path) // it is below
				found[i] = append(found[i], file)
			}
		}
		return nil
	})
	return slices.Concat(found[:]...), err
}

// recoverGuarded leaves a file whose recovery panics, and goes on with the others.
func (s *Store) recoverGuarded(ctx context.Context, file string, log *zap.Logger) (done Recovered) {
	done.Part = s.path(file)
	defer func() {
		if panicked := recover(); panicked != nil {
			done = done.left(ActionLeft, fmt.Errorf("a defect of tapdeck: %v", panicked))
			log.Error("recovery panicked", zap.String("file", done.Part), zap.Any("err", panicked), zap.Stack("stack"),
				zap.String("hint", "a defect: please report it with the stack, and keep the file"))
		}
	}()
	s.recover(ctx, file, &done)
	return done
}

// recover recovers one file, done.Part, and notes what was done about it.
func (s *Store) recover(ctx context.Context, file string, done *Recovered) {
	err := s.recoverFile(ctx, file, done)
	switch {
	case err == nil:
	case errors.Is(err, ErrNoVTT):
		done.Err = err
	case done.WAV != "":
		done.Action, done.Record, done.Err = ActionNoRecord, "", err
	case errors.Is(err, errAlive):
		*done = done.left(ActionRecent, nil)
	case errors.Is(err, ErrLocked) || errors.Is(err, fs.ErrNotExist) && !exists(done.Part):
		*done = done.left(ActionLive, nil)
	default:
		*done = done.left(ActionLeft, err)
	}
}

func (s *Store) recoverFile(ctx context.Context, file string, done *Recovered) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if done.call = s.owner(file); done.call == "" {
		return errForeign
	}
	if name, ok := strings.CutSuffix(file, wavExt+partExt); ok {
		return s.recoverWAV(ctx, name, done)
	}
	if name, ok := strings.CutSuffix(file, jsonExt+partExt); ok {
		return s.recoverSidecar(ctx, name, done)
	}
	return s.recoverUnfinished(strings.TrimSuffix(file, newExt), done)
}

// recoverUnfinished removes what was being written for a file, a record or the words of one, of whose call
// the sidecar says more, or gives it the name that it had reserved already.
func (s *Store) recoverUnfinished(file string, done *Recovered) error {
	f, _, err := s.openIdle(done.Part)
	if err != nil {
		return err
	}
	defer f.Close()
	path := s.path(file)
	_, known := readRecord(done.Part)
	if whole := known || strings.HasSuffix(path, vttExt); !whole || !isReservation(path) {
		return done.remove()
	}
	done.Action, done.Record = ActionPublished, path
	return errors.Join(dropReservation(path), s.disk.Rename(done.Part, path))
}

// openIdle opens a file that no recording has. While it is open, none can take it.
func (s *Store) openIdle(path string) (File, fs.FileInfo, error) {
	f, err := s.disk.Open(path)
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	switch {
	case err != nil:
	case !same(info, path):
		err = ErrLocked // its process has just published it
	case s.mayBeAlive(info):
		err = errAlive
	}
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	return f, info, nil
}

// recoverWAV repairs and publishes name.wav.part.
func (s *Store) recoverWAV(ctx context.Context, name string, done *Recovered) error {
	f, info, err := s.openIdle(done.Part)
	if err != nil {
		return err
	}
	defer f.Close()
	if same(info, s.path(name)+wavExt) { // a crash between the two steps of a rename
		return done.remove()
	}
	if err := errors.Join(dropReservation(s.path(name)+wavExt), s.restoreSidecar(name)); err != nil {
		return err
	}
	known, marks, _ := readSidecar(s.sidecar(name))
	if info.Size() == 0 && known.SampleRate == 0 {
		return fmt.Errorf("%w: tapdeck repair --remove-empty removes it", ErrEmpty)
	}
	if _, err := wav.Repair(f, info.Size(), wav.Format{SampleRate: known.SampleRate, Channels: known.Channels}); err != nil {
		return fmt.Errorf("repair recording: %w", err)
	}
	errMarks := addMarks(f, marks)
	record, err := s.describe(ctx, f, name, info.ModTime(), done)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if errMarks != nil { // no reason to leave the audio
		record.Err = strings.TrimPrefix(record.Err+"; "+errMarks.Error(), "; ")
	}
	published, errName := (&Part{File: f, store: s, base: name, name: name}).Publish()
	if published == "" {
		return errName
	}
	done.Action, done.WAV, record.WAV = ActionPublished, s.Path(published), published
	if err = errors.Join(err, errName); err != nil {
		return err
	}
	done.Record = strings.TrimSuffix(done.WAV, wavExt) + jsonExt
	return s.saveRecord(&record, name)
}

// restoreSidecar makes the published record of a WAV that is still a part its sidecar again.
func (s *Store) restoreSidecar(name string) error {
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

// describe puts together what the sidecar of a name and a WAV itself say of a call. The WAV
// was last written, by the call, at written.
func (s *Store) describe(ctx context.Context, f File, name string, written time.Time, done *Recovered) (Record, error) {
	record, known := readRecord(s.sidecar(name))
	info, err := f.Stat()
	if err != nil {
		return record, err
	}
	h, err := wav.ReadHeader(f, info.Size())
	if err != nil {
		return record, err
	}
	done.Audio = h.Format.Duration(h.Frames())
	if !known {
		record.Call = done.call
		record.Started = written.Add(-done.Audio).UTC()
	}
	if record.Ended.IsZero() {
		record.Ended = written.UTC()
	}
	record.setRecovered()
	record.SampleRate, record.Channels = h.Format.SampleRate, h.Format.Channels
	record.AudioSHA256, err = record.Measure(ctx, f, h)
	record.Agent, record.Transcript = record.Agent.Within(record.AudioMS), record.Transcript.Within(record.AudioMS)
	record.missWords()
	return record, err
}

// setRecovered marks a record as Recover's. A result that the call had stays.
func (r *Record) setRecovered() {
	r.Recovered = true
	if r.Result == "" {
		r.Result, r.Err, r.Hint = resultAborted, cmp.Or(r.Err, errAborted), cmp.Or(r.Hint, hintRecovered)
	}
}

// missWords says how much of a call whose end nobody saw has no words: the audio behind the last ones that
// were noted, or what was missing at that time, if that is more.
func (r *Record) missWords() {
	t := r.Transcript
	if t == nil || r.Result != resultAborted {
		return
	}
	missing := r.AudioMS - t.end()
	if noted := r.TranscriptMissingMS; noted != nil {
		missing = max(missing, *noted)
	}
	if missing <= 0 {
		return
	}
	r.TranscriptMissingMS = &missing
	if t.Err == "" {
		t.Err, t.Hint = errWordsLost, hintWordsLost
	}
	if !slices.Contains(r.Alarms, AlarmTranscript) {
		r.Alarms = append(r.Alarms, AlarmTranscript)
	}
}

// recoverSidecar publishes the record of name.json.part, whose WAV is published
// already or was never begun.
func (s *Store) recoverSidecar(ctx context.Context, name string, done *Recovered) error {
	base := s.path(name)
	if exists(base + wavExt + partExt) {
		return ErrLocked // it is live, or has stayed for a reason
	}
	if !exists(base + wavExt) {
		return s.recoverRecord(name, done)
	}
	f, info, err := s.openIdle(base + wavExt)
	if err != nil {
		return err
	}
	defer f.Close()
	switch { // now that nobody else has it
	case !exists(done.Part):
		return ErrLocked // its process has just published it
	case isReservation(base + jsonExt): // a crash between the two steps of a rename
		if err := dropReservation(base + jsonExt); err != nil {
			return err
		}
	case exists(base + jsonExt):
		return done.remove()
	}
	record, err := s.describe(ctx, f, name, info.ModTime(), done)
	if err != nil {
		return err
	}
	done.Action, done.Record, record.WAV = ActionPublished, base+jsonExt, wavPath(name)
	return s.saveRecord(&record, name)
}

// recoverRecord publishes what a sidecar says that has no WAV beside it.
func (s *Store) recoverRecord(name string, done *Recovered) error {
	info, err := os.Lstat(done.Part)
	if err == nil && s.mayBeAlive(info) {
		err = errAlive
	}
	if err = errors.Join(err, dropReservation(s.path(name)+jsonExt)); err != nil {
		return err
	}
	record, known := readRecord(done.Part)
	if !known || exists(s.path(name)+jsonExt) {
		return done.remove()
	}
	record.setRecovered()
	record.missWords()
	if !exists(s.Path(record.WAV)) {
		record.WAV = ""
	}
	done.Action, done.Record = ActionPublished, s.path(name)+jsonExt
	return s.saveRecord(&record, name)
}
