package switchsim

import (
	"strings"
	"time"

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
	case "endless_playback":
		return (*Call).endlessPlayback
	case "gentones":
		return func(c *Call, data string, locked bool) string {
			return c.playback("tone_stream://"+strings.ReplaceAll(data, "|", ";loops="), locked)
		}
	case "sleep":
		return (*Call).appSleep
	case "park", "echo", "wait_for_silence", "record", "delay_echo":
		return func(c *Call, _ string, locked bool) string { c.stay(-1, locked); return "" }
	case "set":
		return func(c *Call, data string, _ bool) string { c.appSet(data); return "" }
	case "multiset":
		return func(c *Call, data string, _ bool) string { c.appMultiset(data); return "" }
	case "unset":
		return func(c *Call, data string, _ bool) string { c.setVars(header{data, ""}); return "" }
	case "export":
		return func(c *Call, data string, _ bool) string { c.appSet(strings.TrimPrefix(data, "nolocal:")); return "" }
	case "hangup":
		return (*Call).appHangup
	case "sched_hangup":
		return func(c *Call, data string, _ bool) string { c.schedHangup(data); return "" }
	case "break", "log", "info", "ring_ready", "start_dtmf", "stop_dtmf", "verbose_events", "flush_dtmf":
		return func(*Call, string, bool) string { return "" }
	}
	return nil
}

// execute runs an application as FreeSWITCH's core does, with its two events.
// An unknown one hangs the call up, without either.
func (c *Call) execute(name, data, id string, locked bool) {
	app := findApplication(name)
	if app == nil {
		c.hangup("DESTINATION_OUT_OF_ORDER", "application")
		return
	}
	id = c.beginApp(name, data, id)
	if !c.inStep(name, data) {
		return
	}
	c.hearsAudio(true)
	response := app(c, c.expand(data), locked)
	c.hearsAudio(false)
	c.endApp(name, data, id, response)
}

// executing is where the core executes an application.
func executing(line int) calling {
	return calling{"switch_core_session.c", "switch_core_session_exec", line}
}

// beginApp sets the channel's variables and sends CHANNEL_EXECUTE.
func (c *Call) beginApp(name, data, id string) string {
	if id == "" {
		id = uuid.NewString()
	}
	c.setVars(header{"current_application_data", data}, header{"current_application", name}, header{"current_application_response", ""})
	c.mu.Lock()
	c.report.Executed = append(c.report.Executed, Executed{Application: name, Data: data, UUID: id, Began: time.Now()})
	c.mu.Unlock()
	c.emit(&event{name: "CHANNEL_EXECUTE", calling: executing(2944), extra: appHeaders(name, data, id, "")})
	c.note("execute", strings.TrimSpace(name+" "+data))
	return id
}

