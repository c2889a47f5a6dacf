package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"tapdeck/cmd/internal/doctor"
)

// passwordVariable is the environment variable of the event socket's password.
const passwordVariable = "TAPDECK_FREESWITCH_PASSWORD"

// stockPassword is what FreeSWITCH's own example configuration has.
const stockPassword = "ClueCon"

type doctorCommand struct {
	configured   `embed:""`
	Freeswitch   string `default:"127.0.0.1:8021" placeholder:"HOST:PORT" help:"FreeSWITCH's inbound event socket (${default})."`
	Password     string `placeholder:"TEXT" help:"Its password; better in the environment's TAPDECK_FREESWITCH_PASSWORD or in a file, where ps does not show it (default: FreeSWITCH's stock one)."`
	PasswordFile string `type:"existingfile" placeholder:"FILE" help:"A file with the password in its first line."`
	Call         string `placeholder:"NUMBER" help:"Place a call from the switch to this number and prove that what its caller says is in the recording."`
	Context      string `default:"default" help:"The dialplan context of that number (${default})."`
	JSON         bool   `name:"json" help:"One JSON object per check."`
}

// Run makes every check and says for each that failed what to do.
func (c *doctorCommand) Run(ctx context.Context, p *program) error {
	loaded, err := c.load(p, nil)
	if err != nil {
		return err
	}
	password, err := c.password(p)
	if err != nil {
		return usage(err)
	}
	for _, value := range []struct{ flag, text string }{{"--call", c.Call}, {"--context", c.Context}} {
		if strings.ContainsFunc(value.text, notDialable) {
			return usage(fmt.Errorf("%s %q: must be letters, digits and any of * # + . _ -", value.flag, value.text))
		}
	}
	healthy, err := doctor.Examine(ctx, doctor.Options{
		FreeSWITCH: c.Freeswitch, Password: password, Loaded: loaded, Call: c.Call, Context: c.Context,
		Report: c.reporter(p.Stdout),
	})
	if err == nil && !healthy {
		err = errors.New("something that calls need is missing: see above")
	}
	return err
}

func notDialable(r rune) bool {
	return !(r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || strings.ContainsRune("*#+._-", r))
}

// password is the one that was given, or the stock one.
func (c *doctorCommand) password(p *program) (string, error) {
	switch {
	case c.PasswordFile != "":
		data, err := os.ReadFile(c.PasswordFile)
		if err != nil {
			return "", fmt.Errorf("--password-file: %w", err)
		}
		first, _, _ := strings.Cut(string(data), "\n")
		return strings.TrimRight(first, "\r"), nil
	case c.Password != "":
		return c.Password, nil
	}
	if fromEnvironment := environment(p.Environ, passwordVariable); fromEnvironment != "" {
		return fromEnvironment, nil
	}
	return stockPassword, nil
}

// reporter prints findings as they are made.
func (c *doctorCommand) reporter(w io.Writer) func(doctor.Finding) {
	if c.JSON {
		enc := json.NewEncoder(w)
		return func(f doctor.Finding) { _ = enc.Encode(f) }
	}
	return func(f doctor.Finding) {
		fmt.Fprintf(w, "%-8s %s: %s\n", mark(f.Status, isTerminal(w)), f.Check, f.Seen)
		if f.Todo != "" && f.Status != doctor.Pass {
			fmt.Fprintf(w, "         → %s\n", f.Todo)
		}
	}
}

// mark is a status for the eye.
func mark(s doctor.Status, colour bool) string {
	word := map[doctor.Status]string{doctor.Pass: "ok", doctor.Warn: "WARN", doctor.Fail: "FAIL", doctor.Unknown: "unknown"}[s]
	if !colour {
		return word
	}
	codes := map[doctor.Status]string{doctor.Pass: "32", doctor.Warn: "33", doctor.Fail: "31", doctor.Unknown: "36"}
	return fmt.Sprintf("\x1b[%sm%-8s\x1b[0m", codes[s], word)
}
