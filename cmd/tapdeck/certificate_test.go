package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"tapdeck/cmd/internal/apptest"
	"tapdeck/cmd/internal/verify"
	"tapdeck/controller/switchsim"
)

// secured is a folder with a certificate and its key as certbot leaves them: links, each to
// the file of the latest renewal.
type secured struct {
	t         *testing.T
	dir       string
	cert, key string
}

func secure(t *testing.T) *secured {
	dir := t.TempDir()
	return &secured{t: t, dir: dir, cert: filepath.Join(dir, "fullchain.pem"), key: filepath.Join(dir, "privkey.pem")}
}

// renew lets the links lead to a new certificate.
func (s *secured) renew(serial int64, ends time.Time) {
	s.t.Helper()
	cert, key := apptest.Certificate(s.t, serial, ends)
	s.link(s.cert, cert)
	s.link(s.key, key)
}

func (s *secured) link(path string, content []byte) {
	s.t.Helper()
	file, err := os.CreateTemp(s.dir, "archive")
	if err == nil {
		_, err = file.Write(content)
	}
	for _, step := range []func() error{file.Close, func() error { return os.Symlink(file.Name(), path+".new") }, func() error { return os.Rename(path+".new", path) }} {
		if err == nil {
			err = step()
		}
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

// shown is the serial number of the certificate that a listener shows.
func shown(t *testing.T, address string) int64 {
	t.Helper()
	conn, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	return conn.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
}

// TestRenewedCertificate renews the sink's certificate under a running daemon, well and badly.
func TestRenewedCertificate(t *testing.T) {
	files := secure(t)
	day := 24 * time.Hour
	files.renew(1, time.Now().Add(5*day))
	var log apptest.Journal
	p := &program{Stdout: &log, Stderr: &log, Signals: make(chan os.Signal, 4)}
	config, dir := filepath.Join(files.dir, "tapdeck.yaml"), t.TempDir()
	if err := os.WriteFile(config, []byte(scriptConfig), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan int, 1)
	go func() {
		ended <- p.Run(ctx, []string{
			"serve", "--config", config, "--sink-directory", dir,
			"-s", "sink.tls.certificate=" + files.cert, "-s", "sink.tls.key=" + files.key,
		})
	}()
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("log of the daemon:\n%s", &log)
		}
	})
	log.Wait(t, `"msg":"tapdeck is ready"`)
	s := served{t: t, log: &log, sw: switchsim.New(switchsim.Config{})}
	s.esl, s.sink, s.admin = s.readyAddresses()
	defer func() {
		cancel()
		if code := <-ended; code != exitDone {
			t.Errorf("exit code %d", code)
		}
		s.sw.Wait()
	}()

	log.Wait(t, `"level":"warn",[^\n]*"msg":"certificate ends soon","file":"[^"]*fullchain.pem","not_after":"[^"]*","hint"`)
	if n := shown(t, s.sink); n != 1 {
		t.Errorf("certificate %d", n)
	}
	ends := time.Now().Add(90 * day)
	files.renew(2, ends)
	log.Wait(t, `"msg":"certificate renewed"`)
	if n := shown(t, s.sink); n != 2 {
		t.Errorf("certificate %d is shown after the renewal", n)
	}
	if metrics := get(t, s.admin, "/metrics"); !strings.Contains(metrics, fmt.Sprintf("\ntapdeck_sink_tls_not_after_timestamp_seconds %v\n", float64(ends.Unix()))) {
		t.Errorf("no end of the certificate in\n%s", metrics)
	}
	report := s.place(switchsim.CallSpec{Voice: switchsim.ToneVoice(8000, 440, 0.5)}).Wait()
	if _, _, err := verify.Recording(dir, report); err != nil {
		t.Error(err)
	}

	files.renew(3, time.Now().Add(-day))
	log.Wait(t, `"level":"error",[^\n]*"msg":"certificate not renewed","err":"[^"]*it ended at [^"]*","hint"`)
	files.link(files.key, []byte("no key"))
	log.Wait(t, `"msg":"certificate not renewed","err":"[^"]*failed to find any PEM data in key input","hint"`)
	if err := os.Remove(files.cert); err != nil {
		t.Fatal(err)
	}
	log.Wait(t, `"msg":"certificate not renewed","err":"[^"]*no such file`)
	if n := shown(t, s.sink); n != 2 {
		t.Errorf("certificate %d is shown after bad renewals", n)
	}

	files.renew(4, ends)
	p.Signals <- syscall.SIGHUP
	apptest.Until(t, "the fourth certificate", func() bool { return shown(t, s.sink) == 4 })
}

// get is what the admin listener answers.
func get(t *testing.T, admin, path string) string {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: apptest.Patience}
	resp, err := client.Get("http://" + admin + path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
