package player

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

const (
	// filePrefix begins the names of our files.
	filePrefix = "tapdeck-"
	// maxCallBytes is how much of a call's id is in a name.
	maxCallBytes = 100
)

// write writes a chunk to the directory, whole, unless it has a file.
func (p *Player) write(c *chunk) error {
	if c.file != "" {
		return nil
	}
	p.files++
	name := p.cfg.Call + "-" + strconv.Itoa(p.files) + extension(p.cfg.Rate)
	c.file, c.ours = filepath.Join(p.cfg.Directory, name), true
	return writeFile(c.file, c.pcm)
}

// extension is by what FreeSWITCH knows what is in a file without a header (F81).
func extension(rate int) string {
	if rate == 16000 {
		return ".r16"
	}
	return ".r8"
}

// writeFile writes a file that the switch can read, whoever runs it and whatever our umask is.
func writeFile(path string, pcm []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(pcm)
	return errors.Join(err, f.Chmod(0o644), f.Close())
}

// fileName is how a call's files begin: its id, in letters that mean nothing to a file system or in a command, and
// something of this player's own.
func fileName(call string) string {
	var b strings.Builder
	b.WriteString(filePrefix)
	for i := 0; i < len(call) && b.Len() < maxCallBytes; i++ {
		switch c := call[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-':
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "_%02x", c)
		}
	}
	return fmt.Sprintf("%s-%08x", &b, rand.Uint32())
}

// remove removes files of ours. One that can't be removed is left to Sweep.
func (p *Player) remove(files []string) {
	for _, f := range files {
		_ = os.Remove(f)
	}
}

// ourFile is what fileName and write make, as far as a name is not cut.
var ourFile = regexp.MustCompile(`^` + filePrefix + `[A-Za-z0-9_-]*-[0-9a-f]{8}-[0-9]+\.r(8|16)$`)

// Sweep removes the chunks that players have left in a directory, because their process died: those
// that were written longer ago than olderThan, which is more than a chunk's life (seconds). It returns how many
// it has removed. Other files are not touched, and no link is followed: whoever else writes into the directory may
// choose names like ours, and loses no more than a file of such a name.
func Sweep(dir string, olderThan time.Duration) (removed int, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return 0, fmt.Errorf("sweep player's directory: %w", err)
	}
	var errs []error
	for _, e := range entries {
		if !left(e, olderThan) {
			continue
		}
		switch err := os.Remove(filepath.Join(dir, e.Name())); {
		case err == nil:
			removed++
		case !errors.Is(err, fs.ErrNotExist):
			errs = append(errs, err)
		}
	}
	return removed, errors.Join(errs...)
}

func left(e fs.DirEntry, olderThan time.Duration) bool {
	if !e.Type().IsRegular() || !ourFile.MatchString(e.Name()) {
		return false
	}
	info, err := e.Info()
	return err == nil && time.Since(info.ModTime()) > olderThan
}
