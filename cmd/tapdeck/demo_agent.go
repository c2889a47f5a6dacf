package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/coder/websocket"
	"github.com/google/uuid"

	"tapdeck/cmd/internal/config"
	"tapdeck/cmd/internal/verify"
	"tapdeck/controller/flow"
	"tapdeck/controller/switchsim"
	"tapdeck/controller/switchsim/bot"
)

const (
	// demoTalk bounds a demo's conversation, which takes some 10 s.
	demoTalk = 25 * time.Second
	// demoPause is how long a demo's bot waits before it repeats.
	demoPause = 400 * time.Millisecond
	// mostSilence is how long after its clear a bot may be heard: two frames of 20 ms.
	mostSilence = 40 * time.Millisecond
	// demoPhrases is how often a demo's caller speaks: the third time, he interrupts the bot.
	demoPhrases = 3
)

// demoLengths are how long he does.
var demoLengths = [demoPhrases]time.Duration{1200 * time.Millisecond, 2 * time.Second, 800 * time.Millisecond}

// talkDemo is a demo of conversations: simulated callers, and a simulated bot on a WebSocket of this
// machine that repeats what they say.
type talkDemo struct {
	c       *demoCommand
	bot     *bot.Bot
	voice   []byte // of the callers, at 8000 Hz, without pauses
	callers []*demoCaller
}

// demoCaller is a caller who talks with the bot.
type demoCaller struct {
	id      string // of the channel
	phrases [demoPhrases][]byte
	frames  [demoPhrases]int64 // in which they began; -1 if never
	session chan *bot.Session  // the bot's, once it listens
	replies chan struct{}      // the bot has begun to repeat
	marks   chan struct{}      // it has been heard, or cleared
}

// runAgent plays simulated calls that talk with a bot.
func (c *demoCommand) runAgent(ctx context.Context, p *program) error {
	loaded, _, err := c.configure(p)
	if err != nil {
		return err
	}
	voice, err := readVoice("--audio", c.Audio)
	if err != nil {
		return err
	}
	d := &talkDemo{c: c}
	if d.voice, err = withoutPauses(voice); err != nil {
		return err
	}
	name, format, err := c.talkPlan(loaded)
	if err != nil {
		return err
	}
	d.bot = bot.Start(bot.Options{Format: bot.Format(format), Behaviour: d.repeat})
	defer d.bot.Close()
	replaceBots(loaded, name, d.bot.URL())
	plan, _ := loaded.Plan(name)
	fmt.Fprintf(p.Stdout, "%d simulated calls by plan %q talk with a simulated bot at %s, seconds from the answer:\n", c.Calls, name, d.bot.URL())
	_ = printTimeline(p.Stdout, config.Timeline(plan))
	fmt.Fprintf(p.Stdout, "recordings and log: %s\n\n", c.Out)
	reports, err := c.place(ctx, loaded, func(address string) ([]switchsim.Report, error) { return d.call(ctx, address+"/"+name) })
	if err == nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		return err
	}
	return d.summarize(p.Stdout, reports)
}

// talkPlan is the plan to talk by, and its bot's wire: the one that was asked for, or one of the demo's own.
func (c *demoCommand) talkPlan(loaded *config.Loaded) (name, format string, err error) {
	if c.Plan == "" {
		plan := loaded.Config.Plans[config.DefaultPlan]
		agent := &flow.Agent{For: demoTalk, Bot: flow.DefaultBot()}
		plan.Stream.Mix, plan.Stream.SampleRate, plan.Stream.Buffer = "stereo", 8000, 20*time.Millisecond
		plan.Steps = config.Steps{&flow.Answer{}, &flow.Stream{}, agent, &flow.Hangup{}}
		loaded.Config.Plans[demoPlan] = plan
		return demoPlan, agent.Format, nil
	}
	plan, _ := loaded.Plan(c.Plan)
	for _, step := range plan.Steps {
		if agent, is := step.(*flow.Agent); is {
			return c.Plan, agent.Format, nil
		}
	}
	return "", "", usage(fmt.Errorf("--agent --plan %q: the plan has no agent; name one that has, or leave --plan out", c.Plan))
}

// demoPlan is the demo's own plan of a conversation.
const demoPlan = "agent"

// replaceBots has the bots of a plan be reached at a URL, without the tokens of the real ones.
func replaceBots(loaded *config.Loaded, name, url string) {
	change := func(b flow.Bot) flow.Bot {
		b.URL, b.TokenFile, b.TokenEnv, b.TwilioAuthTokenFile, b.TwilioAuthTokenEnv, b.URLFromCall = url, "", "", "", "", false
		return b
	}
	plan := loaded.Config.Plans[name]
	if plan.Steps == nil {
		plan.Agent = change(plan.Agent)
	}
	plan.Steps = slices.Clone(plan.Steps)
	for i, step := range plan.Steps {
		if agent, is := step.(*flow.Agent); is {
			plan.Steps[i] = &flow.Agent{For: agent.For, Bot: change(agent.Bot)}
		}
	}
	loaded.Config.Plans[name] = plan
}

