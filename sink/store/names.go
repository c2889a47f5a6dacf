package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

const (
	wavExt  = ".wav"
	jsonExt = ".json"
	partExt = ".part"
	vttExt  = ".vtt"
	newExt  = ".new" // a record, or the words of one, that is being written
	dayForm = "2006-01-02"

	// maxNames bounds the names that are tried for one call.
	maxNames = 1000
)

// callName is the first name that a call's files may have.
func callName(id string, started time.Time) string {
	return filepath.Join(started.UTC().Format(dayForm), Name(id))
}

// wavPath is what a record calls the WAV of a name.
func wavPath(name string) string { return filepath.ToSlash(name) + wavExt }

// tryNames gives put the name own, if it is not "", and after it base, base-2, base-3, … as far
// as they are free, until the error is not that somebody else has taken the name.
func (s *Store) tryNames(own, base string, put func(name string) error) error {
	err := fs.ErrExist
	if own != "" {
		err = s.putIn(own, put)
	}
	for n := 1; errors.Is(err, fs.ErrExist) && n <= maxNames; n++ {
		name := base
		if n > 1 {
			name += "-" + strconv.Itoa(n)
		}
		if s.unused(name) {
			err = s.putIn(name, put)
		}
	}
	return err
}

// putIn gives put a name whose day's folder is there.
func (s *Store) putIn(name string, put func(name string) error) error {
	if day := filepath.Dir(s.path(name)); !exists(day) {
		s.synced.Store(nil)
		if err := os.MkdirAll(day, directoryMode); err != nil {
			return err
		}
	}
	return put(name)
}

// unused says whether nothing has a name yet, running recordings included.
func (s *Store) unused(name string) bool {
	for _, ext := range []string{wavExt, jsonExt, vttExt, wavExt + partExt, jsonExt + partExt} {
		if exists(s.path(name) + ext) {
			return false
		}
	}
	return true
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
