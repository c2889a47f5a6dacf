package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"tapdeck/cmd/internal/app"
	"tapdeck/cmd/internal/config"
	"tapdeck/controller"
	"tapdeck/controller/flow"
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
	if err := app.CheckPlayer(loaded.Config.Player); err != nil {
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
	if err := printValues(p.Stdout, slices.DeleteFunc(loaded.Values(), config.Value.Idle)); err != nil {
		return err
	}
	for _, name := range loaded.PlanNames() {
		plan, _ := loaded.Plan(name)
		fmt.Fprintf(p.Stdout, "\nplan %s, seconds from the %s:\n", name, zeroOf(plan))
		if err := printTimeline(p.Stdout, config.Timeline(plan)); err != nil {
			return err
		}
	}
	return nil
}

// zeroOf names the moment at which a plan's times begin.
func zeroOf(plan controller.Plan) string {
	var at flow.Position
	if err := plan.Steps[0].Follow(&at); err != nil || !at.Answered {
		return "plan's begin"
	}
	return "answer"
}

func printValues(w io.Writer, values []config.Value) error {
	takesEffect := map[config.Reload]string{"restart": "after a restart", "next call": "from the next call"}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "KEY\tVALUE\tORIGIN\tTAKES EFFECT")
	for _, v := range values {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", v.Key, visible(v.Brief()), v.Origin, cmp.Or(takesEffect[v.Reload], "at once"))
	}
	return t.Flush()
}

func printTimeline(w io.Writer, lines []flow.Line) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, line := range lines {
		fmt.Fprintf(t, "  %s\t%s\n", line.Time, visible(line.Text))
	}
	return t.Flush()
}

// visible escapes what a terminal shows as nothing, or what changes how it shows the rest.
func visible(text string) string {
	var b strings.Builder
	for _, r := range text {
		if unicode.IsPrint(r) {
			b.WriteRune(r)
		} else {
			b.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
		}
	}
	return b.String()
}
