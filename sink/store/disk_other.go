//go:build unix && !linux

package sink

func (osDisk) Rename(from, to string) error { return linkAndRemove(from, to) }

func (osDisk) Create(name string) (file, error) { return createLocked(name) }
