package sink

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
)

// saveRecord publishes a record under its WAV's name, else its sidecar's, else the
// call's, or the next that is free, and removes the sidecar. sidecar is a name.
func (s *store) saveRecord(record Record, sidecar string) error {
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
	if err != nil || sidecar == "" {
		return err
	}
	err = s.disk.Remove(s.path(sidecar) + jsonExt + partExt)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove sidecar: %w", err)
	}
	return nil
}

// publishRecord writes a record by the same steps as a WAV.
func (s *store) publishRecord(name string, record Record) error {
	path := s.path(name) + jsonExt
	if err := s.disk.MkdirAll(filepath.Dir(path)); err != nil {
		return fmt.Errorf("save record: %w", err)
	}
	if err := s.writeJSON(path+newExt, record, true); err != nil {
		return fmt.Errorf("save record: %w", err)
	}
	if err := s.disk.Rename(path+newExt, path); err != nil {
		return errors.Join(fmt.Errorf("save record: %w", err), s.disk.Remove(path+newExt))
	}
	return s.syncNames(name)
}

// writeJSON writes a record to a new file; what a crash left of that name goes.
func (s *store) writeJSON(path string, record Record, sync bool) error {
	b, err := json.MarshalIndent(record, "", "  ")
	if err != nil {
		return err
	}
	f, err := s.disk.Create(path)
	if errors.Is(err, fs.ErrExist) {
		if err = s.disk.Remove(path); err == nil {
			f, err = s.disk.Create(path)
		}
	}
	if err != nil {
		return err
	}
	_, err = f.Write(append(b, '\n'))
	if err == nil && sync {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}
