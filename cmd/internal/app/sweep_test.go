package app

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/zap"

	"tapdeck/cmd/internal/config"
)

// What a process that died has left of a bot's voice goes, and nothing else does.
func TestSweepChunks(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, age time.Duration) string {
		path, at := filepath.Join(dir, name), time.Now().Add(-age)
		if err := os.WriteFile(path, []byte{0, 0}, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
		return path
	}
	old := write("tapdeck-call-1.r8", 2*chunkLife)
	write("tapdeck-call-2.r8", 0)
	write("prompt.r8", 2*chunkLife)
	d := &Daemon{log: zap.NewNop()}
	d.loaded.Store(&config.Loaded{Config: config.Config{Player: config.Player{Directory: dir}}})
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // so that it sweeps once
	d.sweepChunks(ctx)
	if _, err := os.Stat(old); !os.IsNotExist(err) {
		t.Errorf("an old chunk: %v", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 2 {
		t.Errorf("left: %v, %v", left, err)
	}
}
