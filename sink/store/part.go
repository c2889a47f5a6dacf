package store

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
)

// Part is the WAV of a running recording, locked until Save or Close, with its sidecar.
type Part struct {
	File
	store *Store
	base  string // the first name of the call
	name  string // of the file and its sidecar

	ending sync.Mutex // protects the following, and is held while the sidecar or the record is written
	ended  bool       // Keep or Save has begun: nothing older is written
	saved  bool       // Save has begun
}

// WAV is what a Record calls the file while it is not published.
func (p *Part) WAV() string { return wavPath(p.name) + partExt }

// Discard closes and removes a file that nothing was written to.
func (p *Part) Discard() error {
	return errors.Join(os.Remove(p.store.Path(p.WAV())), p.Close())
}

// Publish gives a complete and synced file its lasting name, its own if no other WAV has taken
// that, and returns what a Record calls it. Beside an error it is "" if the file is still a part: the error is fs.ErrNotExist if somebody has taken its name away, and the file may be
// salvaged then. The lock stays.
func (p *Part) Publish() (wav string, err error) {
	part, name := p.store.Path(p.WAV()), ""
	err = p.store.tryNames(p.name, p.base, func(free string) error {
		name = free
		return p.store.disk.Rename(part, p.store.path(free)+wavExt)
	})
	if err != nil {
		return "", fmt.Errorf("publish recording: %w", err)
	}
	return wavPath(name), p.store.syncNames(name)
}

// Salvage copies a file whose name somebody has taken away, folder and all, to a new part,
// and closes it. Beside an error the part is what could be copied, or nil.
func (p *Part) Salvage() (*Part, error) {
	defer p.Close()
	info, err := p.Stat()
	if err != nil {
		return nil, err
	}
	f, err := p.store.create(p.base)
	if err != nil {
		return nil, err
	}
	_, err = io.Copy(f, io.NewSectionReader(p, 0, info.Size()))
	if err = errors.Join(err, f.Sync()); err != nil {
		return f, fmt.Errorf("copy recording: %w", err)
	}
	return f, nil
}

// Save publishes the words of the call's transcript, if there are any, beside its WAV, and then the
// call's record, or that under the next name that is free, and gives the file's lock back. It fills
// in record.Transcript.VTT, in a transcript of the record's own. If the record can't be published, the
// sidecar is the whole record as far as the disk permits, for Recover. ErrNoVTT says that only the
// words have no file. It waits for a Keep that runs.
func (p *Part) Save(record *Record) error {
	p.ending.Lock()
	defer p.ending.Unlock()
	p.ended, p.saved = true, true
	return errors.Join(p.store.saveRecord(record, p.name), p.Close())
}

// Keep puts the call's record in the place of the sidecar, for Recover, while the file
// itself is still in use. It does nothing once Save has begun.
func (p *Part) Keep(record *Record) error {
	p.ending.Lock()
	defer p.ending.Unlock()
	if p.saved {
		return nil
	}
	p.ended = true
	return p.store.keepRecord(record, p.name)
}
