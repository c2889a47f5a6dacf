package config

import (
	"os"
	"strings"
)

// fallbackInstance is the name of a daemon whose machine has none.
const fallbackInstance = "tapdeck"

// InstanceName is the daemon's name: instance, or that of the machine if it is empty, in
// characters that instance may have.
func (c Config) InstanceName() string {
	if c.Instance != "" {
		return c.Instance
	}
	host, _ := os.Hostname() // without one: the fallback
	return instanceOf(host)
}

// instanceOf makes a name of a machine's.
func instanceOf(host string) string {
	name := strings.Map(func(r rune) rune {
		if isNameCharacter(r) || r == '.' {
			return r
		}
		return '-'
	}, host)
	name = name[:min(len(name), 64)]
	if name == "" || checkInstance(name) != nil {
		return fallbackInstance
	}
	return name
}

func isNameCharacter(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '_' || r == '-'
}

// checkInstance accepts what can be a part of a URL's path, a file's name and a NATS subject,
// whose parts between the dots are not empty.
func checkInstance(text string) error {
	other := func(r rune) bool { return !isNameCharacter(r) && r != '.' }
	if strings.ContainsFunc(text, other) || strings.Contains("."+text+".", "..") && text != "" {
		return violated("must be letters and digits of ASCII, - and _, and single dots between them", "such as fs1 or fs1.example.com; empty is the machine's host name")
	}
	return nil
}

// checkVariable accepts the name of a channel variable.
func checkVariable(text string) error {
	other := func(r rune) bool { return !isNameCharacter(r) && r != '.' }
	if text == "" || strings.ContainsFunc(text, other) {
		return violated("must be the name of a channel variable: letters and digits of ASCII, _, . and -", "such as sip_call_id, or sip_h_X-Account for the SIP header X-Account")
	}
	return nil
}
