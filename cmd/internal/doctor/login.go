package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
)

// Environment variables of the inbound event socket.
const (
	addressVariable  = "TAPDECK_FREESWITCH"
	passwordVariable = "TAPDECK_FREESWITCH_PASSWORD"
)

// What FreeSWITCH's own example configuration has.
const (
	stockPassword = "ClueCon"
	stockHost     = "127.0.0.1"
	stockPort     = "8021"
)

// login is where and how to log in to an inbound event socket.
type login struct{ address, password string }

// login is what the command line says, else the environment, else FreeSWITCH's
// stock configuration. A file is named on the command line, and counts as that
// does; its address comes after the environment's.
func (c *doctorCommand) login(p *program) (login, error) {
	var file login
	if c.PasswordFile != "" {
		var err error
		if file, err = readLogin(c.PasswordFile); err != nil {
			return login{}, fmt.Errorf("--password-file: %w", err)
		}
	}
	address := first(c.Freeswitch, environment(p.Environ, addressVariable), file.address, stockHost)
	if _, _, err := net.SplitHostPort(address); err != nil {
		address = net.JoinHostPort(strings.Trim(address, "[]"), stockPort)
	}
	return login{
		address:  address,
		password: first(c.Password, file.password, environment(p.Environ, passwordVariable), stockPassword),
	}, nil
}

// first is the first that is not empty.
func first(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

// maxLoginFile bounds what is read of a file.
const maxLoginFile = 1 << 20

// readLogin reads a file whose first line is the password, or FreeSWITCH's
// event_socket.conf.xml. Errors never hold what is in it.
func readLogin(path string) (login, error) {
	f, err := os.Open(path)
	if err != nil {
		return login{}, err
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, maxLoginFile))
	if err != nil {
		return login{}, err
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if bytes.HasPrefix(bytes.TrimSpace(data), []byte("<")) {
		return parseEventSocketConf(path, data)
	}
	line, _, _ := strings.Cut(string(data), "\n")
	if line = strings.TrimRight(line, "\r"); line == "" {
		return login{}, fmt.Errorf("%s: its first line is empty", path)
	}
	return login{password: line}, nil
}

// parseEventSocketConf takes address and password of FreeSWITCH's own file.
func parseEventSocketConf(path string, data []byte) (login, error) {
	var file struct {
		Settings []struct {
			Name  string `xml:"name,attr"`
			Value string `xml:"value,attr"`
		} `xml:"settings>param"`
	}
	if err := xml.Unmarshal(data, &file); err != nil {
		var syntax *xml.SyntaxError
		if errors.As(err, &syntax) {
			return login{}, fmt.Errorf("%s:%d: is no XML that can be read", path, syntax.Line)
		}
		return login{}, fmt.Errorf("%s: is not event_socket.conf.xml", path)
	}
	values := map[string]string{}
	for _, s := range file.Settings {
		if strings.Contains(s.Value, "$${") && (s.Name == "password" || s.Name == "listen-ip" || s.Name == "listen-port") {
			return login{}, fmt.Errorf("%s: %s comes from a variable of vars.xml: give it yourself", path, s.Name)
		}
		values[s.Name] = s.Value
	}
	if values["password"] == "" {
		return login{}, fmt.Errorf("%s: there is no password in its settings", path)
	}
	host := values["listen-ip"]
	if addr, err := netip.ParseAddr(host); host == "" || err == nil && addr.IsUnspecified() {
		host = stockHost
	}
	return login{address: net.JoinHostPort(host, first(values["listen-port"], stockPort)), password: values["password"]}, nil
}
