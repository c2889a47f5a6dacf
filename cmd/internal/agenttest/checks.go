package agenttest

import (
	"context"
	"time"

	"tapdeck/cmd/internal/finding"
	"tapdeck/controller/agent"
	"tapdeck/controller/pcm"
)

// handshake is false if there is no conversation.
func (x *examination) handshake(ctx context.Context) bool {
	const check = "handshake"
	x.progress("waiting for the bot's answer to the handshake")
	if x.wait(ctx, x.Timeout+time.Second, func() bool { return x.connected }) {
		x.pass(check, "answered after %v", short(x.session.State().FirstConnected.Sub(x.begin)))
		return true
	}
	if ctx.Err() == nil {
		if x.end == nil {
			x.report(finding.Fail, check, "look at the bot's log", "no answer within %v", x.Timeout)
			return false
		}
		todo, how := x.why()
		x.report(finding.Fail, check, todo, "%s", how)
	}
	return false
}

// greeting gives a bot the time to speak first, and to end.
func (x *examination) greeting(ctx context.Context) {
	x.progress("waiting for a bot that speaks first")
	spoke := func() bool { return x.mouth.state().messages > 0 }
	if !x.wait(ctx, x.Greeting, spoke) {
		return
	}
	x.pass("greeting", "the bot speaks first, after %v", short(x.mouth.state().first.Sub(x.begin)))
	x.wait(ctx, x.Timeout, x.silent)
}

func (x *examination) silent() bool { return !x.mouth.until().After(time.Now()) }

// answer has the caller speak and waits for what the bot says to that. It is false if it says nothing.
func (x *examination) answer(ctx context.Context) bool {
	const check = "answer"
	if ctx.Err() != nil || x.over() {
		x.cut(check)
		return false
	}
	before, speaking := x.mouth.state().messages, !x.silent()
	end := x.say(x.Say)
	x.progress("the caller speaks")
	x.wait(ctx, time.Until(end), func() bool { return false })
	early := x.mouth.state()
	switch {
	case speaking && early.clears == 0 && !x.over():
		x.report(finding.Unknown, check, "", "the bot did not stop speaking when the caller began")
		return true
	case speaking:
		before = early.messages
	case early.messages > before:
		x.pass(check, "the bot speaks before the caller has done")
		return true
	}
	return x.late(ctx, before, end)
}

// late waits for an answer to what the caller has said.
func (x *examination) late(ctx context.Context, before int, end time.Time) bool {
	const check = "answer"
	x.progress("waiting for the bot's answer")
	switch heard := x.wait(ctx, x.Timeout, func() bool { return x.mouth.state().messages > before }); {
	case ctx.Err() != nil:
	case heard:
		x.pass(check, "the bot speaks %v after the caller has done", short(time.Since(end)))
		return true
	case x.over():
		x.cut(check)
	default:
		x.report(finding.Fail, check, "does the bot understand what the caller says? try --say FILE.wav with words that it must answer, or a longer --timeout; does it decode the audio as the start message says?",
			"no audio within %v after the caller has spoken for %v", x.Timeout, short(pcm.Duration(len(x.Say), x.Rate)))
	}
	return false
}

// cut reports a check that the end of the conversation has cut short. What ended it is a finding of its own.
func (x *examination) cut(check string) {
	x.report(finding.Unknown, check, "", "the conversation was over before")
}

// bargeIn has the caller speak while the bot is heard.
func (x *examination) bargeIn(ctx context.Context) {
	const check = "barge-in"
	h := x.mouth.state()
	if x.over() {
		x.cut(check)
		return
	}
	if h.dropped > 0 { // the bot was speaking when the caller began
		x.pass(check, "clear: %v were not heard any more", short(h.dropped))
		return
	}
	begin, before := time.Now(), h.clears
	words := x.Say[:min(len(x.Say), pcm.Bytes(interruption, x.Rate))]
	x.progress("the caller interrupts")
	end := x.say(words)
	cleared := x.wait(ctx, x.Timeout, func() bool {
		return x.mouth.state().clears > before || x.silent() && time.Now().After(end)
	}) && x.mouth.state().clears > before
	switch h = x.mouth.state(); {
	case ctx.Err() != nil:
	case cleared:
		x.pass(check, "clear %v after the caller began; %v were not heard any more", short(h.cleared.Sub(begin)), short(h.dropped))
	case x.over():
		x.cut(check)
	case x.mouth.until().Sub(begin) < interruption:
		x.report(finding.Unknown, check, "", "what the bot said was too short to be interrupted")
	default:
		x.report(finding.Warn, check, "have the bot send clear when it hears the caller; or let tapdeck do it, with agent.barge_in: auto",
			"the bot was heard on while the caller spoke: no clear came")
	}
}

// digits presses a key.
func (x *examination) digits(ctx context.Context) {
	const check = "dtmf"
	if ctx.Err() != nil || x.over() {
		x.cut(check)
		return
	}
	x.progress("the caller presses 5")
	bad := len(x.wrong)
	x.session.Digit("5", x.ear.position())
	x.wait(ctx, calm, func() bool { return false })
	switch {
	case ctx.Err() != nil:
	case x.end != nil:
		todo, _ := x.why()
		x.report(finding.Fail, check, todo, "the conversation was over right after the caller had pressed 5")
	case len(x.wrong) > bad:
		x.report(finding.Fail, check, "see the messages below", "a wrong message came right after the caller had pressed 5")
	default:
		x.pass(check, "the caller pressed 5, and the conversation went on")
	}
}

// stop ends the conversation as the end of a call does, if the bot has not.
func (x *examination) stop() {
	const check = "stop"
	if x.end != nil {
		x.ended()
		return
	}
	x.progress("telling the bot to stop")
	begin := time.Now()
	x.session.Stop("agent-test is over")
	if took := time.Since(begin); took < time.Second {
		x.pass(check, "closed after %v", short(took))
		return
	}
	x.report(finding.Fail, check, "after stop, a bot reads on until the close frame, which its WebSocket library answers by itself, or closes first",
		"the bot has not closed within 1 s")
}

// ended reports that the bot has ended the conversation: it may, once it has said something.
func (x *examination) ended() {
	status := finding.Fail
	todo, how := x.why()
	switch {
	case x.end.Kind == agent.Failed:
	case x.mouth.state().messages == 0:
		todo = "look at the bot's log: why has it ended the call before it said anything? In a call, the caller would hear nothing"
	default:
		status, todo = finding.Warn, "in a call, agent.on_close says what comes next; the checks after this moment need a bot that stays"
	}
	x.report(status, "connection", todo, "the bot has ended the conversation after %v: %v", short(x.end.At.Sub(x.begin)), how)
}

// short is a duration for the eye.
func short(d time.Duration) time.Duration {
	if d < 10*time.Millisecond {
		return d.Round(100 * time.Microsecond)
	}
	return d.Round(time.Millisecond)
}
