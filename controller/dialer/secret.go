package dialer

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// SecretError is a secret that can't be read.
type SecretError struct {
	// Key is that of the configuration, such as token_file or token_env.
	Key string
	// Source is the file's path, or the variable's name.
	Source string
	Err    error
}

// Error names the key, the source and the reason, and never what was read.
func (e *SecretError) Error() string { return fmt.Sprintf("%s: %q: %v", e.Key, e.Source, e.Err) }

// Unwrap returns the reason.
func (e *SecretError) Unwrap() error { return e.Err }

// Secret reads a secret from a file, so that one that was replaced is in effect from then on, or, if file is "",
// from an environment variable; both "" is none. key is that of the configuration without _file and _env.
// Errors are each a *SecretError.
func Secret(key, file, variable string) (text string, err error) {
	var source string
	switch {
	case file != "":
		key, source = key+"_file", file
		text, err = readSecret(file)
	case variable != "":
		key, source = key+"_env", variable
		text = strings.TrimSpace(os.Getenv(variable))
	default:
		return "", nil
	}
	switch {
	case err != nil:
	case text == "":
		err = errors.New("holds nothing")
	case strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }):
		err = errors.New("must hold one line of printable ASCII without blanks")
	default:
		return text, nil
	}
	return "", &SecretError{Key: key, Source: source, Err: err}
}

// maxSecret bounds a secret, in bytes.
const maxSecret = 4096

// readSecret reads a small regular file: to open a pipe would wait for whoever writes it.
func readSecret(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", bare(err)
	}
	if !info.Mode().IsRegular() {
		return "", errors.New("is no regular file")
	}
	f, err := os.Open(path)
	if err != nil {
		return "", bare(err)
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	switch {
	case err != nil:
		return "", bare(err)
	case len(data) > maxSecret:
		return "", fmt.Errorf("holds more than %d bytes", maxSecret)
	}
	return strings.TrimSpace(string(data)), nil
}

// bare is an error without the path, which SecretError names.
func bare(err error) error {
	var of *os.PathError
	if errors.As(err, &of) {
		return of.Err
	}
	return err
}
