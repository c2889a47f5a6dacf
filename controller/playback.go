package controller

import (
	"cmp"
	"context"
	"errors"
	"strconv"
	"time"

	"tapdeck/controller/esl"
	"tapdeck/controller/flow"
	"tapdeck/controller/player"

	"go.uber.org/zap"
)

// completion is what the switch has said of the end of our latest application.
type completion struct {
	response string
	digit    string // the key that has ended a playback
	heard    time.Duration
	came     bool
}

// completionOf reads the CHANNEL_EXECUTE_COMPLETE of our application. What was heard counts samples at
// the rate that the channel had when the playback began; of a file that is not there, it is the value
// of the playback before (F114).
func (c *call) completionOf(ev *esl.Event) completion {
	done := completion{response: ev.Get("Application-Response"), digit: ev.Get("variable_playback_terminator_used"), came: true}
	samples, _ := strconv.Atoi(ev.Get("variable_playback_last_offset_pos"))
	rate, _ := strconv.Atoi(ev.Get("Channel-Write-Codec-Rate"))
	begunWith := cmp.Or(c.rate, rate)
	if done.response != fileNotFound && samples > 0 && begunWith > 0 {
		done.heard = time.Duration(samples) * time.Second / time.Duration(begunWith)
	}
	return done
}

// FreeSWITCH's responses of a playback.
const (
	filePlayed   = "FILE PLAYED"
	fileNotFound = "FILE NOT FOUND"
)

// Playback implements flow.Channel.
func (c *call) Playback(ctx context.Context, s flow.Sound) (flow.Playback, error) {
	if err := c.endBackground(ctx); err != nil {
		return flow.Playback{}, err
	}
	if err := c.terminateOn(ctx, s.StopOn); err != nil {
		return flow.Playback{}, err
	}
	limit := c.ctl.cfg.PromptLimit
	if s.Length > 0 {
		limit = s.Length + c.ctl.cfg.StepGrace
	}
	begun, prompt := time.Now(), len(c.outcome.Prompts)
	if s.Length == 0 {
		c.outcome.Prompts = append(c.outcome.Prompts, flow.Prompt{File: s.File, Step: c.place(c.step), Began: begun})
	}
	var done completion
	c.voice.open().File(s.File, func(p player.Played) {
		done = completion{response: p.Response, digit: p.Digit, heard: p.Heard, came: p.Response != ""}
		if done.came && s.Length == 0 { // even if the hangup was told of before
			c.outcome.Prompts[prompt].Heard = p.Heard
		}
	})
	c.voice.advance()
	err := c.awaitApplication(ctx, "playback "+s.File, limit, func() bool { return done.came && c.reasonDue == nil })
	played := c.played(begun, done, err)
	c.digits.Use(played.Digit)
	if s.Length == 0 {
		p := &c.outcome.Prompts[prompt]
		p.Heard, p.EndedBy = played.Heard, played.EndedBy
	}
	return played, err
}

// played is how a playback that was given went.
func (c *call) played(begun time.Time, done completion, err error) flow.Playback {
	var e *callEnd
	p := flow.Playback{Response: done.response, Digit: done.digit, Heard: done.heard, EndedBy: flow.PromptError}
	switch {
	case done.digit != "":
		p.EndedBy = flow.PromptDigit
	case err != nil && c.hungUp, errors.As(err, &e) && e.result == Aborted: // a shutdown hangs up
		p.EndedBy = flow.PromptHangup
	case err != nil && c.transferredAway:
		p.EndedBy = flow.PromptTransfer
	case err != nil:
	case done.response == filePlayed:
		p.EndedBy = flow.PromptEnd
	case done.response == fileNotFound:
		p.EndedBy = flow.PromptNotFound
	}
	if !done.came { // it still plays
		p.Heard = time.Since(begun)
	}
	return p
}

// ownsTerminators notes that playback_terminators is ours, and is going to have a value.
func (c *call) ownsTerminators(value string) {
	c.ownTerminators = true
	c.ctl.mu.Lock()
	defer c.ctl.mu.Unlock()
	c.terminating = value
}

// terminateOn has these keys, and no others, end what is played next. None is those of the
// dialplan, if it has named some.
func (c *call) terminateOn(ctx context.Context, digits string) error {
	digits = cmp.Or(digits, c.terminators, noTerminators)
	if digits == c.terminating {
		return nil
	}
	c.ownsTerminators(digits)
	answer, err := c.api(ctx, "uuid_setvar "+c.channel+" playback_terminators "+digits)
	if err == nil && isRefusal(answer) {
		c.log.Warn("keys of a prompt not set", zap.String("step", c.step), zap.String("stop_on", digits), zap.String("err", answer),
			zap.String("hint", "the keys that ended the prompt before, or none, end this one; FreeSWITCH's log says why"))
	}
	return err
}
