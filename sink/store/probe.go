package store

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"
)

const (
	// TouchInterval is how often Touch is to be called while recordings run.
	TouchInterval = 10 * time.Second
	// AliveFor is how long a file that was touched is taken for one of a running process if the
	// file system has no locks that work.
	AliveFor = time.Minute
)

// Probed is what a directory's file system was found to do.
type Probed struct {
	// Locked says that a file that is in use can't be opened by another recording.
	Locked bool
	// Rename is why a file can't be given its lasting name; nil if it can.
	Rename error
}

// Probe tries all that recordings need in the directory, which is made if it isn't there, with
// files of its own, which it removes. The error says that no recording can be kept there.
func (s *Store) Probe() (Probed, error) {
	if err := os.MkdirAll(s.dir, directoryMode); err != nil {
		return Probed{}, err
	}
	path := s.path(probeName())
	f, err := s.disk.Disk.Create(path)
	if err != nil {
		return Probed{}, err
	}
	defer os.Remove(path)
	defer f.Close()
	_, errWrite := f.Write([]byte("RIFF"))
	_, errAt := f.WriteAt([]byte("R"), 0) // as a recording's header is brought up to date
	if err := errors.Join(errWrite, errAt, f.Sync()); err != nil {
		return Probed{}, err
	}
	return Probed{Locked: s.locked(path), Rename: s.probeRename(path)}, nil
}

func probeName() string { return ".tapdeck-" + rand.Text() }

// locked says whether a file that is open can't be opened again.
func (s *Store) locked(path string) bool {
	again, err := s.disk.Disk.Open(path)
	if err == nil {
		_ = again.Close()
	}
	return errors.Is(err, ErrLocked)
}

// probeRename says why a file can't be renamed to a name that is free, and to no other.
func (s *Store) probeRename(path string) error {
	to := s.path(probeName())
	defer os.Remove(to)
	if err := s.disk.Disk.Rename(path, to); err != nil {
		return err
	}
	other, err := s.disk.Disk.Create(path)
	if err != nil {
		return err
	}
	defer other.Close()
	if err := s.disk.Disk.Rename(path, to); !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("a name that is taken is not respected: %w", cmp.Or(err, errOverwritten))
	}
	return nil
}

var errOverwritten = errors.New("it was overwritten")

// findAlive finds out whether locks work in the directory, and if not, since when what was
// touched may be in use: by the file system's own clock, as the times of files are. What can't
// be found out is as if they did not.
func (s *Store) findAlive() {
	now, path := time.Now(), s.path(probeName())
	if f, err := s.disk.Disk.Create(path); err == nil {
		defer os.Remove(path)
		defer f.Close()
		if s.locked(path) {
			s.aliveSince.Store(nil)
			return
		}
		if info, err := f.Stat(); err == nil {
			now = info.ModTime()
		}
	}
	now = now.Add(-AliveFor)
	s.aliveSince.Store(&now)
}

// mayBeAlive says that a file may be in use by another process, whose locks don't work.
func (s *Store) mayBeAlive(info fs.FileInfo) bool {
	since := s.aliveSince.Load()
	return since != nil && info.ModTime().After(*since)
}

// Touch shows to other processes that the files of running recordings are in use. It does
// nothing if Recover found that locks do, or while another Touch waits for a disk.
func (s *Store) Touch() {
	if s.aliveSince.Load() == nil || !s.touching.TryLock() {
		return
	}
	defer s.touching.Unlock()
	s.disk.touch()
}
