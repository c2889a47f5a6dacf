package app

import (
	"context"
	"time"

	"go.uber.org/zap"

	"tapdeck/controller/player"
)

// chunkAge is more than any chunk lives: it is a second of audio at most, and what does not end within five more is given
// up. What is older in player.directory has no player any more, whichever tapdeck wrote it.
const chunkAge = time.Minute

// sweep removes the chunks that a tapdeck which died has left in player.directory, beside the calls. Those of
// its last minute could be another tapdeck's, which shares the folder: they are looked at again when
// they are old enough.
func (d *Daemon) sweep(ctx context.Context) {
	dir := d.started.Config.Player.Directory
	if dir == "" {
		return
	}
	d.sweepOnce(dir)
	again := time.NewTimer(chunkAge + time.Second)
	defer again.Stop()
	select {
	case <-again.C:
		d.sweepOnce(dir)
	case <-ctx.Done():
	}
}

func (d *Daemon) sweepOnce(dir string) {
	removed, err := player.Sweep(dir, chunkAge)
	if err != nil {
		d.log.Warn("player's directory not swept", zap.String("directory", dir), zap.NamedError("err", err), zap.String("hint", "chunks that a tapdeck which died has left there stay until they are removed by hand: is tapdeck allowed to read and write there?"))
	}
	if removed > 0 {
		d.log.Info("player's directory swept", zap.String("directory", dir), zap.Int("removed", removed))
	}
}
