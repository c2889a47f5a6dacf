package controller

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.uber.org/zap"

	"tapdeck/controller/flow"
)

// A call is the flow.Channel of its plan's steps.
var _ flow.Channel = (*call)(nil)

// follow carries the plan's steps out, one after the other, until one has the call hung up.
func (c *call) follow(ctx context.Context) error {
	for _, step := range c.plan.Steps {
		c.step, c.begun = step.Name(), false
		if err := step.Run(ctx, c); err != nil || c.hangsUp {
			return err
		}
	}
	return nil
}

// Log implements flow.Channel.
func (c *call) Log() *zap.Logger { return c.log }

// Begin implements flow.Channel.
func (c *call) Begin() {
	c.beginStep(c.step)
	c.begun = true
}

// Reached implements flow.Channel.
func (c *call) Reached() {
	if !c.begun {
		c.Begin()
	}
	c.reached(c.step)
}

// reached notes a moment of the call.
func (c *call) reached(moment string) {
	c.outcome.Timeline = append(c.outcome.Timeline, Moment{moment, time.Now()})
}

// place is the name that the record's timeline has for the latest moment of this name: listen_2.
func (c *call) place(moment string) string {
	n := 0
	for _, m := range c.outcome.Timeline {
		if m.Name == moment {
			n++
		}
	}
	return flow.Place(moment, n)
}

// Notes implements flow.Channel.
func (c *call) Notes() *flow.Notes { return &c.outcome.Notes }

// Digits implements flow.Channel.
func (c *call) Digits() *flow.Digits { return &c.digits }

// Words implements flow.Channel.
func (c *call) Words() *flow.Words { return &c.words }

// Media implements flow.Channel.
func (c *call) Media() flow.Media { return media{c} }

// Answer implements flow.Channel.
func (c *call) Answer(ctx context.Context) error {
	begun := time.Now()
	if err := c.setVariables(ctx); err != nil {
		return err
	}
	if _, err := c.Execute(ctx, "answer", "", c.ctl.cfg.AnswerTimeout); err != nil {
		return err
	}
	c.wasAnswered = true
	c.Reached()
	c.log.Info("answered", since(begun))
	return c.awaitDigits(ctx)
}

// awaitDigits has the switch look for digits in the caller's audio, if the plan says so, and
// says if they may come in no other way.
func (c *call) awaitDigits(ctx context.Context) error {
	if c.plan.InbandDTMF {
		_, err := c.Execute(ctx, "start_dtmf", "", c.ctl.cfg.CommandTimeout)
		return err
	}
	if (c.dtmfType == "info" || c.dtmfType == "none") && flow.WaitForDigits(c.plan.Steps) {
		c.log.Warn("no telephone-event negotiated", zap.String("step", c.step), zap.String("dtmf_type", c.dtmfType), zap.String("hint", hintNoEvents))
	}
	return nil
}

// Execute implements flow.Channel. If something else has ended the application, that is the
// error: a response says little then (F65).
func (c *call) Execute(ctx context.Context, app, arg string, limit time.Duration) (response string, err error) {
	c.completion = completion{} // not that of the application before, even if this one is interrupted at once
	if err := c.endBackground(ctx); err != nil {
		return "", err
	}
	c.running, err = c.conn.Execute(context.WithoutCancel(ctx), app, arg)
	if err != nil {
		return "", c.commandEnd(app, err)
	}
	if err := c.awaitApplication(ctx, strings.TrimSpace(app+" "+arg), limit, c.idle); err != nil {
		return "", err
	}
	return c.completion.response, nil
}

// awaitApplication waits until an application that was given has ended.
func (c *call) awaitApplication(ctx context.Context, what string, limit time.Duration, ended func() bool) error {
	err := c.wait(ctx, limit, ended)
	if errors.Is(err, flow.ErrTimeout) {
		return &callEnd{result: Failed, err: fmt.Errorf("wait for the end of %s: nothing within %v", what, limit), hint: "FreeSWITCH did not complete the application; its log says why"}
	}
	return err
}

// idle says that no application of ours runs, and that the reason of its end is known.
func (c *call) idle() bool { return c.running == "" && c.reasonDue == nil }

// busy says that the switch still carries out something of ours.
func (c *call) busy() bool { return c.running != "" || c.voice.silence != "" || c.voice.playing() }

// endBackground ends what plays beside the plan, which the next application would wait for.
func (c *call) endBackground(ctx context.Context) error {
	if err := c.interruption(ctx); err != nil {
		return err
	}
	if err := c.voice.endSilence(); err != nil {
		return err
	}
	return c.settle(ctx)
}

// settle waits for the answer to a break, which could drop what is sent before it.
func (c *call) settle(ctx context.Context) error {
	if c.voice.settled() {
		return nil
	}
	return c.wait(ctx, 2*c.ctl.cfg.CommandTimeout, c.voice.settled)
}

// API implements flow.Channel.
func (c *call) API(ctx context.Context, command, arguments string) (answer string, err error) {
	if err := c.interruption(ctx); err != nil {
		return "", err
	}
	return c.api(ctx, strings.TrimSpace(command+" "+c.channel+" "+arguments))
}

// Wait implements flow.Channel.
func (c *call) Wait(ctx context.Context, limit time.Duration, done func() bool) error {
	return c.wait(ctx, limit, done)
}

// HangUp implements flow.Channel.
func (c *call) HangUp(cause string) { c.hangsUp, c.cause = true, cause }

func since(t time.Time) zap.Field { return zap.Int64("dur_ms", time.Since(t).Milliseconds()) }
