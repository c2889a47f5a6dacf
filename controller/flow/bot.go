package flow

import (
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"tapdeck/controller/dialer"
)

// Bot is a bot, and how a call talks with it.
type Bot struct {
	// URL is where it listens: ws:// or wss://.
	URL string `yaml:"url" as:"bot url" max:"2048" main:"true" needed:"true" example:"wss://bot.example/media"`
	// Format is the wire: FormatTwilio or FormatPCM.
	Format string `yaml:"format" oneof:"twilio pcm"`
	// TokenFile holds, and TokenEnv names the environment variable of, what the bot is sent as
	// "Authorization: Bearer …"; both empty sends nothing. See Tokens.
	TokenFile string `yaml:"token_file" form:"a file or empty"`
	TokenEnv  string `yaml:"token_env" as:"environment" max:"128"`
	// TwilioAuthTokenFile and TwilioAuthTokenEnv are of the auth token, with which the URL is signed
	// as Twilio signs it (X-Twilio-Signature), and a bot may hang up by Twilio's REST API.
	TwilioAuthTokenFile string `yaml:"twilio_auth_token_file" form:"a file or empty"`
	TwilioAuthTokenEnv  string `yaml:"twilio_auth_token_env" as:"environment" max:"128"`
	// AccountSID is AC and 32 hexadecimal digits; empty is one made from the instance's name.
	AccountSID string `yaml:"account_sid" as:"account sid"`
	// Parameters are told to the bot at its start, after Expand.
	Parameters map[string]string `yaml:"parameters" names:"parameter name" form:"names of letters, digits, _, . and -, with texts with {caller}, {destination}, {call}, {plan} and {instance}" as:"parameter" max:"1024" most:"50" unquoted:"true"`
	// ConnectTimeout bounds each attempt to reach it, the WebSocket's handshake included.
	ConnectTimeout time.Duration `yaml:"connect_timeout" range:"100ms..1m"`
	// Reconnect is how many times a connection that was lost, or can't be made, is tried again.
	Reconnect int `yaml:"reconnect" range:"0..100 times"`
	// BargeIn says what ends the bot's speech: BargeInBot, only its clear, or BargeInAuto, also the
	// caller's speech.
	BargeIn string `yaml:"barge_in" oneof:"bot auto"`
	// OnClose is what becomes of a call whose bot has closed its connection.
	OnClose Then `yaml:"on_close" oneof:"hangup continue dialplan"`
	// OnFailure is what becomes of a call whose bot can't be reached, or was lost for good.
	OnFailure Then `yaml:"on_failure" oneof:"hangup continue dialplan"`
	// Insecure allows ws:// to addresses that are not private.
	Insecure bool `yaml:"insecure"`
	// URLFromCall allows the channel variable tapdeck_agent_url, if its host is one of
	// PermittedHosts: a host's name or address, or *.example.com for every name below it.
	URLFromCall    bool     `yaml:"url_from_call"`
	PermittedHosts []string `yaml:"permitted_hosts" as:"permitted host" form:"hosts, or *.NAME" max:"253" most:"100"`
}

// The wires of a Bot.
const (
	FormatTwilio = "twilio"
	FormatPCM    = "pcm"
)

// What ends the speech of a Bot.
const (
	BargeInBot  = "bot"
	BargeInAuto = "auto"
)

// Then is what becomes of a call after its conversation.
type Then string

// The values of OnClose and OnFailure.
const (
	// ThenHangup hangs the call up.
	ThenHangup Then = "hangup"
	// ThenContinue goes on with the next step.
	ThenContinue Then = "continue"
	// ThenDialplan gives the call back to the dialplan's next action.
	ThenDialplan Then = "dialplan"
)

// DefaultBot is the bot of a plan that states nothing of one: it has no URL.
func DefaultBot() Bot {
	return Bot{
		Format: FormatTwilio, ConnectTimeout: 3 * time.Second, Reconnect: 2, BargeIn: BargeInBot,
		Parameters: map[string]string{}, PermittedHosts: []string{},
		OnClose: ThenHangup, OnFailure: ThenHangup,
	}
}

// Host is the bot's, with its port if the URL has one: all of a URL that is fit to be shown.
func (b *Bot) Host() string {
	u, err := url.Parse(b.URL)
	if err != nil {
		return ""
	}
	return u.Host
}

// Permits says whether a call may name a URL with this host, by PermittedHosts.
func (b *Bot) Permits(host string) bool {
	host = plainHost(host)
	return host != "" && slices.ContainsFunc(b.PermittedHosts, func(permitted string) bool {
		if below, is := strings.CutPrefix(permitted, "*"); is { // .example.com
			return len(host) > len(below) && strings.HasSuffix(host, plainHost(below))
		}
		return host == plainHost(permitted)
	})
}

// plainHost is a host's name or address without what does not count.
func plainHost(host string) string { return strings.ToLower(strings.TrimSuffix(host, ".")) }

// CheckAddress refuses an address that the bot is not to be reached at, by dialer.CheckAddress.
func (b *Bot) CheckAddress(addr netip.Addr) error {
	return dialer.CheckAddress(b.URL, b.Insecure, addr)
}

// Parameter is something that a bot is told at its start.
type Parameter struct{ Name, Value string }

// Known is what of a call a parameter may have in it.
type Known struct{ Caller, Destination, Call, Plan, Instance string }

var placeholders = []struct {
	name string
	of   func(Known) string
}{
	{"caller", func(k Known) string { return k.Caller }},
	{"destination", func(k Known) string { return k.Destination }},
	{"call", func(k Known) string { return k.Call }},
	{"plan", func(k Known) string { return k.Plan }},
	{"instance", func(k Known) string { return k.Instance }},
}

// Placeholders are the names that may stand in braces in a parameter.
func Placeholders() (names []string) {
	for _, p := range placeholders {
		names = append(names, p.name)
	}
	return names
}

// Expand returns the bot's parameters, sorted by their names, with what is known of a call in place of
// the placeholders.
func (b *Bot) Expand(call Known) []Parameter {
	var pairs []string
	for _, p := range placeholders {
		pairs = append(pairs, "{"+p.name+"}", p.of(call))
	}
	fill := strings.NewReplacer(pairs...)
	list := make([]Parameter, 0, len(b.Parameters))
	for name, text := range b.Parameters {
		list = append(list, Parameter{name, fill.Replace(text)})
	}
	slices.SortFunc(list, func(a, b Parameter) int { return strings.Compare(a.Name, b.Name) })
	return list
}
