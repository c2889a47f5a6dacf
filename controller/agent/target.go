package agent

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"net/http"

	"tapdeck/controller/dialer"
)

// words are how errors and hints call the bot.
var words = dialer.Words{
	Peer:   "the bot",
	Key:    "agent",
	Secret: "compare agent.token_file and agent.twilio_auth_token_file with what the bot expects; Twilio's signature is made of agent.url as the plan has it, so a proxy must not change what the bot takes for its URL",
}

// target is the bot, as it is dialled.
func (c Config) target() dialer.Target {
	return dialer.Target{
		URL: c.URL, Header: c.header(), Permits: c.Permits, ConnectTimeout: c.ConnectTimeout,
		Secrets: []string{c.Token, c.TwilioAuthToken, c.signature()}, Words: words,
	}
}

// clip is what is told of a text of the bot's.
func (c Config) clip(text string) string { return c.target().Clip(text) }

// header of the handshake: who we are.
func (c Config) header() http.Header {
	h := http.Header{}
	if c.Token != "" {
		h.Set("Authorization", "Bearer "+c.Token)
	}
	if signature := c.signature(); signature != "" {
		h.Set("X-Twilio-Signature", signature)
	}
	return h
}

// signature is Twilio's of a WebSocket's URL, which has no form parameters behind it; "" without a token.
func (c Config) signature() string {
	if c.TwilioAuthToken == "" {
		return ""
	}
	mac := hmac.New(sha1.New, []byte(c.TwilioAuthToken))
	mac.Write([]byte(c.URL))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
