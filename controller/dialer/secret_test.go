package dialer

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A secret that was replaced is read anew, and no error shows one.
func TestSecretOfAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	write := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, text := range []string{"first\n", "second", strings.Repeat("s", 4096)} {
		write(text)
		if got, err := Secret("key", path, "TEST_NOT_READ"); got != strings.TrimSpace(text) || err != nil {
			t.Errorf("%q, %v", got, err)
		}
	}
	for _, text := range []string{"", " \n", "sec ret", "secret\nline", strings.Repeat("s", 4097), "sécret"} {
		write(text)
		var e *SecretError
		if got, err := Secret("key", path, ""); !errors.As(err, &e) || e.Key != "key_file" || e.Source != path || strings.Contains(e.Err.Error(), "cret") || got != "" {
			t.Errorf("%.10q: %q, %v", text, got, err)
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := Secret("key", path, ""); !errors.Is(err, os.ErrNotExist) || strings.Count(err.Error(), path) != 1 {
		t.Errorf("no file: %v", err)
	}
	if _, err := Secret("key", filepath.Dir(path), ""); err == nil || !strings.Contains(err.Error(), "is no regular file") {
		t.Errorf("a directory: %v", err)
	}
}

func TestSecretOfTheEnvironment(t *testing.T) {
	t.Setenv("TEST_KEY", " secret\n")
	if got, err := Secret("key", "", "TEST_KEY"); got != "secret" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	t.Setenv("TEST_KEY", "")
	if _, err := Secret("key", "", "TEST_KEY"); err == nil || err.Error() != `key_env: "TEST_KEY": holds nothing` {
		t.Errorf("empty: %v", err)
	}
	if got, err := Secret("key", "", ""); got != "" || err != nil {
		t.Errorf("none: %q, %v", got, err)
	}
}
