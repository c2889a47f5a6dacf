package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"golang.org/x/term"

	"tapdeck/cmd/internal/config"
)

type callsCommand struct {
	configured `embed:""`
	UUID       string        `arg:"" optional:"" help:"One call: print its timeline."`
	Follow     bool          `short:"f" help:"Go on, drawn anew on a terminal."`
	Interval   time.Duration `default:"1s" help:"How often --follow looks."`
	Last       int           `default:"10" help:"How many of the calls that ended last."`
	Admin      string        `placeholder:"HOST:PORT" help:"The daemon's admin address (default: admin.listen of the configuration)."`
	Token      string        `placeholder:"TOKEN" help:"The daemon's admin.token (default: that of the configuration)."`
}

// Run shows what a running daemon does.
func (c *callsCommand) Run(ctx context.Context, p *program) error {
	if err := c.check(); err != nil {
		return usage(err)
	}
	loaded, err := c.load(p, nil)
	if err != nil {
		return err
	}
	client, err := c.client(loaded.Config.Admin)
	if err != nil {
		return usage(err)
	}
	switch {
	case c.UUID != "":
		return printCall(ctx, p.Stdout, client, c.UUID)
	case c.Follow:
		return c.follow(ctx, p.Stdout, client)
	}
	page, err := client.calls(ctx, c.Last)
	if err != nil {
		return err
	}
	return printCalls(p.Stdout, page, 0)
}

func (c *callsCommand) check() error {
	switch {
	case c.Interval < 100*time.Millisecond || c.Interval > time.Hour:
		return fmt.Errorf("--interval %v: must be 100ms to 1h", c.Interval)
	case c.Last < 0 || c.Last > keptCalls:
		return fmt.Errorf("--last %d: must be 0 to %d", c.Last, keptCalls)
	case c.Follow && c.UUID != "":
		return fmt.Errorf("--follow shows all calls, not one: leave %s or --follow out", c.UUID)
	}
	return nil
}

// client is of the daemon that the command line, else the configuration, names.
func (c *callsCommand) client(admin config.Admin) (*adminClient, error) {
	if c.Admin != "" {
		admin.Listen = c.Admin
	}
	if c.Token != "" {
		admin.Token = c.Token
	}
	address, err := reachable(admin.Listen)
	if err != nil {
		return nil, err
	}
	return newAdminClient(address, admin.Token), nil
}

// reachable is where a listener's address can be reached from this machine.
func reachable(listen string) (string, error) {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return "", fmt.Errorf("admin address %q: must be HOST:PORT", listen)
	}
	if port == "0" {
		return "", fmt.Errorf("admin.listen is %q, so the daemon has taken any free port: its log line `tapdeck is ready` names it, give it with --admin", listen)
	}
	if addr, err := netip.ParseAddr(host); host == "" || err == nil && addr.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port), nil
}

// follow shows the calls again and again until ctx is done or Ctrl-C comes. A daemon that goes
// away may come back; only the first look must succeed.
func (c *callsCommand) follow(ctx context.Context, w io.Writer, client *adminClient) error {
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	ticker := time.NewTicker(c.Interval)
	defer ticker.Stop()
	for looks := 0; ; looks++ {
		page, err := client.calls(ctx, c.Last)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil && looks == 0:
			return err
		}
		if err := snapshot(w, client.address, page, err); err != nil {
			return err
		}
		if !tick(ctx, ticker.C) {
			return nil
		}
	}
}

// snapshot writes one look: over the one before on a terminal, else below it.
func snapshot(w io.Writer, address string, page *callsPage, failed error) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  tapdeck at %s\n", time.Now().Format("15:04:05"), address)
	if failed != nil {
		fmt.Fprintf(&b, "%v\n", failed)
	} else if err := printCalls(&b, page, terminalRows(w)); err != nil {
		return err
	}
	text := b.String() + "\n"
	if isTerminal(w) {
		// Home, long lines cut off, each line cleared to its end, then the rest.
		text = "\x1b[?7l\x1b[H" + strings.ReplaceAll(b.String(), "\n", "\x1b[K\n") + "\x1b[J\x1b[?7h"
	}
	_, err := io.WriteString(w, text)
	return err
}

// terminalRows is how many lines the terminal shows; 0 is no terminal.
func terminalRows(w io.Writer) int {
	f, ok := w.(*os.File)
	if !ok {
		return 0
	}
	_, rows, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return rows
}