// withoutPauses is a voice at 8000 Hz of which nothing is so long silent that a bot would take it for the end.
func withoutPauses(v *switchsim.Voice) ([]byte, error) {
	const most = 10 // frames
	var words []byte
	quiet := most
	all := v.At(0, int64(len(v.PCM)))
	step := v.Rate / 8000
	for frame := range slices.Chunk(all, 320*step) {
		if quiet++; bot.Loud(frame) {
			quiet = 0
		}
		if len(frame) < 320*step || quiet > most {
			continue
		}
		for sample := range slices.Chunk(frame, 2*step) {
			words = append(words, sample[:2]...)
		}
	}
	if len(words) < 16000 {
		return nil, usage(errors.New("--audio: of less than a second that is not silent a caller can't make sentences; name a WAV that has more"))
	}
	return words, nil
}

// call places the calls, and returns their reports when all have ended.
func (d *talkDemo) call(ctx context.Context, address string) (reports []switchsim.Report, err error) {
	at := 0
	for range d.c.Calls {
		caller := &demoCaller{id: uuid.NewString(), session: make(chan *bot.Session, 1), replies: make(chan struct{}, 100), marks: make(chan struct{}, 100)}
		for i, length := range demoLengths {
			n := int(length/switchsim.FrameDuration) * 320
			for len(caller.phrases[i]) < n {
				piece := d.voice[at:min(at+n-len(caller.phrases[i]), len(d.voice))]
				caller.phrases[i] = append(caller.phrases[i], piece...)
				at = (at + len(piece)) % len(d.voice)
			}
			caller.frames[i] = -1
		}
		d.callers = append(d.callers, caller)
	}
	sw := switchsim.New(switchsim.Config{})
	defer sw.Wait()
	reports = make([]switchsim.Report, len(d.callers))
	var wg sync.WaitGroup
	defer wg.Wait()
	for i, caller := range d.callers {
		call, err := sw.Dial(ctx, switchsim.CallSpec{Address: address, UUID: caller.id, Caller: fmt.Sprint(1001 + i), Voice: &switchsim.Voice{Rate: 8000}, DTMF: d.c.Digits})
		if err != nil {
			return nil, fmt.Errorf("place call: %w", err)
		}
		wg.Go(func() { caller.talk(call) })
		wg.Go(func() { reports[i] = call.Wait() })
	}
	return reports, nil
}

// talk says a phrase and hears it repeated, says another, and interrupts the bot in the middle of it.
func (c *demoCaller) talk(call *switchsim.Call) {
	var session *bot.Session
	select {
	case session = <-c.session:
	case <-call.Done():
		return
	}
	wait := func(for_ <-chan struct{}, then time.Duration) bool {
		select {
		case <-for_:
		case <-session.Done():
			return false
		}
		return session.Sleep(then)
	}
	begin := make(chan struct{})
	close(begin)
	for i, moment := range []struct {
		after <-chan struct{}
		pause time.Duration
	}{{begin, 300 * time.Millisecond}, {c.marks, 500 * time.Millisecond}, {c.replies, time.Second}} {
		if i == 2 {
			<-c.replies // the first phrase's
		}
		if !wait(moment.after, moment.pause) {
			return
		}
		c.frames[i] = call.Say(8000, c.phrases[i])
	}
}

// repeat is what the bot does: it says back what the caller said once he pauses, clears when he
// speaks while it is heard, and closes when all was repeated.
func (d *talkDemo) repeat(s *bot.Session) bot.Hooks {
	i := slices.IndexFunc(d.callers, func(c *demoCaller) bool { return verify.IsOf(s, c.id) })
	if i < 0 {
		return bot.Hooks{}
	}
	c := d.callers[i]
	hooks := bot.Echo(bot.EchoOptions{Pause: demoPause, Interruptible: true})(s)
	listen, replies := hooks.Heard, 0
	hooks.Heard = func(pcm []byte) {
		listen(pcm)
		if n := s.Counts().Marks; n > replies {
			replies = n
			c.replies <- struct{}{}
		}
	}
	hooks.Mark = func(string) {
		c.marks <- struct{}{}
		if s.Counts().MarksBack == demoPhrases {
			s.Close(websocket.StatusNormalClosure, "")
		}
	}
	select {
	case c.session <- s:
	default: // he talks with it already, over an earlier connection
	}
	return hooks
}
