package controller

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.uber.org/zap"
)

// lingerSeconds is how long FreeSWITCH keeps the event socket after a hangup (F32).
// Never without a number: that would pin the channel until we close (F33).
const lingerSeconds = 5

// unused are the events of myevents that no call needs: each would be 6 KB (F24).
const unused = "CHANNEL_EXECUTE CHANNEL_STATE CHANNEL_PROGRESS CHANNEL_PROGRESS_MEDIA CHANNEL_PARK CHANNEL_UNPARK " +
	"CHANNEL_ANSWER CHANNEL_DATA CHANNEL_CREATE CHANNEL_UUID CHANNEL_OUTGOING CHANNEL_ORIGINATE CHANNEL_BRIDGE " +
	"CHANNEL_UNBRIDGE CHANNEL_APPLICATION CHANNEL_DESTROY DETECTED_SPEECH TALK NOTALK"

// wanted are the events that myevents does not bring (F15, F17). Everything after
// the word CUSTOM is a subclass (F18), so it comes last.
const wanted = "BACKGROUND_JOB CUSTOM mod_audio_stream::connect mod_audio_stream::disconnect mod_audio_stream::error"

// subscribe sets up the connection and the dead man's switch.
func (c *call) subscribe(ctx context.Context) error {
	c.beginStep("connect")
	for _, line := range []string{
		fmt.Sprintf("linger %d", lingerSeconds),
		"myevents json",
		"nixevent " + unused,
		"event json " + wanted,
	} {
		if _, err := c.conn.Command(context.WithoutCancel(ctx), line); err != nil {
			return c.commandEnd(line, err)
		}
		c.lingers = true
	}
	return c.armDeadMan(ctx)
}

func (c *call) answer(ctx context.Context) error {
	begun := c.beginStep("answer")
	if err := c.setVariables(ctx); err != nil {
		return err
	}
	if _, err := c.execute(ctx, "answer", "", c.ctl.cfg.AnswerTimeout); err != nil {
		return err
	}
	c.outcome.Timeline.Answer = time.Now()
	c.log.Info("answered", since(begun))
	return nil
}

// bothWays says that the stream holds what the switch plays, too.
func (p Plan) bothWays() bool { return p.Stream.Mix != "mono" }

// setVariables sets the channel's variables, all that a call needs in one API command: an
// execute each would cost a media frame (F20). Before the answer, because park looks at
// one of them when media is ready. bgapi commands run in threads of their own (F15), so
// the answer is awaited.
func (c *call) setVariables(ctx context.Context) error {
	list := c.variables()
	if len(list) == 0 {
		return nil
	}
	answer, err := c.api(ctx, "uuid_setvar_multi "+c.channel+" "+strings.Join(list, ";"))
	if err == nil && answer != "" && !strings.HasPrefix(answer, "+OK") {
		c.log.Warn("channel variables not set", zap.String("step", "answer"), zap.String("err", answer),
			zap.String("hint", "does this switch have uuid_setvar_multi? The stream's buffer and heart beat stay at the module's defaults, * cuts prompts, and a stereo or mixed recording may lack the time in which nothing plays"))
	}
	return err
}

// noTerminators is the playback_terminators by which no key ends a playback.
const noTerminators = "none"

// variables are those that setVariables sets, as NAME=VALUE.
func (c *call) variables() (list []string) {
	// FreeSWITCH ends a playback on the caller's * unless it is told not to (F67). A dialplan
	// that names its keys wants them.
	if c.terminators == "" {
		c.ownTerminators = true
		list = append(list, "playback_terminators="+noTerminators)
	}
	// A parked channel sends nothing by itself, and mod_audio_stream has no frame then of a
	// mix with both directions. Park looks at this once, when media is ready: so before
	// answer, or never (F47).
	if c.plan.bothWays() && c.ringing {
		list = append(list, "send_silence_when_idle=-1")
	}
	if c.rec != nil {
		list = append(list, c.plan.Stream.variables()...)
	}
	return list
}

// playSilence does in the listening time what send_silence_when_idle could not do for a
// channel that had media before (F47). The hangup ends it.
func (c *call) playSilence(ctx context.Context) error {
	if !c.plan.bothWays() || c.ringing || c.rec == nil {
		return nil
	}
	id, err := c.conn.Execute(context.WithoutCancel(ctx), "playback", "silence_stream://-1")
	if err != nil {
		return c.commandEnd("playback", err)
	}
	c.running = id
	return nil
}

func (c *call) pause(ctx context.Context) error {
	if c.plan.AnswerPause == 0 {
		return nil
	}
	c.beginStep("answer_pause")
	return c.sleep(ctx, c.plan.AnswerPause)
}

