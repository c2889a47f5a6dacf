package flow

import (
	"context"
	"net/url"
	"time"
)

// Agent has the caller talk with a bot, until either ends it or its time is over.
type Agent struct {
	// For is the longest time.
	For time.Duration `yaml:"for" range:"1s..24h"`
	Bot
}

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
	Parameters map[string]string `yaml:"parameters" names:"parameter name" as:"parameter" max:"1024" most:"50" unquoted:"true"`
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
	PermittedHosts []string `yaml:"permitted_hosts" as:"permitted host" max:"253" most:"100"`
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
		OnClose: ThenHangup, OnFailure: ThenHangup,
	}
}

// TalkEnd is what has ended a conversation, one word of a closed list.
type TalkEnd string

// What ends a conversation.
const (
	TalkClosed    TalkEnd = "bot"        // the bot has closed its connection
	TalkBotHangup TalkEnd = "bot_hangup" // the bot has had the call hung up
	TalkTransfer  TalkEnd = "transfer"   // the bot has had the call transferred, or something else has the channel
	TalkTime      TalkEnd = "time"       // the step's time is over
	TalkHangup    TalkEnd = "hangup"     // the channel was hung up, whoever's it was
	TalkStream    TalkEnd = "stream"     // the call's stream failed, or its recording reached max_duration
	TalkFailed    TalkEnd = "failed"     // the bot could not be reached, or was lost for good
)

// Name implements Step.
func (*Agent) Name() string { return "agent" }

// Needs implements Step. The bot hears digits.
func (*Agent) Needs() Needs {
	return Needs{Digits: true, Modules: []Module{{"mod_sndfile", "plays what the bot says"}}}
}

// Length implements Step.
func (s *Agent) Length() Length { return Length{Known: s.For} }

// Follow implements Step.
func (s *Agent) Follow(p *Position) error {
	if !p.Answered {
		return p.NeedAnswer()
	}
	return p.NeedStream(s.Name())
}

// Preview implements Step.
func (s *Agent) Preview(p *Preview) {
	p.Add(s.For, "talk with the bot at %s, %s s at most (if it ends: %s; if it fails: %s)", s.Host(), Seconds(s.For), s.OnClose.words(), s.OnFailure.words())
}

// Host is the bot's, with its port if the URL has one: all of a URL that is fit to be shown.
func (b *Bot) Host() string {
	u, err := url.Parse(b.URL)
	if err != nil {
		return ""
	}
	return u.Host
}

func (t Then) words() string {
	return map[Then]string{ThenHangup: "hangup", ThenContinue: "the next step", ThenDialplan: "back to the dialplan"}[t]
}

// Run implements Step. Talk's error is the end of a call that goes back to the dialplan, that the
// bot has transferred, or whose bot has failed, unless OnFailure is to continue.
func (s *Agent) Run(ctx context.Context, ch Channel) error {
	ch.Reached()
	end, err := ch.Talk(ctx, s)
	if err == nil && (end == TalkBotHangup || end == TalkClosed && s.OnClose == ThenHangup) {
		ch.HangUp("")
	}
	return err
}
