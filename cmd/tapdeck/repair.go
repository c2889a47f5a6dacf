package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"go.uber.org/zap"

	"tapdeck/cmd/internal/app"
	"tapdeck/sink/store"
	"tapdeck/wav"
)

type repairCommand struct {
	Paths       []string `arg:"" name:"path" help:"A recordings directory, or a WAV file: one that a crash left, one that says it has no audio, also one of another program."`
	RemoveEmpty bool     `help:"Remove .part files to which nothing was ever written; they are only named otherwise."`
}

// Help is what `tapdeck repair --help` says beyond the flags.
func (c *repairCommand) Help() string {
	return "Of a directory, what a crash left below it is repaired and published, with a record. " +
		"Of a file, the header is mended in place, so that it declares all of the audio; audio is never removed, and a healthy file stays as it is. " +
		"Of one at which many programs stop whatever its header says (an ID3 tag before it, a chunk without its pad byte, two data chunks), a copy that any program reads is written beside it, NAME-plain.wav. " +
		"Files that a running tapdeck has are left alone."
}

// Run repairs each path and says what it did.
func (c *repairCommand) Run(ctx context.Context, p *program) error {
	var failed []error
	for _, path := range c.Paths {
		info, err := os.Stat(path)
		switch {
		case err != nil:
			err = usage(fmt.Errorf("repair %s: %w", path, err))
		case info.IsDir():
			err = c.directory(ctx, p, path)
		case !info.Mode().IsRegular():
			err = usage(fmt.Errorf("repair %s: must be a directory or a WAV file", path))
		default:
			err = c.file(p, path)
		}
		failed = append(failed, err)
	}
	return errors.Join(failed...)
}

// directory repairs and publishes what a crash left.
func (c *repairCommand) directory(ctx context.Context, p *program, dir string) (err error) {
	log := app.NewLogger(p.Stderr, "console", zap.NewAtomicLevelAt(zap.WarnLevel))
	s := store.New(dir, store.OSDisk{})
	var removed, done store.Recovery
	if c.RemoveEmpty {
		removed, err = s.RemoveEmpty(ctx)
	}
	if err == nil {
		done, err = s.Recover(ctx, log)
	}
	files := append(removed.Files, done.Files...)
	for _, f := range files {
		fmt.Fprintln(p.Stdout, f)
	}
	if err != nil {
		return fmt.Errorf("repair %s: %w", dir, err)
	}
	if left := removed.Left() + done.Left(); left > 0 {
		return fmt.Errorf("repair %s: %d files were left as they are", dir, left)
	}
	if len(files) == 0 {
		fmt.Fprintf(p.Stdout, "%s: nothing to repair\n", dir)
	}
	return nil
}

// file mends one WAV where it is.
func (c *repairCommand) file(p *program, path string) error {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return fmt.Errorf("repair %s: %w", path, err)
	}
	s, isPart := store.New(filepath.Dir(real), store.OSDisk{}), strings.HasSuffix(real, ".part")
	done, err := s.Mend(real)
	said := "nothing to repair"
	switch {
	case errors.Is(err, store.ErrEmpty) && isPart && c.RemoveEmpty:
		said, err = store.ActionEmpty, s.RemoveEmptyFile(real)
	case errors.Is(err, store.ErrEmpty) && isPart:
		return fmt.Errorf("repair %s: %w: --remove-empty removes it", path, err)
	case errors.Is(err, store.ErrLocked):
		return fmt.Errorf("repair %s: it %s: try again when its call is over", path, store.ActionLive)
	case done.Changed:
		said = "mended"
	}
	if err != nil {
		return fmt.Errorf("repair %s: left as it is: %w", path, err)
	}
	if done.Audio > 0 {
		said += fmt.Sprintf(", %.2f s", done.Audio.Seconds())
	}
	if done.Odd != "" {
		plain, err := writePlain(real)
		if err != nil {
			return fmt.Errorf("repair %s: it has %s, at which many programs stop: %w", path, done.Odd, err)
		}
		said += fmt.Sprintf("; it has %s, at which many programs stop: %s is the same audio for all", done.Odd, plain)
	}
	if isPart && done.Changed {
		said += "; tapdeck repair on its directory publishes it"
	}
	fmt.Fprintf(p.Stdout, "%s: %s\n", path, said)
	return nil
}

// writePlain writes the audio of a file as a new one beside it, which any program reads.
func writePlain(path string) (plain string, err error) {
	plain = strings.TrimSuffix(path, filepath.Ext(path)) + "-plain.wav"
	file, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	f, err := os.OpenFile(plain, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o640)
	if errors.Is(err, fs.ErrExist) { // from an earlier repair
		return plain, nil
	}
	if err != nil {
		return "", err
	}
	if err = errors.Join(wav.WritePlain(f, file), f.Sync(), f.Close()); err != nil {
		_ = os.Remove(plain)
	}
	return plain, err
}
