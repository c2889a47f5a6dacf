package switchsim

import (
	"strings"
	"time"

	"github.com/google/uuid"
)

// handle executes one command of the controller. It returns false when the
// socket is to end.
func (c *Call) handle(cmd *command) bool {
	c.record(cmd)
	l := c.listener
	if !c.beforeCommand(cmd) {
		return true
	}
	l.begin()
	defer l.done()
	text, keep := c.command(cmd)
	if text != "" {
		c.reply(cmd, text)
	}
	if !keep {
		l.notice(disconnectNotice(c.uuid), true)
	}
	return keep
}

// record keeps the command for the report.
func (c *Call) record(cmd *command) {
	c.mu.Lock()
	c.report.Commands = append(c.report.Commands, cmd.label())
	c.report.CommandedAt = append(c.report.CommandedAt, time.Now())
	c.mu.Unlock()
}

// command gives the whole text of the answer; false ends the socket after it.
func (c *Call) command(cmd *command) (text string, keep bool) {
	word, rest := cmd.word()
	switch word {
	case "connect":
		return c.connect(), true
	case "exit", "...":
		return commandReply("+OK bye"), false
	case "myevents":
		c.sw.unlisten(c.listener) // from now on only this channel's events
		return commandReply(c.listener.mine(rest)), true
	case "filter":
		return commandReply(c.listener.filter(rest)), true
	case "getvar":
		return commandReply(orNotFound(c.getVar(rest))), true
	case "resume":
		c.setVars(header{"socket_resume", "true"})
		return commandReply("+OK"), true
	case "divert_events":
		return commandReply(divert(rest)), true
	case "sendmsg":
		return commandReply(c.sendMessage(cmd, rest)), true
	}
	if !c.spec.full() {
		return commandReply(replyNotFound), true
	}
	return c.fullCommand(cmd, word, rest), true
}

// fullCommand executes what only a full socket may.
func (c *Call) fullCommand(cmd *command, word, rest string) string {
	l := c.listener
	switch word {
	case "event":
		text := l.subscribe(rest)
		if !l.onlyOwn() {
			c.sw.listen(l)
		}
		return commandReply(text)
	case "nixevent":
		return commandReply(l.nix(rest))
	case "noevents":
		return commandReply(l.noEvents())
	case "linger":
		return commandReply(c.setLinger(rest))
	case "nolinger":
		c.mu.Lock()
		c.linger = noLinger
		c.mu.Unlock()
		return commandReply("+OK will not linger")
	case "sendevent":
		return commandReply("+OK " + uuid.NewString())
	case "api":
		return apiReply(c.sw.api(c, rest))
	case "bgapi":
		return c.background(cmd, rest)
	}
	return commandReply(replyNotFound)
}

func orNotFound(value string) string {
	if value == "" {
		return replyNotFound
	}
	return value
}

func divert(rest string) string {
	switch strings.ToLower(rest) {
	case "":
		return "-ERR missing value."
	case "on":
		return "+OK events diverted"
	}
	return "+OK events not diverted"
}

// connect answers with the channel's data, and takes the call.
func (c *Call) connect() string {
	reply := c.sw.connectReply(c.snapshot(), c.spec.async(), c.spec.full())
	c.takenOnce.Do(func() { close(c.taken) })
	return string(reply)
}

// setLinger executes linger [seconds]; FreeSWITCH reads the number as atoi does.
func (c *Call) setLinger(rest string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if rest == "" {
		c.linger = -1
		return "+OK will linger"
	}
	c.linger = max(atoi(rest), -1)
	return "+OK will linger " + itoa(c.linger) + " seconds"
}

// sendMessage executes sendmsg: in async mode it is queued for the channel,
// otherwise executed here and now.
func (c *Call) sendMessage(cmd *command, rest string) string {
	target := rest
	if target == "" {
		target = cmd.get("session-id")
	}
	if target != "" && target != c.uuid {
		other := c.sw.call(target)
		if other == nil {
			return "-ERR invalid session id [" + target + "]"
		}
		other.enqueue(cmd)
		return "+OK"
	}
	if c.spec.async() || isTrue(cmd.get("async")) {
		c.enqueue(cmd)
		return "+OK"
	}
	if !c.isHung() {
		c.messageSync(cmd)
	}
	return "+OK"
}

// background executes bgapi: the answer comes as an event.
func (c *Call) background(cmd *command, rest string) string {
	job := cmd.get("Job-UUID")
	if job == "" {
		job = uuid.NewString()
	}
	c.wg.Add(1)
	go func() {
		defer c.wg.Done()
		c.job(job, rest)
	}()
	return commandReply("+OK Job-UUID: " + job + "\nJob-UUID: " + job)
}

// job runs an API command and tells its answer in a BACKGROUND_JOB event.
func (c *Call) job(id, line string) {
	body := c.sw.api(c, line)
	if c.loseJob() {
		return
	}
	c.send(jobEvent(id, c.uuid, line, body))
}

// jobEvent is the answer to bgapi.
func jobEvent(id, owner, line, body string) *event {
	name, arg, _ := strings.Cut(line, " ")
	e := &event{
		name: "BACKGROUND_JOB", owner: owner, body: body,
		calling: calling{"mod_event_socket.c", "api_exec", 1572},
		extra:   []header{{"Job-UUID", id}},
	}
	if owner != "" {
		e.extra = append(e.extra, header{"Job-Owner-UUID", owner})
	}
	e.extra = append(e.extra, header{"Job-Command", name})
	if arg != "" {
		e.extra = append(e.extra, header{"Job-Command-Arg", arg})
	}
	return e
}

// messageSync executes a sendmsg in sync mode, within the command.
func (c *Call) messageSync(cmd *command) {
	c.thread.Lock()
	defer c.thread.Unlock()
	c.message(cmd)
	c.drain()
}

// controlSync waits in sync mode, where commands execute in the socket's
// goroutine. A hung up channel stays in the socket action until that ends.
func (c *Call) controlSync() {
	select {
	case <-c.gone:
		return
	case <-c.hung:
	}
	c.afterApplication(c.sayGoodbye)
	<-c.gone
}

// afterApplication runs f when no application runs.
func (c *Call) afterApplication(f func()) {
	c.thread.Lock()
	defer c.thread.Unlock()
	f()
}

// hearsAudio marks whether the channel reads audio now: in sync mode only
// while an application runs.
func (c *Call) hearsAudio(yes bool) {
	if c.spec.async() {
		return
	}
	c.mu.Lock()
	if yes {
		c.running++
	} else {
		c.running--
	}
	s, hears := c.stream, c.running > 0
	c.mu.Unlock()
	if s != nil {
		s.hear(hears, time.Now())
	}
}

// inApplication tells whether an application runs.
func (c *Call) inApplication() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.running > 0
}