// endApp sends CHANNEL_EXECUTE_COMPLETE. The response is that of the last
// application that gave one, nested or not.
func (c *Call) endApp(name, data, id, response string) {
	if response != "" {
		c.setVars(header{"current_application_response", response})
	}
	if response = c.getVar("current_application_response"); response == "" {
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
	c.emit(&event{name: "CHANNEL_EXECUTE_COMPLETE", calling: executing(2967), extra: appHeaders(name, data, id, response)})
	c.note("complete", name+" "+response)
}

func appHeaders(name, data, id, response string) []header {
	hh := make([]header, 0, 4)
	hh = append(hh, header{"Application", name})
	if data != "" {
		hh = append(hh, header{"Application-Data", data})
	}
	if response != "" {
		hh = append(hh, header{"Application-Response", response})
	}
	return append(hh, header{"Application-UUID", id})
}

// expand replaces ${name} by the channel variable.
func (c *Call) expand(data string) string {
	for i := 0; i < 100; i++ {
		before, rest, ok := strings.Cut(data, "${")
		name, after, closed := strings.Cut(rest, "}")
		if !ok || !closed {
			return data
		}
		data = before + c.getVar(name) + after
	}
	return data
}

// preAnswer lets media flow.
func (c *Call) preAnswer() {
	c.mu.Lock()
	if !c.media.IsZero() || c.state.cause != "" {
		c.mu.Unlock()
		return
	}
	c.media = time.Now()
	c.fills = c.state.vars.get("send_silence_when_idle") != ""
	c.state.early, c.state.media, c.state.answerState = c.media, true, "early"
	if !c.spec.Loopback {
		c.state.vars = c.state.vars.with(mediaVariables()...)
	}
	c.mu.Unlock()
	c.emit(&event{name: "CHANNEL_PROGRESS_MEDIA", calling: calling{"switch_channel.c", "switch_channel_perform_mark_pre_answered", 3560}})
	c.mu.Lock()
	c.state.callState = "EARLY"
	c.mu.Unlock()
}

// answer answers the call: from now on the caller speaks, presses his digits
// and, at his time, hangs up.
func (c *Call) answer() {
	if c.isAnswered() || c.isHung() {
		return
	}
	c.preAnswer()
	c.mu.Lock()
	c.state.answered, c.state.answerState = time.Now(), "answered"
	c.report.Answered, c.report.AnsweredAt = true, c.state.answered
	c.mu.Unlock()
	c.emit(&event{name: "CHANNEL_ANSWER", calling: calling{"switch_channel.c", "switch_channel_perform_mark_answered", 3846}})
	c.mu.Lock()
	c.state.callState = "ACTIVE"
	c.mu.Unlock()
	if !c.spec.Loopback {
		c.setVars(acknowledged(c.uuid)...)
	}
	close(c.up)
	c.note("answered", "")
	if c.spec.HangupAfter > 0 {
		c.after(c.spec.HangupAfter, c.Hangup)
	}
	for _, d := range c.spec.DTMF {
		c.after(d.At, func() { c.digit(d.Digit) })
	}
}

// digit is the caller pressing a key.
func (c *Call) digit(d string) {
	if c.isHung() {
		return
	}
	c.emit(&event{
		name: "DTMF", bare: true, calling: calling{"switch_channel.c", "switch_channel_dequeue_dtmf", 659},
		extra: []header{{"DTMF-Digit", d}, {"DTMF-Duration", "2000"}, {"DTMF-Source", "RTP"}},
	})
}

func (c *Call) playback(data string, locked bool) string {
	t, ok := c.sw.source(data)
	if !ok {
		return "FILE NOT FOUND"
	}
	c.preAnswer()
	at := c.beginPlaying(data, t)
	whole := c.stay(t.total, locked)
	c.setVars(playbackVariables(c.endPlaying(at))...)
	if !whole && c.isHung() {
		return "PLAYBACK ERROR"
	}
	return "FILE PLAYED"
}

func (c *Call) endlessPlayback(data string, locked bool) string {
	for !c.isHung() {
		if r := c.playback(data, locked); r == "FILE NOT FOUND" {
			return r
		}
	}
	return "PLAYBACK ERROR"
}

func (c *Call) appSleep(data string, locked bool) string {
	c.stay(time.Duration(atoi(data))*time.Millisecond, locked)
	return ""
}

// appSet executes set NAME=VALUE; _undef_ unsets.
func (c *Call) appSet(data string) {
	name, value, _ := strings.Cut(data, "=")
	if value == "_undef_" {
		value = ""
	}
	if name != "" {
		c.setVars(header{strings.TrimSpace(name), value})
	}
}

// appMultiset executes multiset [^^D]NAME=VALUE…; without ^^D blanks divide.
func (c *Call) appMultiset(data string) {
	delimiter := " "
	if rest, ok := strings.CutPrefix(data, "^^"); ok && rest != "" {
		delimiter, data = rest[:1], rest[1:]
	}
	for _, one := range strings.Split(data, delimiter) {
		if strings.Contains(one, "=") {
			c.appSet(one)
		}
	}
}

func (c *Call) appHangup(data string, _ bool) string {
	if data == "" {
		data = "NORMAL_CLEARING"
	}
	by := "controller"
	if c.inDialplan() {
		by = "dialplan"
	}
	c.hangup(data, by)
	return ""
}

// inDialplan tells whether the dialplan runs without a controller.
func (c *Call) inDialplan() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.report.NextAction || c.listener == nil
}

// schedHangup executes sched_hangup [+]SECONDS [CAUSE]: real time.
func (c *Call) schedHangup(data string) {
	when, cause, _ := strings.Cut(strings.TrimSpace(data), " ")
	if cause == "" {
		cause = "ALLOTTED_TIMEOUT"
	}
	d := time.Duration(atoi(strings.TrimPrefix(when, "+"))) * time.Second
	if !strings.HasPrefix(when, "+") {
		d = time.Until(time.Unix(int64(atoi(when)), 0))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.killTimer != nil {
		c.killTimer.Stop()
	}
	c.killTimer = time.AfterFunc(d, func() { c.hangup(cause, "sched_hangup") })
}

// stay spends a media duration (negative: without end) in an application. It
// returns false when it was broken or the call was hung up. Unless locked,
// sendmsgs that arrive meanwhile execute inside it, and its own time stands
// still.
func (c *Call) stay(media time.Duration, locked bool) bool {
	left := c.sw.real(media)
	if media < 0 {
		left = 1 << 62
	}
	select {
	case <-c.brk: // a break that nobody took
	default:
	}
	for left > 0 {
		if !locked && c.queued() {
			c.message(c.dequeue())
		}
		began, t := time.Now(), time.NewTimer(left)
		var wake <-chan struct{}
		if !locked {
			wake = c.wake
		}
		select {
		case <-t.C:
			return true
		case <-wake:
		case <-c.brk:
			t.Stop()
			return false
		case <-c.hung:
			t.Stop()
			return false
		}
		t.Stop()
		left -= time.Since(began)
	}
	return true
}
