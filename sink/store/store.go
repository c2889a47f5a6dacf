package store

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"sync/atomic"
	"time"
)

// Store is a directory of recordings. A name in it is relative to it and has no extension:
// DATE/UUID.
type Store struct {
	dir  string
	disk Disk

	// synced is the folder of a day whose own name is on the disk for certain. One that
	// somebody else takes away and makes again is not noticed.
	synced atomic.Pointer[string]
}

// New returns the Store of a directory, which nothing is done to yet.
func New(dir string, disk Disk) *Store { return &Store{dir: dir, disk: disk} }

// Free returns the bytes that may still be written.
func (s *Store) Free() (int64, error) { return s.disk.Free(s.dir) }

// Path returns the place of a file that a Record calls by its WAV.
func (s *Store) Path(wav string) string { return s.path(filepath.FromSlash(wav)) }

// path returns the place of a name.
func (s *Store) path(name string) string { return filepath.Join(s.dir, name) }

// Create makes the file of a new recording of a call, whose day is started's, in UTC.
func (s *Store) Create(call string, started time.Time) (*Part, error) {
	return s.create(callName(call, started))
}

func (s *Store) create(base string) (*Part, error) {
	for name := range names(base) {
		if !s.free(name) {
			continue
		}
		if err := s.makeDay(name); err != nil {
			return nil, err
		}
		f, err := s.disk.Create(s.path(name) + wavExt + partExt)
		if errors.Is(err, fs.ErrExist) || errors.Is(err, ErrLocked) {
			continue
		}
		if err != nil {
			return nil, err
		}
		return &Part{File: f, store: s, base: base, name: name}, nil
	}
	return nil, fmt.Errorf("name recording: %w", errNoName)
}

// publishPart gives a finished file its lasting name, which is returned: its own if
// nothing has taken that, else the next of base. A name comes beside an error, too, if the
// file has it but the disk may not know.
func (s *Store) publishPart(name, base string) (string, error) {
	part := s.path(name) + wavExt + partExt
	err := s.disk.Rename(part, s.path(name)+wavExt)
	if errors.Is(err, fs.ErrExist) {
		name, err = s.publishElsewhere(part, base)
	}
	if err != nil {
		return "", fmt.Errorf("publish recording: %w", err)
	}
	return name, s.syncNames(name)
}

func (s *Store) publishElsewhere(part, base string) (string, error) {
	for name := range names(base) {
		if !s.free(name) {
			continue
		}
		err := s.disk.Rename(part, s.path(name)+wavExt)
		if !errors.Is(err, fs.ErrExist) {
			return name, err
		}
	}
	return "", errNoName
}

// makeDay makes the folder of a name.
func (s *Store) makeDay(name string) error {
	day := filepath.Dir(s.path(name))
	if s.disk.Exists(day) {
		return nil
	}
	s.synced.Store(nil)
	return s.disk.MkdirAll(day)
}

// syncNames writes the names beside a name to the disk, and the folder's own.
func (s *Store) syncNames(name string) error {
	day := filepath.Dir(s.path(name))
	err := s.disk.SyncDir(day)
	if known := s.synced.Load(); known == nil || *known != day {
		if err = errors.Join(err, s.disk.SyncDir(filepath.Dir(day))); err == nil {
			s.synced.Store(&day)
		}
	}
	if err != nil {
		return fmt.Errorf("sync folder: %w", err)
	}
	return nil
}
