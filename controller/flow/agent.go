package flow

import (
	"context"
	"time"
)

// Agent has the caller talk with a bot, until either ends it or its time is over.
type Agent struct {
	// For is the longest time.
	For time.Duration `yaml:"for" range:"1s..24h"`
	Bot
}

// TalkEnd is what has ended a conversation, one word of a closed list.
type TalkEnd string

// What ends a conversation.
const (
	TalkClosed    TalkEnd = "bot"        // the bot has closed its connection
	TalkBotHangup TalkEnd = "bot_hangup" // the bot has had the call hung up
	TalkTransfer  TalkEnd = "transfer"   // the bot has had the call transferred, or something else has the channel
	TalkTime      TalkEnd = "time"       // the step's time is over
	TalkHangup    TalkEnd = "hangup"     // the call ended: hung up by anyone, by tapdeck's shutdown, or lost with its switch
	TalkStream    TalkEnd = "stream"     // the call's stream failed, or its recording reached max_duration
	TalkFailed    TalkEnd = "failed"     // the bot could not be reached or heard, or was lost for good
)

// Name implements Step.
func (*Agent) Name() string { return "agent" }

// Needs implements Step. The bot hears digits.
func (*Agent) Needs() Needs {
	return Needs{Digits: true, Voice: true, Modules: []Module{{"mod_sndfile", "plays what the bot says"}}}
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

func (t Then) words() string {
	return map[Then]string{ThenHangup: "hangup", ThenContinue: "the next step", ThenDialplan: "back to the dialplan"}[t]
}

// Run implements Step. Talk's error is the end of a call that goes back to the dialplan, that the
// bot has transferred, or whose bot has failed, unless OnFailure is to continue.
func (s *Agent) Run(ctx context.Context, ch Channel) error {
	ch.Reached()
	end, err := ch.Talk(ctx, s)
	if err == nil && end == TalkClosed && s.OnClose == ThenHangup {
		ch.HangUp("")
	}
	return err
}
