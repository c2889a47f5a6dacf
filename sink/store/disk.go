package store

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

const (
	fileMode      = 0o640
	directoryMode = 0o750
)

// ErrLocked says that another recording, maybe of another process, has the file.
var ErrLocked = errors.New("file is in use")

// File is what a recording or a record is written to: an *os.File.
type File interface {
	io.ReadWriteCloser
	io.ReaderAt
	io.WriterAt
	Sync() error
	Stat() (fs.FileInfo, error)
	Truncate(size int64) error
}

// Disk is what recordings need of a file system that may fail or hang them. Tests give one
// that does.
type Disk interface {
	// Create makes a file that isn't there yet, locked; else the error is fs.ErrExist.
	Create(name string) (File, error)
	// Open opens a file for reading and writing and locks it, or returns ErrLocked.
	Open(name string) (File, error)
	// Rename gives a file a name that nothing has yet; else the error is fs.ErrExist.
	Rename(from, to string) error
	// SyncDir writes the names in dir to the disk.
	SyncDir(dir string) error
	// Free returns the bytes that may still be written in dir.
	Free(dir string) (int64, error)
}

// OSDisk is the machine's own file system.
type OSDisk struct{}

// createLocked makes a file that others see before it is locked; whoever loses it in
// between gets ErrLocked.
func createLocked(name string) (File, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return nil, err
	}
	return lock(f)
}

func (OSDisk) Open(name string) (File, error) {
	f, err := os.OpenFile(name, os.O_RDWR|unix.O_NOFOLLOW, 0)
	if err != nil {
		return nil, err
	}
	return lock(f)
}

// lock takes the file for this process until it is closed. A file system without
// locks is no reason not to record.
func lock(f *os.File) (File, error) {
	err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", f.Name(), ErrLocked), f.Close())
	}
	return f, nil
}

func (OSDisk) SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Free implements Disk.
func (OSDisk) Free(dir string) (int64, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return 0, err
	}
	return int64(st.Bavail) * int64(st.Bsize), nil
}

func exists(name string) bool {
	_, err := os.Lstat(name)
	return err == nil
}

// same says whether a file is the one that has a name.
func same(info fs.FileInfo, name string) bool {
	at, err := os.Stat(name)
	return err == nil && os.SameFile(info, at)
}
