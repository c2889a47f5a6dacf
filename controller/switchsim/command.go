package switchsim

import (
	"strings"
	"time"

	"github.com/google/uuid"

	"tapdeck/controller/switchsim/audiostream"
	"tapdeck/controller/switchsim/eventsocket"
)

// handle executes one command of the controller. It returns false when the
// socket is to end.
func (c *outbound) handle(cmd *eventsocket.Command) bool {
	c.record(cmd)
	l := c.listener
	if !c.beforeCommand(cmd) {
		c.noteResume(cmd) // a reply that does not come is no command that was not read
		return true
	}
	if c.eventFirst(cmd) {
		return true
	}
	l.Begin()
	defer l.Done()
	reply, keep := c.command(cmd)
	c.reply(cmd, reply)
	if !keep {
		l.Notice(c.notice("disconnect"), true)
	}
	return keep
}

// record keeps the command for the report.
func (c *Call) record(cmd *eventsocket.Command) {
	c.mu.Lock()
	c.report.Commands = append(c.report.Commands, cmd.Label())
	c.report.CommandedAt = append(c.report.CommandedAt, time.Now())
	c.mu.Unlock()
}

// command returns the whole text of the answer; false ends the socket after it.
func (c *outbound) command(cmd *eventsocket.Command) (reply string, keep bool) {
	word, rest := cmd.Word()
	switch word {
	case "connect":
		return c.connect(), true
	case "exit", "...":
		return eventsocket.CommandReply("+OK bye"), false
	case "myevents":
		c.sw.bus.Remove(c.listener) // from now on only this channel's events
		return eventsocket.CommandReply(c.listener.MyEvents(rest)), true
	case "getvar":
		return eventsocket.CommandReply(orNotFound(c.Variable(rest))), true
	case "resume":
		c.noteResume(cmd)
		return eventsocket.CommandReply("+OK"), true
	case "sendmsg":
		return eventsocket.CommandReply(c.sendMessage(cmd, rest)), true
	}
	if !c.full {
		return eventsocket.CommandReply(eventsocket.NotFound), true // F5
	}
	return c.fullCommand(cmd, word, rest), true
}

// fullCommand executes what only a full socket may.
func (c *outbound) fullCommand(cmd *eventsocket.Command, word, rest string) string {
	l := c.listener
	switch word {
	case "event":
		reply := l.Subscribe(rest)
		if !l.OnlyOwn() {
			c.sw.bus.Add(l) // F17
		}
		return eventsocket.CommandReply(reply)
	case "nixevent":
		return eventsocket.CommandReply(l.Nix(rest))
	case "noevents":
		return eventsocket.CommandReply(l.NoEvents())
	case "nolinger":
		return eventsocket.CommandReply(c.unsetLinger())
	case "linger":
		return eventsocket.CommandReply(c.setLinger(rest))
	case "api":
		return eventsocket.APIReply(c.sw.api(c.Call, rest))
	case "bgapi":
		return c.background(cmd.Get("Job-UUID"), rest)
	}
	return eventsocket.CommandReply(eventsocket.NotFound)
}

func orNotFound(value string) string {
	if value == "" {
		return eventsocket.NotFound
	}
	return value
}

// connect answers with the channel's data: the controller has the call now.
func (c *outbound) connect() string {
	reply := c.sw.connectReply(c.snapshot(), c.async, c.full)
	c.connectOnce.Do(func() { close(c.connected) })
	return reply
}

// setLinger executes linger [seconds] (F32, F33).
func (c *outbound) setLinger(seconds string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if seconds == "" {
		c.linger = -1
		return "+OK will linger"
	}
	c.linger = max(audiostream.Number(seconds), -1)
	return "+OK will linger " + itoa(c.linger) + " seconds"
}

// unsetLinger executes nolinger (F109).
func (c *outbound) unsetLinger() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.linger = noLinger
	return "+OK will not linger"
}

// sendMessage executes sendmsg: in async mode it is queued for the channel,
// otherwise executed here and now (F6).
func (c *outbound) sendMessage(cmd *eventsocket.Command, session string) string {
	switch {
	case session != "" && session != c.uuid:
		return "-ERR invalid session id [" + session + "]"
	case c.async:
		c.enqueue(cmd)
	case !c.isHungUp():
		c.syncThread.Lock()
		defer c.syncThread.Unlock()
		c.setFrame(-1)
		defer c.setFrame(-1)
		c.message(cmd)
		c.executeQueued()
	}
	return "+OK"
}

// background executes bgapi: the answer comes as an event.
func (c *Call) background(job, line string) string {
	if job == "" {
		job = uuid.NewString()
	}
	c.wg.Go(func() {
		f := &c.spec.Faults
		if f.LateJob != "" && strings.HasPrefix(line, f.LateJob) {
			c.pause(f.LateBy)
		}
		body := c.sw.api(c, line)
		if !f.LoseJobs {
			c.send(c.sw.jobEvent(job, c.uuid, line, body))
		}
	})
	return eventsocket.JobReply(job)
}

// notice is a disconnect notice as it was captured; kind is "linger" or "disconnect".
func (c *outbound) notice(kind string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state.capture.Frame("notice " + kind).Text(func(name string) string {
		if name == "linger" {
			return itoa(c.linger)
		}
		return c.state.value(name)
	})
}
