package store

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"
)

// Store is a directory of recordings. A name in it is relative to it and has no extension:
// DATE/UUID.
type Store struct {
	dir  string
	disk *ownDisk

	// aliveSince is not nil if locks don't work in the directory: what was touched since then may
	// be a recording of another process.
	aliveSince atomic.Pointer[time.Time]
	touching   sync.Mutex // held by Touch

	// synced is the folder of a day whose own name is on the disk for certain. One that
	// somebody else takes away and makes again is not noticed.
	synced atomic.Pointer[string]
}

// New returns the Store of a directory, which nothing is done to yet. A nil disk is OSDisk.
func New(dir string, disk Disk) *Store {
	if disk == nil {
		disk = OSDisk{}
	}
	return &Store{dir: dir, disk: newOwnDisk(disk)}
}

// Free returns the bytes that may still be written.
func (s *Store) Free() (int64, error) {
	free, err := s.disk.Free(s.dir)
	if err != nil {
		return 0, fmt.Errorf("ask free space of %s: %w", s.dir, err)
	}
	return free, nil
}

// Path returns the path of the file that a Record names by its WAV.
func (s *Store) Path(wav string) string { return s.path(filepath.FromSlash(wav)) }

// path returns the path of a name in the directory.
func (s *Store) path(name string) string { return filepath.Join(s.dir, name) }

// Create makes the file of a new recording of a call, whose day is started's, in UTC.
func (s *Store) Create(call string, started time.Time) (*Part, error) {
	return s.create(callName(call, started))
}

func (s *Store) create(base string) (*Part, error) {
	p := &Part{store: s, base: base}
	err := s.tryNames("", base, func(name string) (err error) {
		p.name = name
		p.File, err = s.disk.Create(s.path(name) + wavExt + partExt)
		if errors.Is(err, ErrLocked) {
			return fs.ErrExist
		}
		return err
	})
	return p, err
}
