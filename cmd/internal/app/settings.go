package app

import (
	"fmt"
	"os"

	"go.uber.org/zap"

	"tapdeck/cmd/internal/config"
	"tapdeck/controller"
	"tapdeck/controller/esl"
	"tapdeck/sink"
	"tapdeck/sink/store"
)

func sinkConfig(c config.Config) sink.Config {
	s := sink.DefaultConfig()
	s.Advertise, s.Allow, s.Directory = c.Sink.Advertise, c.Sink.Allow, c.Sink.Directory
	s.MinFree, s.MaxStreams, s.MaxDuration = int64(c.Sink.MinFree), c.Sink.MaxStreams, c.Sink.MaxDuration
	s.CuePoints = c.Sink.CuePoints
	s.IdleTimeout, s.ReadInterval, s.SyncInterval = c.Sink.IdleTimeout, c.Sink.ReadInterval, c.Sink.SyncInterval
	return s
}

// spareConnections is how many event sockets there may be beyond max_calls: those of
// calls that are refused.
const spareConnections = 256

func eslConfig(c config.Config) esl.Config {
	e := esl.DefaultConfig()
	e.Allow = c.ESL.Allow
	e.MaxConnections = c.ESL.MaxCalls + spareConnections
	e.ReplyTimeout = controller.DefaultConfig().CommandTimeout
	e.Headers = controller.Headers(c.Record.Variables...)
	return e
}

// CheckPlayer finds out, before a bot speaks, whether what it says can be written for FreeSWITCH. Its error is
// a *ConfigError.
func CheckPlayer(p config.Player) error {
	if p.Directory == "" {
		return nil
	}
	f, err := os.CreateTemp(p.Directory, "tapdeck-*.probe")
	if err != nil {
		return &ConfigError{fmt.Errorf("player.directory %q: %w; it must be a folder that tapdeck may write to, and FreeSWITCH may read", p.Directory, err)}
	}
	_ = f.Close()
	return os.Remove(f.Name())
}

// checkDirectory finds out, before a call is answered, whether recordings can be kept, and
// warns of what the directory's file system can't do.
func checkDirectory(directory *store.Store, path string, log *zap.Logger) error {
	can, err := directory.Probe()
	if err != nil {
		return &ConfigError{fmt.Errorf("sink.directory %q: %w; it must be a folder that tapdeck may write to", path, err)}
	}
	log = log.With(zap.String("directory", path))
	if !can.Locked {
		log.Warn("no file locks", zap.String("hint", "after a crash, recordings are recovered a minute later than elsewhere, as nothing but their times says whether a running tapdeck has them: "+
			"mount sink.directory with locks (NFS: without nolock, CIFS: without nobrl), or give each tapdeck a directory of its own on a local disk"))
	}
	if can.Rename != nil {
		log.Warn("files can't be renamed", zap.NamedError("err", can.Rename), zap.String("hint", "every recording would stay a .part: mount sink.directory so that files that are open can be renamed, or choose a folder on another file system"))
	}
	log.Info("directory checked", zap.Bool("locks", can.Locked), zap.Bool("rename", can.Rename == nil))
	return nil
}
