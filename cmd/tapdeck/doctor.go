package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"regexp"
	"strings"

	"tapdeck/cmd/internal/app"
	"tapdeck/cmd/internal/doctor"
	"tapdeck/cmd/internal/finding"
)

type doctorCommand struct {
	configured   `embed:""`
	Freeswitch   string   `placeholder:"HOST[:PORT]" help:"FreeSWITCH's inbound event socket (default: TAPDECK_FREESWITCH, else that of an XML --password-file, else 127.0.0.1:8021)."`
	Password     string   `xor:"password" placeholder:"TEXT" help:"Its password. A file or the environment's TAPDECK_FREESWITCH_PASSWORD hide it better: ps shows this one (default: FreeSWITCH's stock one)."`
	PasswordFile string   `xor:"password" placeholder:"FILE" help:"A file with the password in its first line, or FreeSWITCH's own autoload_configs/event_socket.conf.xml."`
	Host         []string `placeholder:"HOST:PORT" help:"Where FreeSWITCH's dialplan reaches tapdeck, if that is not esl.listen of the configuration: a name, or the outside of a NAT; may be repeated."`
	Call         string   `placeholder:"NUMBER" help:"Place a call from the switch to this number and prove that what its caller says is in the recording; where a plan has a bot, also that FreeSWITCH plays what a bot says."`
	Context      string   `default:"default" help:"The dialplan context of that number (${default})."`
	JSON         bool     `name:"json" help:"One JSON object per check."`
}

// Help explains what the command line alone does not.
func (*doctorCommand) Help() string {
	return `Run it on the daemon's machine, in its folder, with its configuration. Each check is ok, WARN (calls work, but look at it), FAIL (they don't), or unknown (it can't be told from here); an arrow says what to do. Services that transcribe are sent a moment of silence, with their keys, and may count it as use. The exit code is 1 if any check failed.`
}

// Environment variables of the inbound event socket.
const (
	addressVariable  = "TAPDECK_FREESWITCH"
	passwordVariable = "TAPDECK_FREESWITCH_PASSWORD"
)

// login is what the command line says, else the environment, else FreeSWITCH's
// stock configuration. A file is named on the command line, and counts as that
// does; its address comes after the environment's.
func (c *doctorCommand) login(p *program) (doctor.Login, error) {
	var file doctor.Login
	if c.PasswordFile != "" {
		var err error
		if file, err = doctor.ReadLogin(c.PasswordFile); err != nil {
			return file, fmt.Errorf("--password-file: %w", err)
		}
	}
	stock := doctor.StockLogin()
	address := cmp.Or(c.Freeswitch, app.Getenv(p.Environ, addressVariable), file.Address, stock.Address)
	if _, _, err := net.SplitHostPort(address); err != nil {
		_, port, _ := net.SplitHostPort(stock.Address)
		address = net.JoinHostPort(strings.Trim(address, "[]"), port)
	}
	return doctor.Login{
		Address:  address,
		Password: cmp.Or(c.Password, file.Password, app.Getenv(p.Environ, passwordVariable), stock.Password),
	}, nil
}

// Run makes every check and says for each that failed what to do.
func (c *doctorCommand) Run(ctx context.Context, p *program) error {
	loaded, err := c.load(p, nil)
	if err != nil {
		return err
	}
	to, err := c.login(p)
	if err != nil {
		return usage(err)
	}
	for flag, text := range map[string]string{"--call": c.Call, "--context": c.Context} {
		if !regexp.MustCompile(`^[0-9A-Za-z*#+._-]*$`).MatchString(text) {
			return usage(fmt.Errorf("%s %q: must be letters, digits and any of * # + . _ -", flag, text))
		}
	}
	if err := checkHosts(c.Host); err != nil {
		return usage(err)
	}
	printer := &findingPrinter{w: p.Stdout, json: c.JSON, colour: app.IsTerminal(p.Stdout), counts: map[finding.Status]int{}}
	healthy, err := doctor.Examine(ctx, doctor.Options{
		FreeSWITCH: to.Address, Password: to.Password, Loaded: loaded, Hosts: c.Host, Version: app.Version(),
		Call: c.Call, Context: c.Context, Report: printer.print, Progress: printer.progress,
	})
	if err != nil {
		return fmt.Errorf("not finished: %w", err)
	}
	printer.total()
	if !healthy {
		return errors.New("calls will not do what they should: see FAIL above")
	}
	return nil
}
