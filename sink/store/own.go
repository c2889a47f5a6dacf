package store

import (
	"fmt"
	"slices"
	"sync"

	"golang.org/x/sys/unix"
)

// ownDisk is a Disk that knows which files this process has open, and opens none of them again,
// whatever the file system's locks are worth.
type ownDisk struct {
	Disk

	mu   sync.Mutex // protects the following
	open map[string][]*ownFile
}

// ownFile is an open file of an ownDisk.
type ownFile struct {
	File
	disk  *ownDisk
	paths []string // one, or two while it is renamed
}

func newOwnDisk(d Disk) *ownDisk { return &ownDisk{Disk: d, open: map[string][]*ownFile{}} }

func (d *ownDisk) Create(path string) (File, error) {
	f := &ownFile{disk: d}
	d.add(path, f) // before others see it; a file that has lost this name may be there as well
	return f.opened(d.Disk.Create(path))
}

func (d *ownDisk) Open(path string) (File, error) {
	f := &ownFile{disk: d}
	if !d.addAlone(path, f) {
		return nil, fmt.Errorf("open %s: this process has it: %w", path, ErrLocked)
	}
	return f.opened(d.Disk.Open(path))
}

// opened gives f the file that it stands for, unless that could not be opened.
func (f *ownFile) opened(file File, err error) (File, error) {
	if err != nil {
		f.disk.remove(f)
		return nil, err
	}
	f.File = file
	return f, nil
}

// Rename keeps a file that is open under both names until it has one of them.
func (d *ownDisk) Rename(from, to string) error {
	d.mu.Lock()
	moving := slices.Clone(d.open[from])
	d.mu.Unlock()
	d.add(to, moving...)
	err := d.Disk.Rename(from, to)
	gone := to
	if err == nil {
		gone = from
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.drop(gone, moving...)
	return err
}

// Close gives the file back.
func (f *ownFile) Close() error {
	err := f.File.Close()
	f.disk.remove(f)
	return err
}

func (d *ownDisk) add(path string, files ...*ownFile) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, f := range files {
		d.open[path] = append(d.open[path], f)
		f.paths = append(f.paths, path)
	}
}

// addAlone adds a file whose name no open file has, or returns false.
func (d *ownDisk) addAlone(path string, f *ownFile) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.open[path]) > 0 {
		return false
	}
	d.open[path], f.paths = []*ownFile{f}, []string{path}
	return true
}

func (d *ownDisk) remove(f *ownFile) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, path := range slices.Clone(f.paths) {
		d.drop(path, f)
	}
}

// drop forgets that files have a name. The caller holds mu.
func (d *ownDisk) drop(path string, files ...*ownFile) {
	for _, f := range files {
		f.paths = slices.DeleteFunc(f.paths, func(p string) bool { return p == path })
	}
	d.open[path] = slices.DeleteFunc(d.open[path], func(f *ownFile) bool { return slices.Contains(files, f) })
	if len(d.open[path]) == 0 {
		delete(d.open, path)
	}
}

// touch shows that the open files are in use, by their times.
func (d *ownDisk) touch() {
	d.mu.Lock()
	var paths []string
	for path := range d.open {
		paths = append(paths, path)
	}
	d.mu.Unlock()
	for _, path := range paths {
		_ = unix.Utimes(path, nil) // now, by the file system's own clock
	}
}
