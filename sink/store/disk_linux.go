package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

func (OSDisk) Rename(from, to string) error { return renameNew(from, to, noReplace, linkAndRemove) }

func noReplace(from, to string) error {
	if err := unix.Renameat2(unix.AT_FDCWD, from, unix.AT_FDCWD, to, unix.RENAME_NOREPLACE); err != nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
	}
	return nil
}

// Create locks the file before it has a name, if the file system can.
func (OSDisk) Create(name string) (File, error) {
	fd, err := unix.Open(filepath.Dir(name), unix.O_RDWR|unix.O_TMPFILE|unix.O_CLOEXEC, fileMode)
	if err != nil {
		return createLocked(name)
	}
	f := os.NewFile(uintptr(fd), name)
	locked, err := lock(f)
	if err != nil {
		return nil, err
	}
	err = unix.Linkat(unix.AT_FDCWD, fmt.Sprintf("/proc/self/fd/%d", fd), unix.AT_FDCWD, name, unix.AT_SYMLINK_FOLLOW)
	switch {
	case errors.Is(err, unix.EEXIST):
		return nil, errors.Join(&os.PathError{Op: "create", Path: name, Err: err}, f.Close())
	case err != nil: // no /proc
		_ = f.Close()
		return createLocked(name)
	}
	return locked, nil
}
