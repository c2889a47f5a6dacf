package controller

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"tapdeck/controller/agent"
	"tapdeck/controller/flow"
	"tapdeck/controller/player"
)

// talk is a call's conversation with a bot. The session has goroutines of its own, which reach the
// call by events only; all else is the call's goroutine's.
type talk struct {
	c       *call
	step    *flow.Agent
	session *agent.Session
	mouth   *mouth
	notes   *Conversation
	before  Conversation // the call's earlier ones

	end      flow.TalkEnd // "" while it goes on
	err      error        // why the bot has failed
	hint     string       // what to do about it
	atOnce   bool         // what the bot has said is not heard to its end
	cause    string       // of the hangup
	to       string       // of the transfer
	speaking bool         // the caller
	turns    []time.Time  // ends of his speech that have no answer yet
	heard    time.Time    // end of the bot's latest utterance
	jobs     []string     // of digits that the switch was told to send

	callerCut time.Time // when the bot was cut short last by the caller's speech; zero if never
}

const (
	// maxUtterances bounds the utterances, and the response times, that are noted of a call's
	// conversations: hours of them.
	maxUtterances = 1000
	// maxTurns bounds the ends of the caller's speech that may still have an answer.
	maxTurns = 100
)

// mouth is the call's player as a session has it, until the conversation is over: the bot may go on
// for a moment then, and the call has gone on. Its lock is held while the player works, so that no audio
// is queued once shut has returned; marks that a Clear has called are called with it, and must not call the mouth.
type mouth struct {
	player *player.Player
	mu     sync.RWMutex
	closed bool // mu protects it

	cleared atomic.Pointer[time.Time] // when the bot has cleared last; nil if never
}

// Play implements agent.Mouth, as the methods below do.
func (m *mouth) Play(pcm []byte, rate int) {
	m.whileOpen(func() { m.player.Play(pcm, rate) })
}

// Mark works also when the mouth is shut, so that marks come back in order.
func (m *mouth) Mark(done func(cleared bool)) { m.player.Mark(done) }

func (m *mouth) Clear() {
	m.whileOpen(func() {
		now := time.Now() // before what comes of it
		m.cleared.Store(&now)
		m.player.Clear()
	})
}

// clearedAt is when the bot has cleared last, zero if never.
func (m *mouth) clearedAt() time.Time {
	if at := m.cleared.Load(); at != nil {
		return *at
	}
	return time.Time{}
}

func (m *mouth) whileOpen(do func()) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if !m.closed {
		do()
	}
}

// shut returns once nothing that the bot sends is played any more: within the time that the player
// takes for one message, a few ms.
func (m *mouth) shut() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
}

// Talk implements flow.Channel. What the bot has said when it ends the conversation is heard.
func (c *call) Talk(ctx context.Context, step *flow.Agent) (flow.TalkEnd, error) {
	if c.outcome.Agent == nil {
		c.outcome.Agent = &Conversation{}
	}
	c.outcome.Agent.Format, c.outcome.Agent.EndedBy = step.Format, ""
	if c.rec == nil {
		return c.afterFailure(step, errNoEar, hintNoEar)
	}
	t, err := c.startTalk(ctx, step)
	if err != nil {
		return c.afterFailure(step, err, hintToken)
	}
	defer t.endSession()
	if err = c.terminateOn(ctx, ""); err == nil {
		err = c.wait(ctx, step.For, func() bool { return t.isOver() })
	}
	t.noteEnd(err)
	t.mouth.shut()
	if err != nil && !errors.Is(err, flow.ErrTimeout) {
		return t.end, err
	}
	c.voice.hush()
	if err = t.hearOut(ctx); err != nil {
		return t.end, err
	}
	return t.follow(ctx)
}

// frame is the time by which the end of a playback is known before its end is heard (F137).
const frame = 20 * time.Millisecond

// hearOut waits until the caller has heard the last of what was played.
func (t *talk) hearOut(ctx context.Context) error {
	if t.atOnce {
		return nil
	}
	err := t.c.wait(ctx, frame, func() bool { return false })
	if errors.Is(err, flow.ErrTimeout) {
		return nil
	}
	return err
}

// errNoEar is why there is no conversation in a call whose audio the sink does not accept.
var errNoEar = errors.New("the sink accepts no stream of this call, so that the bot would hear nothing")

