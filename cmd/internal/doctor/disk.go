package doctor

import (
	"errors"
	"io/fs"
	"path/filepath"

	"golang.org/x/sys/unix"

	"tapdeck/cmd/internal/config"
)

// disk checks the free space where the recordings go, or will go.
func (x *examination) disk() {
	const check = "free disk"
	var s unix.Statfs_t
	dir, _ := filepath.Abs(x.Loaded.Config.Sink.Directory)
	err := unix.Statfs(dir, &s)
	for errors.Is(err, fs.ErrNotExist) && dir != filepath.Dir(dir) {
		dir = filepath.Dir(dir)
		err = unix.Statfs(dir, &s)
	}
	free := config.Size(int64(s.Bavail) * int64(s.Bsize)) // both differ by system
	const text = "%.1f GiB free at %s, sink.min_free is %v"
	gib, needed := float64(free)/float64(config.GiB), x.Loaded.Config.Sink.MinFree
	switch {
	case err != nil:
		x.report(Unknown, check, "", "%s: %v", dir, err)
	case free < needed:
		x.report(Fail, check, "make room, or lower sink.min_free; until then new streams are refused", text, gib, dir, needed)
	case free < 2*needed:
		x.report(Warn, check, "make room soon", text, gib, dir, needed)
	default:
		x.pass(check, text, gib, dir, needed)
	}
}
