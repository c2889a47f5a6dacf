package switchsim

import (
	"strings"
	"time"

	"tapdeck/controller/switchsim/audiostream"

	"github.com/google/uuid"
)

// application runs one dialplan application in the channel's thread and
// returns the Application-Response ("" is _none_). locked: sendmsgs wait.
type application func(c *Call, data string, locked bool) string

// findApplication returns the application of that name, or nil.
func findApplication(name string) application {
	switch name {
	case "answer":
		return func(c *Call, _ string, _ bool) string { c.answer(); return "" }
	case "pre_answer":
		return func(c *Call, _ string, _ bool) string { c.preAnswer(); return "" }
	case "playback":
		return (*Call).playback
	case "sleep":
		return func(c *Call, data string, locked bool) string {
			c.stay(time.Duration(audiostream.Number(data))*time.Millisecond, locked)
			return ""
		}
	case "bridge": // without the other channel and its events
		return func(c *Call, _ string, locked bool) string { c.stay(-1, locked); return "" }
	case "transfer":
		return func(c *Call, data string, _ bool) string { c.appTransfer(data); return "" }
	case "start_dtmf", "stop_dtmf":
		return func(c *Call, _ string, _ bool) string { c.startDTMF(name == "start_dtmf"); return "" }
	case "park":
		return func(c *Call, _ string, locked bool) string { c.park(locked); return "" }
	case "set":
		return func(c *Call, data string, _ bool) string { c.appSet(data); return "" }
	case "unset":
		return func(c *Call, name string, _ bool) string { c.setVar(strings.TrimSpace(name), ""); return "" }
	case "hangup":
		return (*Call).appHangup
	case "sched_hangup":
		return func(c *Call, data string, _ bool) string { c.schedHangup(data); return "" }
	case "sched_cancel":
		return func(c *Call, group string, _ bool) string { c.appSchedCancel(group); return "" }
	case "break", "log", "info", "ring_ready", "verbose_events", "flush_dtmf":
		return func(*Call, string, bool) string { return "" }
	}
	return nil
}

// execute runs an application as FreeSWITCH's core does, with its two events.
// An unknown one hangs the call up, without either (F23).
func (c *Call) execute(name, data, id string, locked bool) {
	app := findApplication(name)
	if app == nil {
		c.hangup("DESTINATION_OUT_OF_ORDER", "application")
		return
	}
	data = expand(data, c.Variable)
	c.setVars(header{Name: "current_application", Value: name}, header{Name: "current_application_data", Value: data}, header{Name: "current_application_response"})
	switch name {
	case "playback", "sleep", "bridge", "park":
		c.forgetBreak()
	}
	id = c.beginApp(name, data, id)
	if !c.inStep(name, data) {
		return
	}
	c.endApp(name, data, id, app(c, data, locked))
	c.acknowledge()
}

// beginApp sends CHANNEL_EXECUTE.
func (c *Call) beginApp(name, data, id string) string {
	if id == "" {
		id = uuid.NewString()
	}
	c.mu.Lock()
	c.report.Executed = append(c.report.Executed, Executed{Application: name, Data: data, UUID: id, Began: time.Now()})
	c.mu.Unlock()
	c.emit("CHANNEL_EXECUTE playback", appValues(name, data, id, "")...)
	c.note("execute", strings.TrimSpace(name+" "+data))
	return id
}

// endApp sends CHANNEL_EXECUTE_COMPLETE. The response is that of the last
// application that gave one, nested or not (F22).
func (c *Call) endApp(name, data, id, response string) {
	if response != "" {
		c.setVar("current_application_response", response)
	}
	if response = c.Variable("current_application_response"); response == "" {
		response = "_none_"
	}
	c.mu.Lock()
	for i := len(c.report.Executed) - 1; i >= 0; i-- {
		if e := &c.report.Executed[i]; e.UUID == id && e.Response == "" {
			e.Response, e.Ended = response, time.Now()
			break
		}
	}
	c.mu.Unlock()
	c.emit("CHANNEL_EXECUTE_COMPLETE playback", appValues(name, data, id, response)...)
	c.note("complete", name+" "+response)
}

func appValues(name, data, id, response string) []header {
	return []header{
		{Name: "application", Value: name},
		{Name: "data", Value: data},
		{Name: "response", Value: response},
		{Name: "application-uuid", Value: id},
	}
}

// preAnswer lets media flow.
func (c *Call) preAnswer() {
	c.mu.Lock()
	if !c.mediaAt.IsZero() || c.state.cause != "" {
		c.mu.Unlock()
		return
	}
	c.mediaAt = time.Now()
	c.idleAudio = c.state.vars.get("send_silence_when_idle") != ""
	c.state.early, c.state.media, c.state.answerState = c.mediaAt, true, "early"
	c.setAsCaptured("CHANNEL_PROGRESS_MEDIA")
	c.mu.Unlock()
	if !c.spec.Loopback {
		c.emit("CHANNEL_PROGRESS_MEDIA")
	}
	c.mu.Lock()
	c.state.callState = "EARLY"
	c.mu.Unlock()
}

// answer answers the call: from now on the caller speaks, presses his digits
// and, at his time, hangs up.
func (c *Call) answer() {
	if c.isAnswered() || c.isHungUp() {
		return
	}
	c.preAnswer()
	c.mu.Lock()
	c.state.answered, c.state.answerState = time.Now(), "answered"
	c.report.Answered, c.report.AnsweredAt = true, c.state.answered
	c.setAsCaptured("CHANNEL_ANSWER")
	c.mu.Unlock()
	c.emit("CHANNEL_ANSWER")
	c.mu.Lock()
	c.state.callState = "ACTIVE"
	c.setAsCaptured("CHANNEL_EXECUTE_COMPLETE answer")
	c.mu.Unlock()
	close(c.answered)
	c.note("answered", "")
	if c.spec.HangupAfter > 0 {
		c.after(c.spec.HangupAfter, c.Hangup)
	}
	for _, d := range c.spec.DTMF {
		c.after(d.At, func() { c.PressBy(d.Digit, d.Way) })
	}
}

// acknowledge is the caller's ACK, which comes after the answer's completion.
func (c *Call) acknowledge() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.acked && !c.state.answered.IsZero() {
		c.acked = true
		c.setAsCaptured("ack")
	}
}

// appSet executes set NAME=VALUE, or NAME,VALUE; no value unsets (F117).
func (c *Call) appSet(data string) {
	name, value, ok := strings.Cut(data, "=")
	if !ok {
		name, value, _ = strings.Cut(data, ",")
	}
	if name != "" {
		c.setVar(name, value)
	}
}

func (c *Call) appHangup(cause string, _ bool) string {
	by := "controller"
	if c.inDialplan() {
		by = "dialplan"
	}
	c.hangup(causeOf(cause), by)
	return ""
}

// inDialplan says whether the dialplan runs without a controller.
func (c *Call) inDialplan() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.current == nil
}
