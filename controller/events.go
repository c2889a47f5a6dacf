package controller

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"tapdeck/controller/esl"
)

// observe handles one event.
func (c *call) observe(ctx context.Context, ev *esl.Event) {
	if ev.ContentType() == "text/disconnect-notice" {
		// With linger the notice of a hangup says so (F32); if linger was not granted
		// yet, the socket's orderly end is all that there is of it (F31).
		if ev.Get("Content-Disposition") == "linger" || !c.lingers {
			c.sawHangup(ev)
		}
		return
	}
	if ev.Name() == "BACKGROUND_JOB" {
		job, answer := ev.Get("Job-UUID"), strings.TrimSpace(ev.Body)
		if job != "" && job == c.job {
			c.job, c.answered = "", answer
			return
		}
		if !c.voice.answered(job) && !c.talk.answered(job, answer) {
			c.stream.answered(ctx, job, answer)
		}
		return
	}
	if ev.Get("Unique-ID") != c.channel {
		return
	}
	c.log.Debug("event", zap.String("event", ev.Name()), zap.String("application", ev.Get("Application")))
	switch ev.Name() {
	case "CHANNEL_EXECUTE_COMPLETE":
		c.completed(ev)
	case "CHANNEL_HANGUP":
		c.sawHangup(ev)
	case "CHANNEL_HANGUP_COMPLETE":
		c.sawHangup(ev)
		c.outcome.Variables = c.ctl.recordedVariables(ev, c.info.Variables)
		c.hangupComplete = true
	case "DTMF":
		c.pressed(ev)
	case "CUSTOM":
		c.module(ev)
	}
}

// module handles an event of mod_audio_stream.
func (c *call) module(ev *esl.Event) {
	switch ev.Subclass() {
	case eventPlay:
		c.voice.named(ev)
	case eventJSON:
		c.voice.unnamed(ev)
	default:
		c.stream.reported(ev.Subclass(), ev.Body)
	}
}

// Channel-State-Number of a channel that goes on as it is, and the first one of those
// that are hung up. Between them it goes elsewhere.
const (
	stateExecute = 4
	stateHangup  = 10
)

// reasonGrace is how long after the end of an application its reason may come if the
// event does not say whether there is one.
const reasonGrace = 100 * time.Millisecond

// completed handles the end of an application. A transfer, a bridge or a park by something
// else, and a hangup, end what runs, then the socket application, and only then may they
// be told of (F10, F26). The event's state says so at once (F100): then the reason is
// awaited, so that what was broken off is not taken for played, nor for a file that can't
// be.
func (c *call) completed(ev *esl.Event) {
	app := ev.Get("Application")
	if app == "socket" { // the last event of a call that goes elsewhere
		c.outcome.Variables = c.ctl.recordedVariables(ev, c.info.Variables)
	}
	done, ours := c.oursEnded(ev)
	if app == "answer" {
		c.dtmfType = ev.Get("variable_dtmf_type")
	}
	if c.hungUp || !ours && app != "socket" {
		return
	}
	c.socketAppEnded = app == "socket"
	state, _ := strconv.Atoi(ev.Get("Channel-State-Number"))
	stays := state == 0 || state == stateExecute
	switch {
	case c.socketAppEnded && !stays && state < stateHangup: // nothing else says so, and the event socket stays open
		c.transferredAway, c.reasonDue = !c.asked, nil
	case !stays:
		c.reasonDue = time.After(c.ctl.cfg.CommandTimeout)
	case c.socketAppEnded, app == "playback" && done.response != filePlayed && done.response != fileNotFound:
		c.reasonDue = time.After(reasonGrace)
	}
}

// oursEnded says whether it is an application of ours that has ended, and how.
func (c *call) oursEnded(ev *esl.Event) (done completion, ours bool) {
	id, done := ev.Get("Application-UUID"), c.completionOf(ev)
	if ours = c.running != "" && id == c.running; ours {
		c.running, c.completion = "", done
	} else {
		ours = c.voice.silenceEnded(id, done) || c.voice.completed(id, done)
	}
	if ours {
		c.rate, _ = strconv.Atoi(ev.Get("Channel-Write-Codec-Rate"))
		c.stream.sawRate(c.rate)
	}
	return done, ours
}

// noReason decides that no reason will come: the application has ended by itself, and if it is
// socket, something else has the channel.
func (c *call) noReason() {
	c.reasonDue = nil
	c.transferredAway = (c.socketAppEnded || c.returned) && !c.hungUp && !c.asked
}

// ratelog marks a line that a caller can cause as often as he likes, for the daemon's log,
// which limits the lines of the same message and kind. Encoders ignore the field.
func ratelog(kind string) zap.Field {
	return zap.Field{Key: "ratelog", Type: zapcore.SkipType, String: kind}
}

// sawHangup notes the hangup, its cause and whose it was.
func (c *call) sawHangup(ev *esl.Event) {
	if !c.hungUp {
		c.hungUp = true
		c.reached("hangup")
		c.outcome.HungUpBy = byCaller
		if c.asked {
			c.outcome.HungUpBy = byTapdeck
		}
		if c.rec != nil {
			c.rec.Stopping()
		}
	}
	if cause := ev.Get("Hangup-Cause"); cause != "" {
		c.outcome.HangupCause = cause
	}
	if !c.asked && (slices.Contains(switchCauses, c.outcome.HangupCause) || strings.HasPrefix(ev.Get("variable_sip_hangup_disposition"), "send_")) {
		c.outcome.HungUpBy = bySwitch
	}
}

// switchCauses are those of a hangup that the switch itself began (a time limit, an
// operator). Over SIP the disposition says so, too: send_* if FreeSWITCH sent the
// BYE (F28).
var switchCauses = []string{deadManCause, "MANAGER_REQUEST", "SYSTEM_SHUTDOWN"}