func (c *call) tone(ctx context.Context) error {
	if c.plan.Tone.Duration == 0 {
		return nil
	}
	c.outcome.Timeline.Tone = c.beginStep("tone")
	arg := fmt.Sprintf("tone_stream://%%(%d,0,%d)", c.plan.Tone.Duration.Milliseconds(), c.plan.Tone.Frequency)
	response, err := c.execute(ctx, "playback", arg, c.plan.Tone.Duration+c.ctl.cfg.StepGrace)
	if err != nil {
		return err
	}
	if response != "FILE PLAYED" {
		c.log.Warn("tone not played", zap.String("step", "tone"), zap.String("err", response), zap.String("hint", "is mod_tone_stream loaded? tapdeck doctor checks it"))
	}
	return nil
}

func (c *call) startStream(ctx context.Context) error {
	if c.rec == nil { // the sink accepts none, and the plan goes on without
		return nil
	}
	c.outcome.Timeline.StreamStart = c.beginStep("stream_start")
	c.stream.start(ctx)
	// What is up and drops again at once is brought back while the call goes on.
	decided := func() bool { return c.stream.wasUp || c.stream.phase == streamFailed || c.stream.phase == streamFull }
	err := c.wait(ctx, c.plan.Stream.ConnectTimeout+2*c.ctl.cfg.CommandTimeout, decided)
	if errors.Is(err, errTimeout) {
		c.stream.fail(errors.New("the switch did not answer uuid_audio_stream"), "is the switch overloaded, or its event socket stuck?")
		return c.interruption(ctx)
	}
	return err
}

func (c *call) prompt(ctx context.Context) error {
	if c.plan.Prompt == "" {
		return nil
	}
	begun := c.beginStep("prompt")
	c.outcome.Timeline.Prompt = begun
	c.mark("prompt start")
	response, err := c.execute(ctx, "playback", c.plan.Prompt, c.ctl.cfg.PromptLimit)
	c.mark("prompt end")
	if err != nil {
		return err
	}
	file := zap.String("file", c.plan.Prompt)
	switch {
	case c.brokenBy != "":
		c.log.Info("prompt cut", file, since(begun), zap.String("digit", c.brokenBy), zap.String("hint", "the dialplan's variable playback_terminators says which keys do so"))
	case response == "FILE PLAYED":
		c.log.Info("prompt played", file, since(begun))
	case response == "FILE NOT FOUND":
		c.log.Warn("prompt not found", file, zap.String("hint", "FreeSWITCH looks below its sound_prefix; tapdeck doctor shows where"))
	default:
		c.log.Warn("prompt not played", file, zap.String("err", response), zap.String("hint", "FreeSWITCH's log says why; is the module of the file's format loaded (mod_sndfile for WAV)?"))
	}
	return nil
}

// listen waits until the plan's listening time is over.
func (c *call) listen(ctx context.Context) error {
	begun := c.beginStep("listen")
	c.outcome.Timeline.Listen = begun
	c.digit = ""
	if err := c.playSilence(ctx); err != nil {
		return err
	}
	if c.rec != nil && c.plan.Silence > 0 {
		c.rec.WatchSpeech(SpeechWatch{Silence: c.plan.Silence, Level: -40})
	}
	err := c.wait(ctx, c.plan.Listen, func() bool {
		c.outcome.ListenEndedBy = c.listenEnd()
		return c.outcome.ListenEndedBy != ""
	})
	switch {
	case errors.Is(err, errTimeout):
		c.outcome.ListenEndedBy, err = ListenTime, nil
	case errors.Is(err, errHungUp):
		c.outcome.ListenEndedBy = ListenHangup
	case err != nil && c.stream.phase == streamFailed:
		c.outcome.ListenEndedBy = ListenStream
	}
	if c.outcome.ListenEndedBy != "" {
		c.log.Info("listened", zap.String("cause", c.outcome.ListenEndedBy), since(begun))
	}
	return err
}

// listenEnd returns why listening may stop now, or "" to go on.
func (c *call) listenEnd() string {
	switch {
	case c.digit != "":
		return ListenDTMF
	case c.rec == nil:
		return ""
	case c.rec.State().Speech == SpeechSilence:
		return ListenSilence
	case c.stream.phase == streamFull:
		return ListenStream
	}
	return ""
}

// sleep waits for d and is ended early by an interruption.
func (c *call) sleep(ctx context.Context, d time.Duration) error {
	err := c.wait(ctx, d, func() bool { return false })
	if errors.Is(err, errTimeout) {
		return nil
	}
	return err
}

func (c *call) mark(label string) {
	if c.rec != nil {
		c.rec.Mark(label)
	}
}

func since(t time.Time) zap.Field { return zap.Int64("dur_ms", time.Since(t).Milliseconds()) }