// errMute is why a conversation ends in which the bot can't be heard.
var errMute = errors.New("the bot can't be heard: three times in a row, mod_audio_stream named no file for its audio, or FreeSWITCH could not play it")

const (
	hintMute  = "this call's lines `bot's audio not named by mod_audio_stream`, or `bot's audio not played by the switch`, say what to do"
	hintNoEar = "this call's line about its recording says why"
	hintToken = "the file or the environment variable must hold the token, and tapdeck must be allowed to read it"
)

// startTalk begins a conversation.
func (c *call) startTalk(ctx context.Context, step *flow.Agent) (*talk, error) {
	cfg, err := c.agentConfig(step)
	if err != nil {
		return nil, err
	}
	t := &talk{c: c, step: step, notes: c.outcome.Agent, before: *c.outcome.Agent, mouth: &mouth{player: c.voice.open()}}
	t.session = agent.Start(context.WithoutCancel(ctx), cfg, c.rec.Tap(TapOptions{Caller: true}), t.mouth, c.log, c.ctl.metrics.agent)
	if c.talked != nil { // whose last utterance may be told of only now
		t.callerCut = c.talked.callerCut
		t.mouth.cleared.Store(c.talked.mouth.cleared.Load())
	}
	c.talk = t
	c.showTalk()
	if c.plan.bothWays() && !c.ringing {
		c.log.Warn("caller is delayed on his way to the bot", zap.String("hint", hintLater))
	}
	return t, nil
}

// events are what the bot does; nil if none talks.
func (t *talk) events() <-chan agent.Event {
	if t == nil {
		return nil
	}
	return t.session.Events()
}

// isOver says whether the conversation is, after everything that happens in the call.
func (t *talk) isOver() bool {
	c := t.c
	t.noteUtterances()
	if (c.stream.phase == streamFull || c.stream.phase == streamFailed) && t.end == "" {
		t.end, t.atOnce = flow.TalkStream, true
	}
	if t.end == "" && c.voice.player.State().Mute {
		t.err, t.hint, t.atOnce = errMute, hintMute, true
		t.endBy(flow.TalkFailed)
	}
	if t.end == "" && c.voice.silent() && c.standsStill() {
		c.voice.err = cmp.Or(c.voice.err, c.voice.playSilence())
	}
	return t.end != "" && (t.atOnce || c.voice.silent())
}

// handle handles what the bot has done.
func (t *talk) handle(e agent.Event) {
	c := t.c
	switch e.Kind {
	case agent.Connected:
		t.sync()
	case agent.Ended:
		t.endBy(flow.TalkClosed)
	case agent.Failed:
		t.err, t.hint = e.Err, e.Text
		t.endBy(flow.TalkFailed)
	case agent.HangUp:
		t.cause = e.Text
		t.endBy(flow.TalkBotHangup)
	case agent.Transfer:
		t.to = e.Text
		t.endBy(flow.TalkTransfer)
	case agent.SendDigits:
		c.sendDigits(e.Text)
	}
}

// endBy ends the conversation, unless it has ended. What the bot says from now on is not played.
func (t *talk) endBy(end flow.TalkEnd) {
	if t.end == "" {
		t.end = end
		t.mouth.shut()
	}
}

// listen tells the bot whether the caller speaks, who may cut it short by that.
func (t *talk) listen() {
	if t == nil {
		return
	}
	c := t.c
	now := c.rec.State().Talk
	if now.Speaking == t.speaking {
		return
	}
	t.speaking = now.Speaking
	if !now.Speaking {
		t.turns = append(t.turns[max(0, len(t.turns)-maxTurns):], now.Until.Add(now.Lag))
		t.session.Speech(false, c.rec.Position(now.Until))
		return
	}
	t.session.Speech(true, c.rec.Position(now.Since))
	if t.step.BargeIn == flow.BargeInAuto && !c.voice.silent() {
		t.callerCut = time.Now()
		c.voice.hush()
		at := c.rec.Position(now.Since)
		c.voice.player.Mark(func(bool) { t.session.BargeIn(at) }) // behind the marks that come back
	}
}

// press tells the bot of a key.
func (t *talk) press(digit flow.Digit) {
	if t != nil {
		t.session.Digit(digit.Digit, t.c.rec.Position(digit.At))
	}
}

