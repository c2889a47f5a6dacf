package sink

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
)

// reserved is the room, in bytes, that a sidecar keeps before its own text for the
// record that is to take its place: until all of that is on the disk, the text behind it
// is whole.
const reserved = 4 << 10

// saveSidecar keeps what is known of a running call.
func (s *store) saveSidecar(name string, record *Record) error {
	b, err := encodeRecord(record)
	if err != nil {
		return err
	}
	f, err := s.createJSON(s.path(name)+jsonExt+partExt, slices.Concat(blanks, b), false)
	if err != nil {
		return err
	}
	return f.Close()
}

var blanks = bytes.Repeat([]byte(" "), reserved)

// saveRecord publishes a record under its WAV's name, else its sidecar's, else the
// call's, or the next that is free. sidecar is a name: its file becomes the record's,
// else it is removed. If that fails, the sidecar is the whole record, if it can be.
func (s *store) saveRecord(record *Record, sidecar string) error {
	b, err := encodeRecord(record)
	if err != nil {
		return fmt.Errorf("save record: %w", err)
	}
	part := s.path(sidecar) + jsonExt + partExt
	if sidecar != "" && s.takeSidecar(part, b) == nil {
		return s.placeRecord(record, sidecar, func(name string) error { return s.publishFile(name, part) })
	}
	err = s.placeRecord(record, sidecar, func(name string) error { return s.publishRecord(name, b) })
	if err != nil {
		if errKeep := s.keepRecord(record, sidecar); errKeep != nil {
			err = errors.Join(err, fmt.Errorf("keep record: %w", errKeep))
		}
		return err
	}
	if sidecar == "" {
		return nil
	}
	err = s.disk.Remove(part)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove sidecar: %w", err)
	}
	return nil
}

var errNoRoom = errors.New("no room reserved")

// takeSidecar makes a record of a sidecar that has the room for it, without a file more
// or one less: both are dear to a file system.
func (s *store) takeSidecar(path string, b []byte) error {
	return s.rewrite(path, func(f file, old []byte) error {
		if !hasRoom(old, b) {
			return errNoRoom
		}
		return overwrite(f, old, b)
	})
}

// rewrite gives change a file and what is in it.
func (s *store) rewrite(path string, change func(f file, old []byte) error) error {
	f, err := s.disk.Open(path)
	if err != nil {
		return err
	}
	old, err := io.ReadAll(f)
	if err == nil {
		err = change(f, old)
	}
	return errors.Join(err, f.Close())
}

func hasRoom(old, b []byte) bool {
	return len(old) > reserved && old[0] == ' ' && len(b) <= reserved
}

// overwrite makes a file the text b. As long as not all of b is on the disk, what lies
// behind it stays, and where it can't be written, the file is as it was.
func overwrite(f file, old, b []byte) error {
	text := b
	if hasRoom(old, b) {
		text = slices.Concat(b, blanks[len(b):])
	}
	if _, err := f.WriteAt(text, 0); err != nil {
		_, errOld := f.WriteAt(old, 0)
		return errors.Join(err, errOld, f.Truncate(int64(len(old))))
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Truncate(int64(len(b))); err != nil {
		return err
	}
	return f.Sync() // not every file system keeps a new size and a new name in order
}

// decodeRecord reads a record, or a sidecar in any state that overwrite leaves: what
// follows the record is old, and where there is no record, the room holds part of one.
func decodeRecord(b []byte) (Record, bool) {
	for _, text := range [][]byte{b, b[min(len(b), reserved):]} {
		var r Record
		if json.NewDecoder(bytes.NewReader(text)).Decode(&r) == nil && checkID(r.Call) == nil {
			return r, true
		}
	}
	return Record{}, false
}

// placeRecord gives publish the names that a record may have, until one is free.
func (s *store) placeRecord(record *Record, sidecar string, publish func(name string) error) error {
	own := sidecar
	if stem, ok := strings.CutSuffix(record.WAV, wavExt); ok {
		own = filepath.FromSlash(stem)
	}
	err := fs.ErrExist
	if own != "" {
		err = s.publishIn(own, publish)
	}
	for name := range names(callName(record.Call, record.Started)) {
		if !errors.Is(err, fs.ErrExist) {
			break
		}
		if s.free(name) {
			err = s.publishIn(name, publish)
		}
	}
	return err
}

// publishIn gives publish a name whose folder is there.
func (s *store) publishIn(name string, publish func(name string) error) error {
	if err := s.makeDay(name); err != nil {
		return fmt.Errorf("save record: %w", err)
	}
	return publish(name)
}

// publishRecord writes a record by the same steps as a WAV. Its file is locked until it
// has its name, so that Recover takes it for no leftover.
func (s *store) publishRecord(name string, b []byte) error {
	path := s.path(name) + jsonExt + newExt
	f, err := s.createJSON(path, b, true)
	if err != nil {
		return fmt.Errorf("save record: %w", err)
	}
	defer f.Close()
	if err := s.publishFile(name, path); err != nil {
		if s.disk.Exists(path) {
			err = errors.Join(err, s.disk.Remove(path))
		}
		return err
	}
	return nil
}

// publishFile gives a complete record its lasting name.
func (s *store) publishFile(name, path string) error {
	if err := s.disk.Rename(path, s.path(name)+jsonExt); err != nil {
		return fmt.Errorf("save record: %w", err)
	}
	return s.syncNames(name)
}

// createJSON writes a new file, which it returns, locked; what a crash left of that name
// goes.
func (s *store) createJSON(path string, b []byte, sync bool) (file, error) {
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
// space that the sidecar doesn't have, if it fits its room.
func (s *store) keepRecord(record *Record, name string) error {
	if name == "" {
		return nil
	}
	b, err := encodeRecord(record)
	if err != nil {
		return err
	}
	path := s.path(name) + jsonExt + partExt
	if !s.disk.Exists(path) {
		f, err := s.createJSON(path, b, true)
		if err != nil {
			return err
		}
		return f.Close()
	}
	return s.rewrite(path, func(f file, old []byte) error { return overwrite(f, old, b) })
}

func encodeRecord(record *Record) ([]byte, error) {
	b, err := json.MarshalIndent(record.plain(), "", "  ")
	return append(b, '\n'), err
}
