package app

import (
	"context"
	"time"

	"go.uber.org/zap"

	"tapdeck/controller/player"
)

// chunkLife is far longer than a chunk of a bot's voice is needed: it is written right before it is
// played, and lasts a second at most.
const chunkLife = 10 * time.Minute

// sweepChunks removes from player.directory what processes that died have left of bots' voices: at
// once, and every chunkLife, since what a process has left that died a moment ago is too young to be
// told from what another one plays. It returns when ctx is done, or if there is no directory.
func (d *Daemon) sweepChunks(ctx context.Context) {
	dir := d.loaded.Load().Config.Player.Directory
	if dir == "" {
		return
	}
	tick := time.NewTicker(chunkLife)
	defer tick.Stop()
	for {
		removed, err := player.Sweep(dir, chunkLife)
		if err != nil {
			d.log.Warn("player.directory not swept", zap.NamedError("err", err), zap.String("hint", "remove the old tapdeck-*.r8 and tapdeck-*.r16 there yourself, or let tapdeck do it"))
		}
		if removed > 0 {
			d.log.Info("player.directory swept", zap.Int("removed", removed))
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}
