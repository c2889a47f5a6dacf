//go:build unix && !linux

package store

func (OSDisk) Rename(from, to string) error { return renameNew(from, to, linkAndRemove) }

func (OSDisk) Create(name string) (File, error) { return createLocked(name) }
