package main

import (
	"context"
	"fmt"

	"go.uber.org/zap"

	"tapdeck/cmd/internal/app"
	"tapdeck/sink/store"
)

type repairCommand struct {
	Dir string `arg:"" type:"existingdir" help:"A recordings directory."`
}

// Run repairs and publishes what a crash left, and says what it did to each file.
func (c *repairCommand) Run(ctx context.Context, p *program) error {
	log := app.NewLogger(p.Stderr, "console", zap.NewAtomicLevelAt(zap.WarnLevel))
	done, err := store.New(c.Dir, store.OSDisk{}).Recover(ctx, log)
	for _, f := range done.Files {
		fmt.Fprintln(p.Stdout, f)
	}
	if err != nil {
		return fmt.Errorf("repair %s: %w", c.Dir, err)
	}
	if left := done.Left(); left > 0 {
		return fmt.Errorf("repair %s: %d files were left as they are", c.Dir, left)
	}
	if len(done.Files) == 0 {
		fmt.Fprintf(p.Stdout, "%s: nothing to repair\n", c.Dir)
	}
	return nil
}
