package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// renameNew gives a file a name that nothing has yet, in the first of some ways that works, else
// by reserving the name. File systems say in many ways that they don't have one: EINVAL, EPERM,
// ENOSYS, EMLINK; rclone's says EIO, and others EACCES.
func renameNew(from, to string, ways ...func(from, to string) error) error {
	for _, rename := range ways {
		err := rename(from, to)
		if err == nil || errors.Is(err, fs.ErrExist) || errors.Is(err, fs.ErrNotExist) || errors.Is(err, errLinked) {
			return err
		}
	}
	return reserveAndRename(from, to)
}

// errLinked is a file that has the new name, and its old one too.
var errLinked = errors.New("the old name could not be removed")

// linkAndRemove is a rename that overwrites nothing, for systems that have none.
// A crash between its steps leaves both names; Recover removes the first.
func linkAndRemove(from, to string) error {
	if err := os.Link(from, to); err != nil {
		return err
	}
	if err := os.Remove(from); err != nil {
		return fmt.Errorf("%w: %w", errLinked, err)
	}
	return nil
}

// reserveAndRename is a rename that overwrites nothing but the empty file by which it has
// reserved the name: for file systems without hard links, too (exFAT, s3fs, rclone, some CIFS).
// A crash between its steps leaves the empty file beside the first name; Recover removes it.
func reserveAndRename(from, to string) error {
	if _, err := os.Lstat(from); err != nil {
		return err
	}
	reserved, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return err
	}
	if err = reserved.Close(); err == nil {
		err = os.Rename(from, to)
	}
	if err != nil {
		err = errors.Join(err, dropReservation(to))
	}
	return err
}

// dropReservation removes a file of reserveAndRename: an empty one, as no WAV and no record is.
func dropReservation(path string) error {
	if !isReservation(path) {
		return nil
	}
	return os.Remove(path)
}

func isReservation(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.Mode().IsRegular() && info.Size() == 0
}
