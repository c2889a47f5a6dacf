package main

import (
	"cmp"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"tapdeck/cmd/internal/app"
	"tapdeck/cmd/internal/config"
)

type checkCommand struct {
	configured `embed:""`
	Example    bool `help:"Print a commented example configuration with every key at its default instead."`
}

// Run validates the configuration and shows what it comes to.
func (c *checkCommand) Run(p *program) error {
	if c.Example {
		_, err := p.Stdout.Write(config.Example())
		return err
	}
	loaded, err := c.load(p, nil)
	if err != nil {
		return err
	}
	certificate, err := app.LoadCertificate(loaded.Config.Sink.TLS)
	if err != nil {
		return err
	}
	for _, w := range loaded.Warnings {
		fmt.Fprintf(p.Stderr, "tapdeck: warning: %v\n", w)
	}
	if certificate != nil {
		if at, soon := certificate.Ends(); soon {
			fmt.Fprintf(p.Stderr, "tapdeck: warning: sink.tls.certificate: %q: it ends at %s; renew it, a running tapdeck reads it again\n", loaded.Config.Sink.TLS.Certificate, at.UTC().Format(time.RFC3339))
		}
	}
	takesEffect := map[config.Reload]string{"restart": "after a restart", "next call": "from the next call"}
	t := tabwriter.NewWriter(p.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "KEY\tVALUE\tORIGIN\tTAKES EFFECT")
	for _, v := range loaded.Values() {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", v.Key, v.Value, v.Origin, cmp.Or(takesEffect[v.Reload], "at once"))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, name := range loaded.PlanNames() {
		plan, _ := loaded.Plan(name)
		fmt.Fprintf(p.Stdout, "\nplan %s, seconds from the answer:\n", name)
		if err := printTimeline(p.Stdout, config.Timeline(plan)); err != nil {
			return err
		}
	}
	return nil
}

func printTimeline(w io.Writer, steps []config.Step) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, s := range steps {
		fmt.Fprintf(t, "  %s\t%s\n", s.Time, s.Text)
	}
	return t.Flush()
}
