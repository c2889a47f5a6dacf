package store

import (
	"errors"
	"iter"
	"path/filepath"
	"strconv"
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

// free says whether nothing has a name yet, running recordings included.
func (s *Store) free(name string) bool {
	for _, ext := range []string{wavExt, jsonExt, wavExt + partExt, jsonExt + partExt} {
		if s.disk.Exists(s.path(name) + ext) {
			return false
		}
	}
	return true
}
