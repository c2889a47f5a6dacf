package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"tapdeck/cmd/internal/agenttest"
	"tapdeck/cmd/internal/app"
	"tapdeck/cmd/internal/config"
	"tapdeck/cmd/internal/finding"
	"tapdeck/controller/agent"
	"tapdeck/controller/pcm"
	"tapdeck/controller/switchsim"
)

type agentTestCommand struct {
	URL                 string            `arg:"" name:"url" help:"The bot's WebSocket: wss://HOST/PATH, or ws://…"`
	Format              agent.Format      `enum:"twilio,pcm" default:"twilio" help:"The wire that the bot speaks: twilio or pcm (${default})."`
	TokenFile           string            `type:"existingfile" placeholder:"FILE" help:"A file with the token that is sent as Authorization: Bearer."`
	TwilioAuthTokenFile string            `type:"existingfile" placeholder:"FILE" help:"A file with the token that signs the URL in X-Twilio-Signature."`
	AccountSID          string            `name:"account-sid" placeholder:"AC…" help:"The account that a bot of the twilio wire is told (default: one made up)."`
	Parameter           map[string]string `mapsep:"none" placeholder:"NAME=TEXT" help:"A parameter for the bot; may be repeated."`
	Rate                int               `default:"8000" enum:"8000,16000" help:"Of the caller's audio in Hz; 16000 with --format pcm only (${default})."`
	Insecure            bool              `help:"Allow ws:// to addresses that are not private, as agent.insecure does."`
	Say                 string            `type:"existingfile" placeholder:"FILE.wav" help:"What the caller says: a WAV of 8000 or 16000 Hz, PCM, floating point, µ-law or A-law (default: a sentence of a speech recording within tapdeck)."`
	Greeting            time.Duration     `default:"2s" help:"How long the caller waits for a bot that speaks first (${default})."`
	Timeout             time.Duration     `default:"10s" help:"How long each answer of the bot may take (${default})."`
	JSON                bool              `name:"json" help:"One JSON object per check."`
}

// Help explains what the command line alone does not.
func (*agentTestCommand) Help() string {
	return `It plays one call with the bot, as the daemon would: it connects, lets the bot greet, speaks, interrupts the answer, presses 5, and says stop. Audio takes its real time. Each check is ok, WARN, FAIL, or unknown (this bot gave no occasion to see it); an arrow says what to do. The exit code is 1 if any check failed. The flags of the bot (format, tokens, account, parameters, insecure) are keys of a plan's agent, and follow its rules; {caller} and the like in a parameter have made-up values.`
}

// The piece of the recording within tapdeck that the caller says: one sentence without a pause of 200 ms, as
// a bot may answer in any.
const saidFrom, saidTo = 2200 * time.Millisecond, 5400 * time.Millisecond

// Run talks with the bot and says for each check that failed what to do.
func (c *agentTestCommand) Run(ctx context.Context, p *program) error {
	o, err := c.options()
	if err != nil {
		return usage(err)
	}
	printer := &findingPrinter{w: p.Stdout, json: c.JSON, colour: app.IsTerminal(p.Stdout), counts: map[finding.Status]int{}}
	o.Report, o.Progress = printer.print, printer.progress
	good, err := agenttest.Examine(ctx, o)
	if err != nil {
		return fmt.Errorf("not finished: %w", err)
	}
	printer.total()
	if !good {
		return errors.New("the bot does not do what tapdeck needs: see FAIL above")
	}
	return nil
}

// options checks the flags: those of the bot by the rules of a plan.
func (c *agentTestCommand) options() (o agenttest.Options, err error) {
	switch {
	case c.Format == agent.FormatTwilio && c.Rate != 8000:
		return o, fmt.Errorf("--rate %d: the twilio wire has 8000 Hz only; leave it out, or say --format pcm", c.Rate)
	case c.Timeout <= 0:
		return o, fmt.Errorf("--timeout %v: must be more than 0", c.Timeout)
	case c.Greeting < 0:
		return o, fmt.Errorf("--greeting %v: must be 0 or more", c.Greeting)
	}
	bot, err := config.ParseBot(map[string]any{
		"url": c.URL, "format": string(c.Format), "insecure": c.Insecure, "account_sid": c.AccountSID, "parameters": c.Parameter,
		"token_file": c.TokenFile, "twilio_auth_token_file": c.TwilioAuthTokenFile,
	})
	if err != nil {
		return o, err
	}
	tokens, err := bot.Tokens()
	if err != nil {
		return o, err
	}
	o = agenttest.Options{
		URL: c.URL, Format: c.Format, Token: tokens.Bearer, TwilioAuthToken: tokens.Twilio, AccountSID: c.AccountSID, Permits: bot.CheckAddress,
		Rate: c.Rate, Greeting: c.Greeting, Timeout: c.Timeout,
	}
	for _, p := range bot.Expand(agenttest.Known()) {
		o.Parameters = append(o.Parameters, agent.Parameter(p))
	}
	o.Say, err = c.words()
	return o, err
}

// words is what the caller says, at the rate that the bot hears.
func (c *agentTestCommand) words() ([]byte, error) {
	voice, err := readVoice("--say", c.Say)
	if err != nil {
		return nil, err
	}
	words := bytesOf(voice)
	if c.Say == "" {
		words = words[pcm.Bytes(saidFrom, voice.Rate):pcm.Bytes(saidTo, voice.Rate)]
	}
	r := pcm.NewResampler(voice.Rate, c.Rate)
	return r.Flush(r.Append(nil, words)), nil
}

func bytesOf(v *switchsim.Voice) []byte {
	b := make([]byte, 0, 2*len(v.PCM))
	for _, s := range v.PCM {
		b = binary.LittleEndian.AppendUint16(b, uint16(s))
	}
	return b
}
