package sink

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"go.uber.org/zap"

	"tapdeck/wav"
)

// resultAborted is the result of a recovered call: tapdeck ended before the call did.
const resultAborted = "aborted"

// Recover publishes what a crash has left in the directory, as RecoverDir does. It may
// run beside Serve: a recording of this process is as live to it as one of another,
// from the moment that its file is there until Save is over.
func (s *Sink) Recover(ctx context.Context) (Recovery, error) {
	if err := s.store.disk.MkdirAll(s.store.dir); err != nil {
		return Recovery{}, fmt.Errorf("make directory: %w", err)
	}
	rec, err := recoverStore(ctx, s.store, s.log)
	s.metrics.recordings.WithLabelValues(resultRecovered).Add(float64(rec.Published()))
	return rec, err
}

// RecoverDir repairs and publishes every recording below dir whose process died, with
// "recovered": true and what is known of its call; the result is "aborted" unless the
// call's own is known. It touches no recording that is running, here or in another
// process, overwrites nothing, leaves a file that it can't understand as it is, and
// removes what a crash left of a record that was being written. It ends soon after ctx
// is done, and what it has not got to yet is as it was. The error is that dir can't be
// read or ctx is done; those of single files are in the Recovery.
func RecoverDir(ctx context.Context, dir string, log *zap.Logger) (Recovery, error) {
	return recoverStore(ctx, &store{disk: osDisk{}, dir: dir}, log)
}

