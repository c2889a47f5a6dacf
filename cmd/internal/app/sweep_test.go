package app

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"tapdeck/cmd/internal/apptest"
	"tapdeck/cmd/internal/config"
)

// leftChunk is what a tapdeck that died has left in a player's directory.
func leftChunk(t *testing.T, dir, call string, age time.Duration) string {
	t.Helper()
	path := filepath.Join(dir, "tapdeck-"+call+"-0123abcd-1.r8")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if at := time.Now().Add(-age); age != 0 {
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

// A daemon removes what a dead one has left, and says how much in one line.
func TestSweptAtTheStart(t *testing.T) {
	dir := t.TempDir()
	old := leftChunk(t, dir, "old", time.Hour)
	fresh := leftChunk(t, dir, "fresh", 0)
	s := newTestDaemon(t, shortCalls, func(c *config.Config) { c.Player.Directory = dir })
	apptest.Until(t, "the sweep", func() bool { return strings.Contains(s.journal.String(), `"removed":1`) })
	if _, err := os.Stat(old); err == nil {
		t.Error("the old chunk is there")
	}
	if _, err := os.Stat(fresh); err != nil {
		t.Error("a chunk of a tapdeck that may run is gone")
	}
}

// What was written in the last minute before the death is removed a minute later.
func TestSweptAgain(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zap.InfoLevel)
		loaded := &config.Loaded{}
		loaded.Config.Player.Directory = dir
		d := &Daemon{log: zap.New(core), started: loaded}
		path := leftChunk(t, dir, "fresh", time.Millisecond)
		d.sweep(t.Context())
		if _, err := os.Stat(path); err == nil || logs.FilterMessage("player's directory swept").Len() != 1 {
			t.Errorf("%v, %v", err, logs.All())
		}
	})
}

// A folder that can't be read is a warning that says what to do; without a folder there is nothing to do.
func TestNotSwept(t *testing.T) {
	core, logs := observer.New(zap.InfoLevel)
	d := &Daemon{log: zap.New(core), started: &config.Loaded{}}
	d.sweep(t.Context())
	d.sweepOnce(filepath.Join(t.TempDir(), "missing"))
	if all := logs.All(); len(all) != 1 || all[0].ContextMap()["hint"] == "" {
		t.Errorf("%v", all)
	}
}
