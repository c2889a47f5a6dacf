package flow

import (
	"errors"

	"tapdeck/controller/dialer"
)

// Tokens are a bot's secrets. Either may be empty.
type Tokens struct {
	// Bearer goes to the bot in "Authorization: Bearer …".
	Bearer string
	// Twilio is the auth token of Twilio's signature and REST API.
	Twilio string
}

// Tokens reads the bot's tokens from their files, so that one that was replaced is in effect for the
// next call, or from the environment. Its errors are each a *dialer.SecretError.
func (b *Bot) Tokens() (Tokens, error) {
	bearer, err := dialer.Secret("token", b.TokenFile, b.TokenEnv)
	twilio, twilioErr := b.TwilioToken()
	return Tokens{bearer, twilio}, errors.Join(err, twilioErr)
}

// TwilioToken is Tokens for the one of Twilio alone.
func (b *Bot) TwilioToken() (string, error) {
	return dialer.Secret("twilio_auth_token", b.TwilioAuthTokenFile, b.TwilioAuthTokenEnv)
}
