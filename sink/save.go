package sink

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"
)

// saveRecord publishes a record under its WAV's name, else its sidecar's, else the
// call's, or the next that is free, and removes the sidecar. sidecar is a name. If that
// fails, the sidecar is the whole record, if it can be.
func (s *store) saveRecord(record *Record, sidecar string) error {
	err := s.placeRecord(record, sidecar)
	if err != nil {
		if errKeep := s.keepRecord(record, sidecar); errKeep != nil {
			err = errors.Join(err, fmt.Errorf("keep record: %w", errKeep))
		}
		return err
	}
	if sidecar == "" {
		return nil
	}
	err = s.disk.Remove(s.path(sidecar) + jsonExt + partExt)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove sidecar: %w", err)
	}
	return nil
}

func (s *store) placeRecord(record *Record, sidecar string) error {
	own := sidecar
	if stem, ok := strings.CutSuffix(record.WAV, wavExt); ok {
		own = filepath.FromSlash(stem)
	}
	err := fs.ErrExist
	if own != "" {
		err = s.publishRecord(own, record)
	}
	for name := range names(callName(record.Call, record.Started)) {
		if !errors.Is(err, fs.ErrExist) {
			break
		}
		if s.free(name) {
			err = s.publishRecord(name, record)
		}
	}
	return err
}

// publishRecord writes a record by the same steps as a WAV. Its file is locked until it
// has its name, so that Recover takes it for no leftover.
func (s *store) publishRecord(name string, record *Record) error {
	path := s.path(name) + jsonExt
	if err := s.makeDay(name); err != nil {
		return fmt.Errorf("save record: %w", err)
	}
	f, err := s.createJSON(path+newExt, record, true)
	if err != nil {
		return fmt.Errorf("save record: %w", err)
	}
	defer f.Close()
	if err := s.disk.Rename(path+newExt, path); err != nil {
		return errors.Join(fmt.Errorf("save record: %w", err), s.disk.Remove(path+newExt))
	}
	return s.syncNames(name)
}

// writeJSON writes a record to a new file; what a crash left of that name goes.
func (s *store) writeJSON(path string, record *Record, sync bool) error {
	f, err := s.createJSON(path, record, sync)
	if err != nil {
		return err
	}
	return f.Close()
}

// createJSON is writeJSON, and returns the file, locked.
func (s *store) createJSON(path string, record *Record, sync bool) (file, error) {
	b, err := encodeRecord(record)
	if err != nil {
		return nil, err
	}
	f, err := s.disk.Create(path)
	if errors.Is(err, fs.ErrExist) {
		if err = s.disk.Remove(path); err == nil {
			f, err = s.disk.Create(path)
		}
	}
	if err != nil {
		return nil, err
	}
	_, err = f.Write(b)
	if err == nil && sync {
		err = f.Sync()
	}
	if err != nil {
		return nil, errors.Join(err, s.disk.Remove(path), f.Close())
	}
	return f, nil
}

// keepRecord puts a whole record in the place of the sidecar, for Recover. It needs no
// space that the sidecar doesn't have, as long as both fit the disk's blocks; where it
// can't be written, the sidecar is as it was.
func (s *store) keepRecord(record *Record, name string) error {
	if name == "" {
		return nil
	}
	path := s.path(name) + jsonExt + partExt
	if !s.disk.Exists(path) {
		return s.writeJSON(path, record, true)
	}
	f, err := s.disk.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(overwrite(f, record), f.Close())
}

func overwrite(f file, record *Record) error {
	b, err := encodeRecord(record)
	if err != nil {
		return err
	}
	old, err := io.ReadAll(f)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(b, 0)
	if err != nil {
		_, errOld := f.WriteAt(old, 0)
		return errors.Join(err, errOld, f.Truncate(int64(len(old))))
	}
	return errors.Join(f.Truncate(int64(len(b))), f.Sync())
}

func encodeRecord(record *Record) ([]byte, error) {
	b, err := json.MarshalIndent(record.plain(), "", "  ")
	return append(b, '\n'), err
}
