package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"tapdeck/wav"
)

// ErrEmpty says that nothing was ever written to a file.
var ErrEmpty = errors.New("the file is empty")

// ActionEmpty is what RemoveEmpty does.
const ActionEmpty = "removed, it was empty"

// Mended is what Mend did to a WAV.
type Mended struct {
	// Changed says that its header was mended; without, it was healthy.
	Changed bool
	// Audio is how long it plays; 0 if it isn't 16-bit PCM.
	Audio time.Duration
	// Odd is what keeps other programs from the audio, whatever its header says; see wav.Odd.
	Odd string
}

// Mend gives one WAV, published or still a part, by whatever program, a header that declares
// all of its audio, and leaves it where it is. If its format is lost, that of the record beside
// it is taken. The error wraps ErrLocked if a recording has the file, ErrEmpty, or those of
// wav.Repair, or says that without locks it may be one's; the file is as it was then.
func (s *Store) Mend(path string) (done Mended, err error) {
	s.findAlive()
	f, info, err := s.openIdle(path)
	if err != nil {
		return done, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if info.Size() == 0 {
		return done, ErrEmpty
	}
	known := recordBeside(path)
	done.Changed, err = wav.Repair(f, info.Size(), wav.Format{SampleRate: known.SampleRate, Channels: known.Channels})
	if err != nil {
		return done, fmt.Errorf("repair recording: %w", err)
	}
	if info, err = f.Stat(); err != nil {
		return done, err
	}
	if done.Odd, err = wav.Odd(f, info.Size()); err != nil {
		return done, err
	}
	h, err := wav.ReadHeader(f, info.Size())
	switch {
	case err == nil:
		done.Audio = h.Format.Duration(h.Frames())
	case errors.Is(err, wav.ErrFormat):
		err = nil
	}
	return done, err
}

// recordBeside is the record of a WAV, or its sidecar, if there is one.
func recordBeside(path string) (record Record) {
	base := strings.TrimSuffix(strings.TrimSuffix(path, partExt), wavExt)
	for _, ext := range []string{jsonExt + partExt, jsonExt} {
		if r, known := readRecord(base + ext); known {
			return r
		}
	}
	return record
}

// RemoveEmpty removes every part of a WAV that nothing was written to and that no recording
// has. Its errors are as Recover's.
func (s *Store) RemoveEmpty(ctx context.Context) (all Recovery, err error) {
	s.findAlive()
	files, err := s.unfinished(ctx)
	if err != nil {
		return all, fmt.Errorf("look for recordings: %w", err)
	}
	for _, file := range files {
		info, err := os.Lstat(s.path(file))
		if !strings.HasSuffix(file, wavExt+partExt) || err != nil || info.Size() > 0 {
			continue
		}
		done := Recovered{Part: s.path(file), Action: ActionEmpty}
		switch err := s.removeEmpty(done.Part); {
		case errors.Is(err, ErrLocked), errors.Is(err, errAlive):
			continue
		case err != nil:
			done.Action, done.Err = ActionLeft, err
		}
		all.Files = append(all.Files, done)
	}
	return all, nil
}

// RemoveEmptyFile removes one file that nothing was written to. The error wraps ErrLocked if a
// recording has it.
func (s *Store) RemoveEmptyFile(path string) error {
	s.findAlive()
	return s.removeEmpty(path)
}

func (s *Store) removeEmpty(path string) error {
	f, info, err := s.openIdle(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if info.Size() > 0 {
		return fmt.Errorf("remove %s: it is not empty", path)
	}
	return os.Remove(path)
}
