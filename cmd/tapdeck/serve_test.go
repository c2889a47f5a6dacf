package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"tapdeck/cmd/internal/apptest"
	"tapdeck/cmd/internal/verify"
	"tapdeck/controller/switchsim"
)

// TestSystemdIsTold runs serve as a unit of Type=notify.
func TestSystemdIsTold(t *testing.T) {
	m := apptest.NewManager(t)
	file := filepath.Join(t.TempDir(), "tapdeck.yaml")
	if err := os.WriteFile(file, []byte(scriptConfig+"drain_timeout: 5s\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var log apptest.Journal
	p := &program{Stdout: &log, Stderr: &log, Signals: make(chan os.Signal, 4), Environ: []string{
		"NOTIFY_SOCKET=" + m.Path, "WATCHDOG_USEC=40000", "WATCHDOG_PID=" + strconv.Itoa(os.Getpid()),
	}}
	ended := make(chan int, 1)
	go func() {
		ended <- p.Run(context.Background(), []string{"serve", "--config", file, "--sink-directory", t.TempDir()})
	}()
	m.Wait(t, `\[READY=1\]`)
	m.Wait(t, `(\[WATCHDOG=1\].*){3}`)
	before := monotonicMicros(t)
	p.Signals <- syscall.SIGHUP
	m.Wait(t, `\[RELOADING=1 MONOTONIC_USEC=\d+\].*\[READY=1\]`)
	at, _ := strconv.ParseInt(regexp.MustCompile(`USEC=(\d+)`).FindStringSubmatch(m.String())[1], 10, 64)
	if now := monotonicMicros(t); at < before || at > now {
		t.Errorf("MONOTONIC_USEC=%d is not between %d and %d", at, before, now)
	}
	p.Signals <- syscall.SIGTERM
	if code := <-ended; code != exitDone {
		t.Errorf("exit code %d; log:\n%s", code, &log)
	}
	m.Wait(t, `\[STOPPING=1 EXTEND_TIMEOUT_USEC=50000000\]`)
}

// monotonicMicros is the clock that systemd compares MONOTONIC_USEC with.
func monotonicMicros(t *testing.T) int64 {
	t.Helper()
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		t.Fatal(err)
	}
	return now.Nano() / 1000
}

// TestActivationRefusesNoCall hands listeners on as systemd does, ends the
// daemon, and places a call while there is none: the next daemon takes it.
func TestActivationRefusesNoCall(t *testing.T) {
	events, sink, admin := apptest.ListenAnywhere(t), apptest.ListenAnywhere(t), apptest.ListenAnywhere(t)
	dir := t.TempDir()
	config := filepath.Join(dir, "tapdeck.yaml")
	if err := os.WriteFile(config, []byte(scriptConfig), 0o600); err != nil {
		t.Fatal(err)
	}
	start := func() (*exec.Cmd, *apptest.Journal) {
		log := &apptest.Journal{}
		path, err := exec.LookPath("activated")
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(path, "serve", "--config", config, "--sink-directory", dir, "--sink-advertise", "ws://"+sink.Addr().String())
		cmd.Stderr = log
		cmd.Env = append(os.Environ(), "LISTEN_FDS=3", "LISTEN_FDNAMES=admin:esl:sink", "GORACE="+fastExit)
		for _, ln := range []net.Listener{admin, events, sink} {
			file, err := ln.(*net.TCPListener).File()
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = file.Close() }()
			cmd.ExtraFiles = append(cmd.ExtraFiles, file)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if cmd.ProcessState == nil {
				_ = cmd.Process.Kill()
				_ = cmd.Wait()
			}
		})
		return cmd, log
	}
	end := func(cmd *exec.Cmd, log *apptest.Journal) {
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("the daemon ended with %v; log:\n%s", err, log)
		}
	}
	old, log := start()
	log.Wait(t, `"tapdeck is ready".*"esl":"`+regexp.QuoteMeta(events.Addr().String())+`".*"admin":"`+regexp.QuoteMeta(admin.Addr().String())+`"`)
	end(old, log)

	sw := switchsim.New(switchsim.Config{})
	call, err := sw.Dial(t.Context(), switchsim.CallSpec{Address: events.Addr().String(), Voice: switchsim.ToneVoice(8000, 440, 0.5)})
	if err != nil {
		t.Fatal(err)
	}
	fresh, log := start()
	report := call.Wait()
	sw.Wait()
	if !report.Answered || report.HungUpBy != "controller" || len(report.Streams) != 1 {
		t.Errorf("the call between two daemons: answered %v, hung up by %q, %d streams; log:\n%s", report.Answered, report.HungUpBy, len(report.Streams), log)
	}
	end(fresh, log)
	if _, _, err := verify.Recording(dir, report); err != nil {
		t.Errorf("the call between two daemons: %v", err)
	}
}

func TestServeWithoutAUsableDirectory(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	code, _, stderr := runProgram(t, t.Context(), "serve", "-s", "sink.directory="+file, "-s", "esl.listen=127.0.0.1:0", "-s", "sink.listen=127.0.0.1:0", "-s", "admin.listen=127.0.0.1:0")
	if code != exitUsage || !strings.Contains(stderr, "sink.directory") {
		t.Errorf("exit %d, %s", code, stderr)
	}
}

// The garbage collector runs as measured for calls, unless the environment asks for something else.
func TestServeCollectsGarbage(t *testing.T) {
	for _, tt := range []struct {
		environ []string
		percent int
	}{{nil, gcPercent}, {[]string{"GOGC=250"}, 100}} {
		before := debug.SetGCPercent(100)
		s := serveIn(t, tt.environ, scriptConfig)
		if metrics := get(t, s.admin, "/metrics"); !strings.Contains(metrics, fmt.Sprintf("\ngo_gc_gogc_percent %d\n", tt.percent)) {
			t.Errorf("environment %q: not %d %%", tt.environ, tt.percent)
		}
		s.stop()
		debug.SetGCPercent(before)
	}
}
