package controller

import (
	"context"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

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
		c.stream.answered(ctx, job, answer)
		return
	}
	if ev.Get("Unique-ID") != c.channel {
		return
	}
	c.log.Debug("event", zap.String("event", ev.Name()), zap.String("application", ev.Get("Application")))
	switch ev.Name() {
	case "CHANNEL_EXECUTE_COMPLETE":
		if c.running != "" && ev.Get("Application-UUID") == c.running {
			c.running, c.response = "", ev.Get("Application-Response")
		}
		// If no hangup follows the end of the socket application, something else has
		// transferred, bridged or parked the channel: no other event says so, and the
		// event socket stays open (F10).
		if ev.Get("Application") == "socket" && !c.hungUp && c.transferDue == nil {
			c.transferDue = time.After(hangupGrace)
		}
	case "CHANNEL_HANGUP":
		c.sawHangup(ev)
	case "CHANNEL_HANGUP_COMPLETE":
		c.sawHangup(ev)
		c.hangupComplete = true
	case "DTMF":
		if d := ev.Get("DTMF-Digit"); d != "" && strings.Contains(c.plan.FinishOn, strings.ToUpper(d)) {
			c.digit = d
		}
	case "CUSTOM":
		c.stream.reported(ev.Subclass(), ev.Body)
	}
}

// hangupGrace is how long after the end of an application its reason may come: at
// a hangup, CHANNEL_EXECUTE_COMPLETE can be sent before CHANNEL_HANGUP is (F26).
const hangupGrace = 100 * time.Millisecond

// sawHangup notes the hangup, its cause and whose it was.
func (c *call) sawHangup(ev *esl.Event) {
	if !c.hungUp {
		c.hungUp = true
		c.outcome.Timeline.Hangup = time.Now()
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
