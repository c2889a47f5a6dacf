package app

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"tapdeck/cmd/internal/config"
)

const (
	// endsSoon is how long before a certificate's end it is spoken of: certbot renews 30
	// days before.
	endsSoon = 14 * 24 * time.Hour
	// remindInterval is how often.
	remindInterval = 24 * time.Hour
)

// Certificate is the sink's TLS certificate, which is read again when it is renewed.
type Certificate struct {
	files   config.TLS
	reading sync.Mutex // one after the other, so that the latest files win
	current atomic.Pointer[tls.Certificate]
}

// LoadCertificate reads the sink's certificate; it returns nil if there is none. Its error is
// a *ConfigError.
func LoadCertificate(t config.TLS) (*Certificate, error) {
	if t.Certificate == "" {
		return nil, nil
	}
	c := &Certificate{files: t}
	pair, err := c.read()
	if err != nil {
		return nil, &ConfigError{err}
	}
	c.current.Store(pair)
	return c, nil
}

func (c *Certificate) read() (*tls.Certificate, error) {
	pair, err := tls.LoadX509KeyPair(c.files.Certificate, c.files.Key)
	if err != nil {
		return nil, fmt.Errorf("load sink.tls certificate %s and key %s: %w", c.files.Certificate, c.files.Key, err)
	}
	return &pair, nil
}

// Config is that of a server which shows the certificate.
func (c *Certificate) Config() *tls.Config {
	if c == nil {
		return nil
	}
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.current.Load(), nil },
	}
}

// Ends returns when the certificate ends, and whether that is soon.
func (c *Certificate) Ends() (at time.Time, soon bool) {
	at = c.current.Load().Leaf.NotAfter
	return at, time.Until(at) < endsSoon
}

// renew reads the files again. A certificate that is bad, or has ended, changes nothing.
func (c *Certificate) renew() (renewed bool, err error) {
	c.reading.Lock()
	defer c.reading.Unlock()
	fresh, err := c.read()
	if err != nil {
		return false, err
	}
	if slices.EqualFunc(fresh.Certificate, c.current.Load().Certificate, bytes.Equal) {
		return false, nil
	}
	if at := fresh.Leaf.NotAfter; time.Now().After(at) {
		return false, fmt.Errorf("load sink.tls certificate %s: it ended at %s", c.files.Certificate, at.UTC().Format(time.RFC3339))
	}
	c.current.Store(fresh)
	return true, nil
}

// certificateEnds is the metric of a certificate's end. Without TLS it has no series.
func certificateEnds(reg prometheus.Registerer) *prometheus.GaugeVec {
	ends := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "tapdeck_sink_tls_not_after_timestamp_seconds", Help: "When the certificate of sink.tls ends, in Unix time; without TLS there is none.",
	}, nil)
	reg.MustRegister(ends)
	return ends
}

// watchCertificate reads the certificate again whenever its files change, and reminds of its
// end, until ctx is done.
func (d *Daemon) watchCertificate(ctx context.Context) {
	if d.certificate == nil {
		return
	}
	files := d.certificate.files
	watcher, err := config.NewWatcher(reloadDebounce, files.Certificate, files.Key)
	d.renewCertificate() // which may have changed since it was loaded
	var reminder sync.WaitGroup
	defer reminder.Wait()
	reminder.Go(func() { d.guard("certificate", func() { d.remindOfCertificate(ctx) }) })
	if err != nil {
		d.log.Warn("certificate not watched", zap.NamedError("err", err), zap.String("hint", "a renewed certificate is read after SIGHUP only"))
		return
	}
	watcher.Run(ctx, d.renewCertificate)
}

// remindOfCertificate says once a day if the certificate's end is near, until ctx is done.
func (d *Daemon) remindOfCertificate(ctx context.Context) {
	ticker := time.NewTicker(remindInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			d.tellCertificate()
		case <-ctx.Done():
			return
		}
	}
}

// renewCertificate reads the certificate again, if there is one.
func (d *Daemon) renewCertificate() {
	if d.certificate == nil {
		return
	}
	renewed, err := d.certificate.renew()
	switch {
	case err != nil:
		d.log.Error("certificate not renewed", zap.NamedError("err", err),
			zap.String("hint", "the one before is still used; once both files are right they are read again, and SIGHUP reads them at once"))
	case renewed:
		at, _ := d.certificate.Ends()
		d.log.Info("certificate renewed", zap.String("file", d.certificate.files.Certificate), zap.Time("not_after", at))
	}
	d.tellCertificate()
}

// tellCertificate says when the certificate ends, in the log if that is soon.
func (d *Daemon) tellCertificate() {
	if d.certificate == nil {
		return
	}
	at, soon := d.certificate.Ends()
	d.certificateEnds.WithLabelValues().Set(float64(at.Unix()))
	if soon {
		d.log.Warn("certificate ends soon", zap.String("file", d.certificate.files.Certificate), zap.Time("not_after", at),
			zap.String("hint", "FreeSWITCH will refuse it then: renew it; new files are used as soon as they are there"))
	}
}
