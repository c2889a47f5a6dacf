package doctor

import (
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"tapdeck/cmd/internal/config"
)

// disk looks at the free space where the recordings go.
func (x *examination) disk() {
	const check = "free disk"
	dir := existing(x.Loaded.Config.Sink.Directory)
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		x.report(finding(Unknown, check, fmt.Sprintf("%s: %v", dir, err), ""))
		return
	}
	free := config.Size(int64(s.Bavail) * int64(s.Bsize)) // both differ by system
	needed := x.Loaded.Config.Sink.MinFree
	seen := fmt.Sprintf("%.1f GiB free at %s, sink.min_free is %v", float64(free)/float64(config.GiB), dir, needed)
	switch {
	case free < needed:
		x.report(finding(Fail, check, seen, "make room, or lower sink.min_free; until then new streams are refused"))
	case free < 2*needed:
		x.report(finding(Warn, check, seen, "make room soon"))
	default:
		x.report(pass(check, "%s", seen))
	}
}

// existing is the whole path of dir, or of the nearest folder above it that exists.
func existing(dir string) string {
	if whole, err := filepath.Abs(dir); err == nil {
		dir = whole
	}
	for {
		if _, err := os.Stat(dir); err == nil || dir == filepath.Dir(dir) {
			return dir
		}
		dir = filepath.Dir(dir)
	}
}
