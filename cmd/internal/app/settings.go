package app

import (
	"crypto/tls"
	"errors"
	"fmt"
	"os"

	"tapdeck/cmd/internal/config"
	"tapdeck/controller"
	"tapdeck/controller/esl"
	"tapdeck/sink"
)

func sinkConfig(c config.Config) sink.Config {
	s := sink.DefaultConfig()
	s.Advertise, s.Allow, s.Directory = c.Sink.Advertise, c.Sink.Allow, c.Sink.Directory
	s.MinFree, s.MaxStreams, s.MaxDuration = int64(c.Sink.MinFree), c.Sink.MaxStreams, c.Sink.MaxDuration
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
	e.Headers = controller.Headers()
	return e
}

// LoadTLS reads the sink's certificate; it returns nil if there is none. Its error is a
// *ConfigError.
func LoadTLS(t config.TLS) (*tls.Config, error) {
	if t.Certificate == "" {
		return nil, nil
	}
	pair, err := tls.LoadX509KeyPair(t.Certificate, t.Key)
	if err != nil {
		return nil, &ConfigError{fmt.Errorf("load sink.tls certificate %s and key %s: %w", t.Certificate, t.Key, err)}
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}, nil
}

// checkDirectory finds out, before a call is answered, whether recordings can be kept.
func checkDirectory(directory string) error {
	err := os.MkdirAll(directory, 0o750)
	if err == nil {
		var probe *os.File
		if probe, err = os.CreateTemp(directory, ".tapdeck-"); err == nil {
			err = errors.Join(probe.Close(), os.Remove(probe.Name()))
		}
	}
	if err != nil {
		return &ConfigError{fmt.Errorf("sink.directory %q: %w; it must be a folder that tapdeck may write to", directory, err)}
	}
	return nil
}
