package store

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// page is what a disk writes whole, in bytes.
const page = 4 << 10

// Save publishes the record of a call that has no recording.
func (s *Store) Save(record *Record) error { return s.saveRecord(record, "") }

func (s *Store) sidecar(name string) string { return s.path(name) + jsonExt + partExt }

// saveRecord publishes a record, after its words. ErrNoVTT is an error of these alone.
func (s *Store) saveRecord(record *Record, sidecar string) error {
	errVTT := s.saveVTT(record)
	if err := s.saveText(record, sidecar); err != nil {
		return errors.Join(err, errVTT)
	}
	if errVTT != nil {
		return fmt.Errorf("%w: %w", ErrNoVTT, errVTT)
	}
	return nil
}

// saveText publishes a record under its WAV's name, else its sidecar's, else the
// call's, or the next that is free. sidecar is a name: its file becomes the record's,
// else it is removed. If that fails, the sidecar is the whole record, if it can be.
func (s *Store) saveText(record *Record, sidecar string) error {
	b, err := encodeRecord(record)
	if err != nil {
		return err
	}
	part := s.sidecar(sidecar)
	inPlace := sidecar != "" && len(b) <= page && s.overwrite(part, b) == nil
	publish := func(name string) error {
		if inPlace {
			return s.publishJSON(name, part)
		}
		path := s.path(name) + jsonExt + newExt // locked until it has its name, so that Recover does not remove it
		return s.createFile(path, b, true, func() error { return s.publishJSON(name, path) })
	}
	own := sidecar
	if stem, ok := strings.CutSuffix(record.WAV, wavExt); ok {
		own = filepath.FromSlash(stem)
	}
	err = s.tryNames(own, callName(record.Call, record.Started), publish)
	if sidecar != "" && !inPlace {
		if err == nil {
			_ = os.Remove(part) // or Recover will
			return nil
		}
		err = errors.Join(err, s.keepRecord(record, sidecar))
	}
	if err != nil {
		return fmt.Errorf("save record: %w", err)
	}
	return nil
}

// keepRecord makes a name's sidecar the whole record.
func (s *Store) keepRecord(record *Record, name string) error {
	b, err := encodeRecord(record)
	if err != nil {
		return err
	}
	part := s.sidecar(name)
	if exists(part) {
		return s.overwrite(part, b)
	}
	return s.createFile(part, b, true, nil)
}

// overwrite puts a record in the place of a sidecar's text, in one write, with blanks for
// what the old text is longer. After a failed write the old text is at the file's start
// again, if the disk permits.
func (s *Store) overwrite(path string, b []byte) error {
	f, err := s.disk.Open(path)
	if err != nil {
		return err
	}
	old, err := readAll(f)
	if err == nil {
		blanks := bytes.Repeat([]byte(" "), max(len(old)-len(b), 0))
		if _, err = f.WriteAt(append(b, blanks...), 0); err != nil {
			_, errOld := f.WriteAt(old, 0)
			err = errors.Join(err, errOld)
		}
	}
	if err == nil {
		err = f.Sync()
	}
	if err == nil && len(old) > len(b) {
		_ = f.Truncate(int64(len(b))) // with the blanks it is the same record
	}
	return errors.Join(err, f.Close())
}

// readAll reads a whole file at once.
func readAll(f File) ([]byte, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	b := make([]byte, info.Size())
	n, err := f.ReadAt(b, 0)
	if err == io.EOF { // it has just been cut
		err = nil
	}
	return b[:n], err
}

// publishJSON gives a complete record its lasting name.
func (s *Store) publishJSON(name, path string) error {
	if err := s.disk.Rename(path, s.path(name)+jsonExt); err != nil {
		return err
	}
	return s.syncNames(name)
}

// removeStale removes what a crash left, unless it has its lasting name by now. The error is
// fs.ErrExist if it is still being written.
func (s *Store) removeStale(path string) error {
	f, err := s.disk.Open(path)
	switch {
	case errors.Is(err, ErrLocked):
		return fs.ErrExist
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		_ = os.Remove(path)
		return nil
	}
	info, err := f.Stat()
	if err == nil && same(info, path) { // else the name is free again, or another's
		err = os.Remove(path)
	}
	return errors.Join(err, f.Close())
}

// createFile writes a new file and, while it is locked, does next, if that isn't nil. If any of
// this fails, the file is removed. What a crash left of that name is, too; if it is still being
// written, the error is fs.ErrExist.
func (s *Store) createFile(path string, b []byte, sync bool, next func() error) error {
	f, err := s.disk.Create(path)
	if errors.Is(err, fs.ErrExist) {
		if err = s.removeStale(path); err == nil {
			f, err = s.disk.Create(path)
		}
	}
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err == nil && sync {
		err = f.Sync()
	}
	if err == nil && next != nil {
		err = next()
	}
	if err != nil {
		_ = os.Remove(path)
	}
	return errors.Join(err, f.Close())
}
