package config

import (
	"os"
	"strings"
	"testing"
)

func TestInstanceName(t *testing.T) {
	if got := mustParse(t, "instance: 7", Options{}).Config.InstanceName(); got != "7" {
		t.Errorf("%q, want the stated one", got)
	}
	host, err := os.Hostname()
	if got := mustParse(t, "", Options{}).Config.InstanceName(); err != nil || got != instanceOf(host) {
		t.Errorf("%q, %v, want that of the machine, %q", got, err, host)
	}
}

// The name of every machine becomes one that instance may have.
func TestInstanceOfAMachine(t *testing.T) {
	for host, want := range map[string]string{
		"fs1.example.com": "fs1.example.com", "fs 1/ä": "fs-1--", "": "tapdeck", ".": "tapdeck", "a..b": "tapdeck", "a.": "tapdeck", strings.Repeat("a", 70): strings.Repeat("a", 64),
	} {
		if got := instanceOf(host); got != want || checkInstance(got) != nil {
			t.Errorf("%q: %q, want %q", host, got, want)
		}
	}
}
