package store

import (
	"errors"
	"fmt"
	"os"
	"slices"

	"golang.org/x/sys/unix"
)

// renameNew gives a file a name that nothing has yet, in the first of some ways that the file
// system has, else by reserving the name.
func renameNew(from, to string, ways ...func(from, to string) error) error {
	for _, rename := range ways {
		if err := rename(from, to); !unsupported(err) {
			return err
		}
	}
	return reserveAndRename(from, to)
}

// unsupported says that a file system, or what guards it, doesn't have what was asked for. Each
// says so in its own way.
func unsupported(err error) bool {
	return slices.ContainsFunc([]error{unix.ENOSYS, unix.EINVAL, unix.EOPNOTSUPP, unix.ENOTSUP, unix.EPERM, unix.EMLINK},
		func(no error) bool { return errors.Is(err, no) })
}

// linkAndRemove is a rename that overwrites nothing, for systems that have none.
// A crash between its steps leaves both names; Recover removes the first.
func linkAndRemove(from, to string) error {
	if err := os.Link(from, to); err != nil {
		return err
	}
	if err := os.Remove(from); err != nil {
		return fmt.Errorf("remove %s, which is linked already: %v", from, err) // not wrapped: no other way is to be tried
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
