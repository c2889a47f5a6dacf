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
// call's, or the next that is free. sidecar is a name: that file becomes the record,
// and if it can't be given its lasting name it is the whole record, for Recover.
func (s *store) saveRecord(record *Record, sidecar string) error {
	if sidecar == "" {
		return s.placeRecord(record, "", func(name string) error { return s.publishRecord(name, record) })
	}
	if err := s.keepRecord(record, sidecar); err != nil {
		return fmt.Errorf("keep record: %w", err)
	}
	part := s.path(sidecar) + jsonExt + partExt
	return s.placeRecord(record, sidecar, func(name string) error {
		if err := s.disk.Rename(part, s.path(name)+jsonExt); err != nil {
			return fmt.Errorf("save record: %w", err)
		}
		return s.syncNames(name)
	})
}

// placeRecord tries the names that a record may have, until publish finds one free.
func (s *store) placeRecord(record *Record, own string, publish func(name string) error) error {
	if stem, ok := strings.CutSuffix(record.WAV, wavExt); ok {
		own = filepath.FromSlash(stem)
	}
	err := fs.ErrExist
	if own != "" {
		err = publish(own)
	}
	for name := range names(callName(record.Call, record.Started)) {
		if !errors.Is(err, fs.ErrExist) {
			break
		}
		if s.free(name) {
			err = publish(name)
		}
	}
	return err
}

// publishRecord writes a record that has no sidecar by the same steps as a WAV. Its file is locked until it
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
// space that the sidecar doesn't have, as long as both fit the disk's blocks; if that
// fails, the sidecar is as it was.
func (s *store) keepRecord(record *Record, name string) error {
	if name == "" {
		return nil
	}
	path := s.path(name) + jsonExt + partExt
	if !s.disk.Exists(path) {
		return errors.Join(s.makeDay(name), s.writeJSON(path, record, true))
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
	for len(b) < len(old) { // at no moment is there a rest of the old one
		b = append(b, '\n')
	}
	_, err = f.WriteAt(b, 0)
	if err != nil {
		_, errOld := f.WriteAt(old, 0)
		return errors.Join(err, errOld, f.Truncate(int64(len(old))))
	}
	return f.Sync()
}

func encodeRecord(record *Record) ([]byte, error) {
	b, err := json.MarshalIndent(record.plain(), "", "  ")
	return append(b, '\n'), err
}
