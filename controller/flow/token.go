package flow

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// Tokens are a bot's secrets. Either may be empty.
type Tokens struct {
	// Bearer goes to the bot in "Authorization: Bearer …".
	Bearer string
	// Twilio is the auth token of Twilio's signature and REST API.
	Twilio string
}

// TokenError is a token that can't be read.
type TokenError struct {
	// Key is that of the Bot: token_file, token_env, twilio_auth_token_file or twilio_auth_token_env.
	Key string
	// Source is the file's path, or the variable's name.
	Source string
	Err    error
}

// Error names the key, the source and the reason, and never what was read.
func (e *TokenError) Error() string { return fmt.Sprintf("%s: %q: %v", e.Key, e.Source, e.Err) }

// Unwrap returns the reason.
func (e *TokenError) Unwrap() error { return e.Err }

// Tokens reads the bot's tokens from their files, so that one that was replaced is in effect for the
// next call, or from the environment. Its errors are each a *TokenError.
func (b *Bot) Tokens() (Tokens, error) {
	bearer, err := token("token", b.TokenFile, b.TokenEnv)
	twilio, twilioErr := b.TwilioToken()
	return Tokens{bearer, twilio}, errors.Join(err, twilioErr)
}

// TwilioToken is Tokens for the one of Twilio alone.
func (b *Bot) TwilioToken() (string, error) {
	return token("twilio_auth_token", b.TwilioAuthTokenFile, b.TwilioAuthTokenEnv)
}

// token reads a token from a file or, if that is "", from an environment variable; both "" is none.
func token(key, file, variable string) (text string, err error) {
	var source string
	switch {
	case file != "":
		key, source = key+"_file", file
		text, err = readToken(file)
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
	return "", &TokenError{Key: key, Source: source, Err: err}
}

// maxToken bounds a token, in bytes.
const maxToken = 4096

// readToken reads a small regular file: to open a pipe would wait for whoever writes it.
func readToken(path string) (string, error) {
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
	data, err := io.ReadAll(io.LimitReader(f, maxToken+1))
	switch {
	case err != nil:
		return "", bare(err)
	case len(data) > maxToken:
		return "", fmt.Errorf("holds more than %d bytes", maxToken)
	}
	return strings.TrimSpace(string(data)), nil
}

// bare is an error without the path, which TokenError names.
func bare(err error) error {
	var of *os.PathError
	if errors.As(err, &of) {
		return of.Err
	}
	return err
}
