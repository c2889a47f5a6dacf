package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"golang.org/x/term"

	"tapdeck/cmd/internal/app"
	"tapdeck/cmd/internal/callview"
	"tapdeck/cmd/internal/config"
)

type callsCommand struct {
	configured `embed:""`
	UUID       string        `arg:"" optional:"" help:"One call, by its UUID or other channel id: print its timeline."`
	Follow     bool          `short:"f" help:"Keep showing the calls; a terminal is redrawn."`
	Interval   time.Duration `default:"1s" help:"How often --follow asks."`
	Last       int           `default:"10" help:"How many ended calls to show, the latest first."`
	Admin      string        `placeholder:"HOST:PORT" help:"The daemon's admin address (default: admin.listen of the configuration)."`
	Token      string        `placeholder:"TOKEN" help:"The daemon's admin.token (default: that of the configuration)."`
}

// Run shows what a running daemon does.
func (c *callsCommand) Run(ctx context.Context, p *program) error {
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
	page, err := client.Page(ctx, c.Last)
	if err != nil {
		return err
	}
	return page.Print(p.Stdout, 0)
}

// Validate implements kong.Validatable.
func (c *callsCommand) Validate() error {
	switch {
	case c.Interval < 100*time.Millisecond || c.Interval > time.Hour:
		return fmt.Errorf("--interval %v: must be 100ms to 1h", c.Interval)
	case c.Last < 0 || c.Last > callview.MaxEnded:
		return fmt.Errorf("--last %d: must be 0 to %d", c.Last, callview.MaxEnded)
	case c.Follow && c.UUID != "":
		return fmt.Errorf("--follow shows all calls, not one: leave %s or --follow out", c.UUID)
	}
	return nil
}

// client is of the daemon that the command line, else the configuration, names.
func (c *callsCommand) client(admin config.Admin) (*callview.Client, error) {
	listen := cmp.Or(c.Admin, admin.Listen)
	switch _, port, err := net.SplitHostPort(listen); {
	case err != nil:
		return nil, fmt.Errorf("admin address %q: must be HOST:PORT", listen)
	case port == "0":
		return nil, fmt.Errorf("admin.listen is %q, so the daemon listens on any free port: its log line `tapdeck is ready` names it, give it with --admin", listen)
	}
	return callview.NewClient(listen, cmp.Or(c.Token, admin.Token)), nil
}

// printCall writes one call: its timeline, or where it stands if it still runs.
func printCall(ctx context.Context, w io.Writer, client *callview.Client, id string) error {
	now, record, err := client.Call(ctx, id)
	switch {
	case err != nil:
		return fmt.Errorf("show call %s: %w", id, err)
	case now != nil:
		return now.Print(w)
	}
	return callview.PrintTimeline(w, record)
}

// follow shows the calls again and again until ctx is done or Ctrl-C comes. A daemon that goes
// away may come back; only the first question must be answered.
func (c *callsCommand) follow(ctx context.Context, w io.Writer, client *callview.Client) error {
	ctx, stop := untilSignal(ctx)
	defer stop()
	ticker := time.NewTicker(c.Interval)
	defer ticker.Stop()
	for asked := 0; ; asked++ {
		page, err := client.Page(ctx, c.Last)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil && asked == 0:
			return err
		}
		if err := snapshot(w, client.Address(), page, err); err != nil {
			return err
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// snapshot writes what was seen at one moment: over the one before on a terminal, else
// below it.
func snapshot(w io.Writer, address string, page *callview.Page, failed error) error {
	rows := 0
	if f, ok := w.(*os.File); ok {
		_, rows, _ = term.GetSize(int(f.Fd())) // 0 if it is no terminal
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s  tapdeck at %s\n", time.Now().Format("15:04:05"), address)
	if failed != nil {
		fmt.Fprintf(&b, "%v\n", failed)
	} else if err := page.Print(&b, rows); err != nil {
		return err
	}
	text := b.String() + "\n"
	if app.IsTerminal(w) {
		// Home, long lines cut off, each line cleared to its end, then the rest.
		text = "\x1b[?7l\x1b[H" + strings.ReplaceAll(b.String(), "\n", "\x1b[K\n") + "\x1b[J\x1b[?7h"
	}
	_, err := io.WriteString(w, text)
	return err
}

// untilSignal returns a ctx that ends with the first signal. A second one kills: stdout may be a pipe that nobody
// reads.
func untilSignal(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}
