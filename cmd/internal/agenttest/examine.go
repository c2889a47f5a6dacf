package agenttest

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"go.uber.org/zap"

	"tapdeck/cmd/internal/finding"
	"tapdeck/controller/agent"
	"tapdeck/controller/flow"
	"tapdeck/controller/player"
)

// Options are what Examine needs.
type Options struct {
	// URL is the bot's: ws:// or wss://.
	URL    string
	Format agent.Format
	// Token and TwilioAuthToken are what the bot may want to see; empty if it wants none.
	Token, TwilioAuthToken string
	AccountSID             string
	Parameters             []agent.Parameter
	// Permits refuses addresses that the bot must not be reached at; nil permits all.
	Permits func(netip.Addr) error
	// Rate of the caller's audio in Hz: 8000, or with the pcm wire 16000.
	Rate int
	// Say is what the caller says: 16-bit little-endian mono PCM at Rate.
	Say []byte
	// Greeting is how long the caller waits for a bot that speaks first.
	Greeting time.Duration
	// Timeout bounds the wait for each answer of the bot.
	Timeout time.Duration
	// Report is told what was found, check by check, Progress what is being waited for; Progress may be nil.
	Report   func(finding.Finding)
	Progress func(text string)
}

const (
	// interruption is how much of what the caller says interrupts the bot.
	interruption = time.Second
	// calm is how long nothing may go wrong after a key.
	calm = 500 * time.Millisecond
	// poll is how often the conversation is looked at.
	poll = 5 * time.Millisecond
)

// examination is one conversation.
type examination struct {
	Options
	ear     *ear
	mouth   *mouth
	session *agent.Session
	begin   time.Time
	pause   *time.Timer // behind what the caller says; nil until he says something

	connected bool
	end       *agent.Event  // how the bot has ended it, which it may ask for
	wrong     []agent.Event // wrong messages, the first ones
	failed    bool
}

// Known is what a bot's parameters may say of the call.
func Known() flow.Known {
	const name = "agent-test"
	return flow.Known{Caller: "1001", Destination: name, Call: name, Plan: name, Instance: name}
}

// Examine talks with a bot and reports what it does right and wrong. good says that nothing has failed. The
// error is that of ctx.
func Examine(ctx context.Context, o Options) (good bool, err error) {
	known := Known()
	x := &examination{Options: o, ear: newEar(o.Rate), mouth: &mouth{}, begin: time.Now()}
	defer x.mouth.close()
	x.session = agent.Start(ctx, agent.Config{
		URL: o.URL, Format: o.Format, Token: o.Token, TwilioAuthToken: o.TwilioAuthToken, AccountSID: o.AccountSID,
		Parameters: o.Parameters, Permits: o.Permits, ConnectTimeout: o.Timeout, Rate: o.Rate,
		Call: agent.Call{ID: known.Call, Caller: known.Caller, Destination: known.Destination, Plan: known.Plan},
	}, x.ear, x.mouth, zap.NewNop(), nil)
	defer x.session.Stop("agent-test is over")
	x.converse(ctx)
	if x.pause != nil {
		x.pause.Stop()
	}
	return !x.failed, context.Cause(ctx)
}

// converse is the course of the conversation. Each part goes on with what the one before has left of it.
func (x *examination) converse(ctx context.Context) {
	if !x.handshake(ctx) {
		return
	}
	x.greeting(ctx)
	if x.answer(ctx) || x.mouth.state().dropped > 0 {
		x.bargeIn(ctx)
	}
	x.digits(ctx)
	if ctx.Err() != nil {
		return
	}
	x.stop()
	x.media()
	x.marks()
	x.messages()
}

// quietAfter is how long the caller says nothing before tapdeck takes it for the end of his speech.
const quietAfter = 240 * time.Millisecond

// say has the caller say PCM from now on, of which the bot is told as in a call, and returns when he has done.
func (x *examination) say(words []byte) (end time.Time) {
	if x.pause != nil {
		x.pause.Stop()
	}
	end = x.ear.say(words)
	x.session.Speech(true, x.ear.position())
	x.pause = time.AfterFunc(time.Until(end)+quietAfter, func() { x.session.Speech(false, end.Sub(x.ear.began)) })
	return end
}

// wait returns true as soon as is does; false if the timeout, or the conversation, is over, or the bot floods.
func (x *examination) wait(ctx context.Context, timeout time.Duration, is func() bool) bool {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for {
		if is() {
			return true
		}
		if x.over() {
			return false
		}
		select {
		case e := <-x.session.Events():
			x.note(e)
		case <-tick.C:
		case <-ctx.Done():
			return is()
		}
	}
}

// note keeps an event.
func (x *examination) note(e agent.Event) {
	const kept = 100
	switch e.Kind {
	case agent.Connected:
		x.connected = true
	case agent.Ended, agent.Failed, agent.HangUp, agent.Transfer:
		if x.end == nil {
			x.end = &e
		}
	case agent.BadMessage:
		if len(x.wrong) < kept {
			x.wrong = append(x.wrong, e)
		}
	}
}

// over says that nothing more can be found out in this conversation.
func (x *examination) over() bool { return x.end != nil || x.flooded() != "" }

// flooded is what comes without end, if anything does.
func (x *examination) flooded() string {
	const manyMarks, manyClears, manyWrong = 2000, 100, 200
	switch h := x.mouth.state(); {
	case h.ahead > player.DefaultLimit:
		return "audio"
	case h.marks > manyMarks:
		return "marks"
	case h.clears > manyClears:
		return "clears"
	case x.session.State().WrongMessages() > manyWrong:
		return "wrong messages"
	}
	return ""
}

func (x *examination) pass(check, seen string, args ...any) {
	x.report(finding.Pass, check, "", seen, args...)
}

func (x *examination) report(status finding.Status, check, todo, seen string, args ...any) {
	seen = fmt.Sprintf(seen, args...)
	for _, secret := range []string{x.Token, x.TwilioAuthToken} {
		if secret != "" {
			seen, todo = strings.ReplaceAll(seen, secret, "***"), strings.ReplaceAll(todo, secret, "***")
		}
	}
	x.failed = x.failed || status == finding.Fail
	x.Report(finding.Finding{Check: check, Status: status, Seen: seen, Todo: todo})
}

func (x *examination) progress(text string) {
	if x.Progress != nil {
		x.Progress(text)
	}
}

// why is what to do about the end of the conversation, and how it ended.
func (x *examination) why() (todo, how string) {
	const done = "look at the bot's log: why is it done?"
	switch x.end.Kind {
	case agent.Ended:
		return done, "it has closed the connection"
	case agent.HangUp:
		return done, "it has asked for a hang-up, " + x.end.Text
	case agent.Transfer:
		return done, "it has asked for a transfer to " + x.end.Text
	}
	return x.end.Text, x.end.Err.Error()
}