func recoverStore(ctx context.Context, s *store, log *zap.Logger) (Recovery, error) {
	parts, err := s.parts(ctx)
	if err != nil {
		return Recovery{}, fmt.Errorf("look for recordings: %w", err)
	}
	var all Recovery
	for _, part := range parts {
		if !s.disk.Exists(part) { // a sidecar that went with its WAV
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
func (s *store) parts(ctx context.Context) ([]string, error) {
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

// ourName is what a file of a call is called: whatever else ends in .part is somebody else's.
var ourName = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(-[0-9]+)?\.`)

var errForeign = errors.New("not a file of tapdeck: its name is no call UUID")

func (s *store) recoverPart(ctx context.Context, path string) Recovered {
	if ctx.Err() != nil {
		return Recovered{}
	}
	name, err := filepath.Rel(s.dir, path)
	if err == nil && !ourName.MatchString(filepath.Base(name)) {
		err = errForeign
	}
	var done Recovered
	if err == nil {
		stem := func(ext string) string { return strings.TrimSuffix(name, ext) }
		switch {
		case strings.HasSuffix(name, wavExt+partExt):
			done, err = s.recoverWAV(ctx, stem(wavExt+partExt))
		case strings.HasSuffix(name, jsonExt+partExt):
			done, err = s.recoverSidecar(ctx, stem(jsonExt+partExt))
		default:
			done, err = s.removeUnfinished(path)
		}
	}
	done.Part = path
	switch {
	case err == nil:
	case errors.Is(err, errLocked) || errors.Is(err, fs.ErrNotExist) && !s.disk.Exists(path):
		done = Recovered{Part: path, Action: ActionLive}
	case done.WAV != "":
		done.Action, done.Record, done.Err = ActionNoRecord, "", err
	default:
		done = Recovered{Part: path, Action: ActionLeft, Err: err}
	}
	return done
}

// openIdle opens a file that no recording has. While it is open, none can take it.
func (s *store) openIdle(path string) (file, error) {
	f, err := s.disk.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil {
		var at fs.FileInfo
		if at, err = os.Stat(path); err == nil && !os.SameFile(info, at) {
			err = errLocked // its process has just published it
		}
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// removeUnfinished removes what a crash left of a record; its call's sidecar knows more.
func (s *store) removeUnfinished(path string) (Recovered, error) {
	f, err := s.openIdle(path)
	if err != nil {
		return Recovered{}, err
	}
	defer f.Close()
	return Recovered{Action: ActionRemoved}, s.disk.Remove(path)
}

// recoverWAV repairs and publishes name.wav.part.
func (s *store) recoverWAV(ctx context.Context, name string) (Recovered, error) {
	part := s.path(name) + wavExt + partExt
	f, err := s.openIdle(part)
	if err != nil {
		return Recovered{}, err
	}
	defer f.Close()
	if same(part, s.path(name)+wavExt) { // a crash between the two steps of a rename
		return Recovered{Action: ActionRemoved}, s.disk.Remove(part)
	}
	if err := s.takeBack(name); err != nil {
		return Recovered{}, err
	}
	info, err := f.Stat()
	if err != nil {
		return Recovered{}, err
	}
	record, _ := s.readSidecar(name)
	fallback := wav.Format{SampleRate: record.SampleRate, Channels: record.Channels}
	if _, err = wav.Repair(f, info.Size(), fallback); err != nil {
		return Recovered{}, fmt.Errorf("repair recording: %w", err)
	}
	done, record, err := s.describe(ctx, f, name)
	if ctx.Err() != nil {
		return Recovered{}, context.Cause(ctx)
	}
	published, errName := s.publishPart(name, name)
	if published == "" {
		return Recovered{}, errName
	}
	done.Action, done.WAV = ActionPublished, s.path(published)+wavExt
	record.WAV = wavPath(published)
	if err = errors.Join(err, errName); err != nil {
		return done, err
	}
	done.Record = s.path(published) + jsonExt
	return done, s.saveRecord(&record, name)
}

// takeBack makes the published record of a WAV that is still a part its sidecar again.
func (s *store) takeBack(name string) error {
	base := s.path(name) + jsonExt
	record, ok := readRecordFile(base)
	if !ok || s.disk.Exists(base+partExt) || record.WAV != wavPath(name)+partExt {
		return nil
	}
	return s.disk.Rename(base, base+partExt)
}

// describe puts together what the sidecar and a WAV itself tell of a call.
func (s *store) describe(ctx context.Context, f file, sidecar string) (Recovered, Record, error) {
	var done Recovered
	record, known := s.readSidecar(sidecar)
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
		record.Call = filepath.Base(sidecar)
		record.Started = info.ModTime().Add(-done.Audio).UTC()
	}
	if record.Ended.IsZero() {
		record.Ended = info.ModTime().UTC()
	}
	record.setRecovered()
	return done, record, record.hear(ctx, f, h)
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
func (s *store) recoverSidecar(ctx context.Context, name string) (Recovered, error) {
	base := s.path(name)
	if s.disk.Exists(base + wavExt + partExt) {
		return Recovered{}, errLocked // it is live, or was left for a reason
	}
	if !s.disk.Exists(base + wavExt) {
		return s.recoverRecord(name)
	}
	f, err := s.disk.Open(base + wavExt)
	if err != nil {
		return Recovered{}, err
	}
	defer f.Close()
	switch { // now that nobody else has it
	case !s.disk.Exists(base + jsonExt + partExt):
		return Recovered{}, errLocked // its process has just published it
	case s.disk.Exists(base + jsonExt):
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

// recoverRecord publishes what a sidecar tells that has no WAV beside it.
func (s *store) recoverRecord(name string) (Recovered, error) {
	record, known := s.readSidecar(name)
	if !known || s.disk.Exists(s.path(name)+jsonExt) {
		return s.removeSidecar(name)
	}
	record.setRecovered()
	if !s.disk.Exists(filepath.Join(s.dir, filepath.FromSlash(record.WAV))) {
		record.WAV = ""
	}
	return Recovered{Action: ActionRecord, Record: s.path(name) + jsonExt}, s.saveRecord(&record, name)
}

func (s *store) removeSidecar(name string) (Recovered, error) {
	return Recovered{Action: ActionRemoved}, s.disk.Remove(s.path(name) + jsonExt + partExt)
}

// readSidecar returns what was known of a call when its recording began, or all.
func (s *store) readSidecar(name string) (Record, bool) {
	return readRecordFile(s.path(name) + jsonExt + partExt)
}

func readRecordFile(path string) (Record, bool) {
	b, err := os.ReadFile(path)
	if err != nil {
		return Record{}, false
	}
	return decodeRecord(b)
}

// hear fills in what a WAV itself tells of its sound.
func (r *Record) hear(ctx context.Context, f io.ReaderAt, h wav.Header) error {
	m, sum := newMeter(h.Format), sha256.New()
	buf := make([]byte, 32<<10-32<<10%h.Format.FrameBytes())
	pcm := io.NewSectionReader(f, h.DataOffset, h.DataBytes)
	for {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
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

func same(a, b string) bool {
	ia, err := os.Stat(a)
	if err != nil {
		return false
	}
	ib, err := os.Stat(b)
	return err == nil && os.SameFile(ia, ib)
}
