package controller

import (
	"context"
	"errors"

	"go.uber.org/zap"

	"tapdeck/controller/flow"
)

// media is the flow.Media of a call.
type media struct{ c *call }

// Start implements flow.Media.
func (m media) Start(ctx context.Context) error {
	c := m.c
	if c.rec == nil { // the sink accepts none, and the plan goes on without
		return nil
	}
	c.Reached()
	c.startTranscription()
	c.stream.begin(ctx)
	// What is up and drops again at once is brought back while the call goes on.
	decided := func() bool {
		return c.stream.wasUp || c.stream.phase == streamFailed || c.stream.phase == streamFull
	}
	err := c.wait(ctx, c.plan.Stream.ConnectTimeout+2*c.ctl.cfg.CommandTimeout, decided)
	if errors.Is(err, flow.ErrTimeout) {
		c.stream.fail(errors.New("the switch did not answer uuid_audio_stream"), "is the switch overloaded, or its event socket stuck?")
		return c.interruption(ctx)
	}
	return err
}

// Stop implements flow.Media.
func (m media) Stop(ctx context.Context) error {
	c := m.c
	c.stream.stop(ctx)
	if c.rec != nil {
		c.log.Info("stream stopped", zap.Int64("audio_ms", c.rec.State().Audio.Milliseconds()))
	}
	if c.stream.forgotten { // its stop is on its way, and would end what a later step starts (F15)
		c.waitAfterPlan(ctx, c.ctl.cfg.CommandTimeout, func() bool { return c.stream.job == "" || c.hungUp })
	}
	return c.interruption(ctx)
}

// Ended implements flow.Media.
func (m media) Ended() bool { return m.c.stream.phase == streamFull }

// Failed implements flow.Media.
func (m media) Failed() bool { return m.c.stream.phase == streamFailed }

// Mark implements flow.Media.
func (m media) Mark(label string) {
	if m.c.rec != nil {
		m.c.rec.Mark(label)
	}
}

// WatchSpeech implements flow.Media.
func (m media) WatchSpeech(w flow.SpeechWatch) {
	if m.c.rec != nil {
		m.c.rec.WatchSpeech(w)
	}
}

// Speech implements flow.Media.
func (m media) Speech() flow.Speech {
	if m.c.rec == nil {
		return flow.SpeechNothing
	}
	return m.c.rec.State().Speech
}

// KeepAlive implements flow.Media. It does with silence what send_silence_when_idle could not do
// for a channel that had media before (F47). The next application or the hangup ends it.
func (m media) KeepAlive(ctx context.Context) error {
	c := m.c
	if err := c.settle(ctx); err != nil {
		return err
	}
	if !c.standsStill() {
		return nil
	}
	if err := c.terminateOn(ctx, ""); err != nil {
		return err
	}
	return c.voice.playSilence()
}

// standsStill says whether the stream does, since nothing is played.
func (c *call) standsStill() bool {
	return c.plan.bothWays() && !c.ringing && c.rec != nil && !c.stream.first.IsZero() && !c.busy() && c.voice.settled() && !c.voice.noSilence
}