// follow does what follows a conversation that nothing has interrupted.
func (t *talk) follow(ctx context.Context) (flow.TalkEnd, error) {
	c := t.c
	switch {
	case t.end == flow.TalkBotHangup:
		c.HangUp(t.cause)
	case t.end == flow.TalkTransfer:
		if err := c.Media().Stop(ctx); err != nil {
			return t.end, err
		}
		return t.end, c.Transfer(ctx, t.to)
	case t.end == flow.TalkFailed:
		return c.afterFailure(t.step, t.err, t.hint)
	case t.end == flow.TalkClosed && t.step.OnClose == flow.ThenDialplan:
		c.goesOn = true
		return t.end, &callEnd{result: Completed}
	}
	return t.end, nil
}

// afterFailure is what becomes of a call whose bot has failed.
func (c *call) afterFailure(step *flow.Agent, err error, hint string) (flow.TalkEnd, error) {
	c.outcome.Agent.EndedBy = string(flow.TalkFailed)
	c.ctl.metrics.botsFailed.Inc()
	c.log.Warn("agent failed", zap.NamedError("err", err), hintField(hint), zap.String("on_failure", string(step.OnFailure)))
	if step.OnFailure == flow.ThenContinue {
		return flow.TalkFailed, nil
	}
	c.goesOn = step.OnFailure == flow.ThenDialplan
	return flow.TalkFailed, &callEnd{result: AgentFailed, err: err, hint: hint}
}

// endSession ends the session. The bot is told so, which takes up to a second, and the call does not
// wait: Serve does.
func (t *talk) endSession() {
	c, reason := t.c, string(t.end)
	c.voice.player.EndUtterance()
	t.noteUtterances()
	t.sync()
	c.talk, c.talked = nil, t
	c.ctl.ending.Go(func() { t.session.Stop(reason) })
}

// endTalk completes what is noted of conversations. Nothing is played any more.
func (c *call) endTalk() {
	c.voice.close()
	if c.talked != nil {
		c.talked.noteUtterances()
		c.talked.sync()
	}
}

// agentConfig is what a session is told of its bot and its call.
func (c *call) agentConfig(step *flow.Agent) (agent.Config, error) {
	tokens, err := step.Tokens()
	if err != nil {
		return agent.Config{}, err
	}
	cfg, info := c.ctl.cfg, c.info
	return agent.Config{
		URL: step.URL, Format: agent.Format(step.Format), Token: tokens.Bearer, TwilioAuthToken: tokens.Twilio,
		AccountSID: cmp.Or(step.AccountSID, agent.AccountSID(cfg.Instance)), Parameters: c.parameters(step),
		ConnectTimeout: step.ConnectTimeout, Reconnect: step.Reconnect,
		Permits: step.CheckAddress, Position: c.rec.Position, Rate: c.plan.Stream.SampleRate,
		Call: agent.Call{ID: info.UUID, Caller: info.Caller, Destination: info.Destination, Plan: info.Plan},
	}, nil
}

func (c *call) parameters(step *flow.Agent) (list []agent.Parameter) {
	known := flow.Known{
		Caller: c.info.Caller, Destination: c.info.Destination, Call: c.info.UUID, Plan: c.info.Plan, Instance: c.ctl.cfg.Instance,
	}
	for _, p := range step.Expand(known) {
		list = append(list, agent.Parameter(p))
	}
	return list
}

// sendDigits sends digits to the caller's side, as the bot asks.
func (c *call) sendDigits(digits string) {
	job, err := c.bgapi(context.Background(), "uuid_send_dtmf "+c.channel+" "+digits)
	if err != nil || c.talk == nil {
		return
	}
	c.talk.jobs = append(c.talk.jobs, job)
	c.log.Info("agent sent digits", zap.Int("digits", len(digits)), ratelog(c.info.UUID))
}

// answered says whether a job was digits, and reports those that the switch has refused.
func (t *talk) answered(job, answer string) bool {
	if t == nil || job == "" || !slices.Contains(t.jobs, job) {
		return false
	}
	t.jobs = slices.DeleteFunc(t.jobs, func(j string) bool { return j == job })
	if isRefusal(answer) {
		t.c.log.Warn("digits not sent", zap.String("err", answer), ratelog(t.c.info.UUID),
			zap.String("hint", "FreeSWITCH sends none on a channel without media; its log says more"))
	}
	return true
}
