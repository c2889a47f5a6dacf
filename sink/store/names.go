package sink

import (
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"time"
)

const (
	wavExt  = ".wav"
	jsonExt = ".json"
	partExt = ".part"
	newExt  = ".new" // a record that is being written
	dayForm = "2006-01-02"

	// maxNames bounds the names that are tried for one call.
	maxNames = 1000
)

// errNoName says that a call has too many recordings already.
var errNoName = errors.New("no free name")

// store is the directory of the recordings. A name in it is relative to it and has no
// extension: DATE/UUID.
type store struct {
	disk disk
	dir  string

	// lasting is the folder of a day whose own name was made to last. One that somebody
	// else takes away and makes again is not noticed.
	lasting atomic.Pointer[string]
}

// callName is the first name that a call's files may have.
func callName(id string, started time.Time) string {
	return filepath.Join(started.UTC().Format(dayForm), id)
}

// names yields base, base-2, base-3, …
func names(base string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for n := 1; n <= maxNames; n++ {
			name := base
			if n > 1 {
				name += "-" + strconv.Itoa(n)
			}
			if !yield(name) {
				return
			}
		}
	}
}

// wavPath is what a record calls the WAV of a name.
func wavPath(name string) string { return filepath.ToSlash(name) + wavExt }

// path returns the place of a name.
func (s *store) path(name string) string { return filepath.Join(s.dir, name) }

// free says whether nothing has a name yet, running recordings included.
func (s *store) free(name string) bool {
	for _, ext := range []string{wavExt, jsonExt, wavExt + partExt, jsonExt + partExt} {
		if s.disk.Exists(s.path(name) + ext) {
			return false
		}
	}
	return true
}

// createPart makes the file of a new recording.
func (s *store) createPart(base string) (file, string, error) {
	for name := range names(base) {
		if !s.free(name) {
			continue
		}
		if err := s.makeDay(name); err != nil {
			return nil, "", err
		}
		f, err := s.disk.Create(s.path(name) + wavExt + partExt)
		if errors.Is(err, fs.ErrExist) || errors.Is(err, errLocked) {
			continue
		}
		return f, name, err
	}
	return nil, "", fmt.Errorf("name recording: %w", errNoName)
}

// publishPart gives a finished file its lasting name, which is returned: its own if
// nothing has taken that, else the next of base.
func (s *store) publishPart(name, base string) (string, error) {
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

func (s *store) publishElsewhere(part, base string) (string, error) {
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
func (s *store) makeDay(name string) error {
	day := filepath.Dir(s.path(name))
	if s.disk.Exists(day) {
		return nil
	}
	s.lasting.Store(nil)
	return s.disk.MkdirAll(day)
}

// syncNames makes the names beside a name last, and the folder's own.
func (s *store) syncNames(name string) error {
	day := filepath.Dir(s.path(name))
	err := s.disk.SyncDir(day)
	if known := s.lasting.Load(); known == nil || *known != day {
		if err = errors.Join(err, s.disk.SyncDir(filepath.Dir(day))); err == nil {
			s.lasting.Store(&day)
		}
	}
	if err != nil {
		return fmt.Errorf("sync folder: %w", err)
	}
	return nil
}
