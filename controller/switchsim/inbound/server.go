package switchsim

import (
	"bufio"
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
)

// ServeInbound is the inbound event socket: clients log in with the
// password of Config, ask, subscribe, and may place calls. It returns nil when
// ctx is done or ln is closed, and every connection, job and call of it ended.
func (s *Switch) ServeInbound(ctx context.Context, ln net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	stop := context.AfterFunc(ctx, func() { ln.Close() })
	defer stop()
	for {
		conn, err := ln.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return err
		}
		wg.Add(1)
		go func() {
			defer wg.Done()
			s.serveClient(ctx, conn)
		}()
	}
}

// client is one connection of the inbound event socket.
type client struct {
	sw *Switch
	*listener
	authed bool
	wg     sync.WaitGroup // its jobs
}

func (s *Switch) serveClient(ctx context.Context, conn net.Conn) {
	c := &client{sw: s, listener: newListener(s, conn, "")}
	stop := context.AfterFunc(ctx, func() { c.drop(false) })
	defer stop()
	defer c.wg.Wait()
	defer conn.Close()
	defer s.unlisten(c.listener)
	c.reply("Content-Type: auth/request\n\n")
	r := bufio.NewReaderSize(conn, 512)
	for {
		cmd, err := readCommand(r)
		if err != nil {
			return
		}
		c.begin()
		text, keep := c.handle(ctx, cmd)
		c.reply(text)
		c.done()
		if !keep {
			c.notice("Content-Type: text/disconnect-notice\nContent-Length: "+itoa(len(noticeGoodbye))+"\n\n"+noticeGoodbye, false)
			return
		}
	}
}

// handle executes one command.
func (c *client) handle(ctx context.Context, cmd *command) (text string, keep bool) {
	word, rest := cmd.word()
	switch {
	case word == "exit":
		return commandReply("+OK bye"), false
	case word == "auth" && rest == c.sw.cfg.Password:
		c.authed = true
		return commandReply("+OK accepted"), true
	case word == "auth":
		return commandReply("-ERR invalid"), false
	case !c.authed:
		return commandReply(replyNotFound), true
	}
	return c.command(ctx, cmd, word, rest), true
}

// command executes what needs the password.
func (c *client) command(ctx context.Context, cmd *command, word, rest string) string {
	switch word {
	case "api":
		return apiReply(c.sw.inboundAPI(ctx, rest))
	case "bgapi":
		return c.background(ctx, cmd, rest)
	case "event":
		text := c.subscribe(rest)
		c.sw.listen(c.listener)
		return commandReply(text)
	case "nixevent":
		return commandReply(c.nix(rest))
	case "noevents":
		return commandReply(c.noEvents())
	case "filter":
		return commandReply(c.filter(rest))
	case "myevents":
		return commandReply(c.follow(rest))
	case "sendmsg":
		return commandReply(c.sendMessage(cmd, rest))
	case "linger", "nolinger":
		return commandReply("-ERR not controlling a session")
	case "divert_events":
		return commandReply("-ERR not controlling a session.")
	}
	return commandReply(replyNotFound)
}

// follow executes myevents UUID [format].
func (c *client) follow(rest string) string {
	id, form, _ := strings.Cut(rest, " ")
	if c.sw.call(id) == nil {
		return "-ERR invalid uuid"
	}
	c.mu.Lock()
	c.own = id
	c.mu.Unlock()
	c.sw.listen(c.listener)
	return c.mine(form)
}

func (c *client) sendMessage(cmd *command, id string) string {
	call := c.sw.call(id)
	if call == nil {
		return "-ERR invalid session id [" + id + "]"
	}
	call.enqueue(cmd)
	return "+OK"
}

func (c *client) background(ctx context.Context, cmd *command, rest string) string {
	id := cmd.get("Job-UUID")
	if id == "" {
		id = uuid.NewString()
	}
	c.wg.Add(1)
	go func() {
		defer c.wg.Done()
		e := jobEvent(id, "", rest, c.sw.inboundAPI(ctx, rest))
		c.sw.broadcast(e, nil)
	}()
	return commandReply("+OK Job-UUID: " + id + "\nJob-UUID: " + id)
}

// inboundAPI is api for a client without a channel; originate lives on ctx.
func (s *Switch) inboundAPI(ctx context.Context, line string) string {
	if arg, ok := strings.CutPrefix(line, "originate "); ok {
		return s.originate(ctx, arg)
	}
	return s.api(nil, line)
}

// originate executes originate {variables}loopback/NUMBER/CONTEXT &APP. It
// returns when the call is answered or has failed.
func (s *Switch) originate(ctx context.Context, arg string) string {
	o, ok := parseOriginate(arg)
	if !ok {
		return "-USAGE: <call url> <exten>|&<application_name>(<app_args>) [<dialplan>] [<context>] [<cid_name>] [<cid_num>] [<timeout_sec>]\n"
	}
	f := s.theFacts()
	e := f.extension(o.number, o.context)
	if e == nil || !f.hasModule("mod_loopback") {
		return "-ERR NO_ROUTE_DESTINATION\n"
	}
	call, err := s.Dial(ctx, o.spec(e, &f, s))
	if err != nil {
		return "-ERR DESTINATION_OUT_OF_ORDER\n"
	}
	s.alias(o.id, call)
	select {
	case <-call.up:
		return "+OK " + o.id + "\n"
	case <-call.hung:
	}
	cause := call.Report().HangupCause
	if cause == "" || cause == "NORMAL_UNSPECIFIED" {
		cause = "NORMAL_CLEARING"
	}
	return "-ERR " + cause + "\n"
}

// alias makes the other leg's UUID a name of the call.
func (s *Switch) alias(id string, c *Call) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.calls[c.uuid] == c {
		s.calls[id], c.other = c, id
	}
}

// origination is a parsed originate.
type origination struct {
	id, number, context string
	variables           map[string]string
	app, data           string
}

func parseOriginate(arg string) (*origination, bool) {
	o := &origination{id: uuid.NewString(), variables: map[string]string{}}
	if vars, rest, ok := strings.Cut(strings.TrimPrefix(arg, "{"), "}"); ok && strings.HasPrefix(arg, "{") {
		for _, one := range strings.Split(vars, ",") {
			name, value, _ := strings.Cut(one, "=")
			o.variables[strings.TrimSpace(name)] = strings.Trim(value, "'")
		}
		arg = rest
	}
	target, app, ok := strings.Cut(arg, " ")
	address, isLoopback := strings.CutPrefix(target, "loopback/")
	o.number, o.context, _ = strings.Cut(address, "/")
	o.context, _, _ = strings.Cut(o.context, "/")
	if o.context == "" {
		o.context = "default"
	}
	if id := o.variables["origination_uuid"]; id != "" {
		o.id = id
	}
	isApp := o.application(strings.TrimSpace(app))
	return o, ok && isLoopback && isApp
}

// application reads &APP(DATA), where DATA ends at the first closing parenthesis
// whatever it is, or one application of the inline dialplan: [m:DELIMITER:]APP:DATA inline.
func (o *origination) application(text string) bool {
	if app, ok := strings.CutPrefix(text, "&"); ok {
		app, _, _ = strings.Cut(app, ")")
		o.app, o.data, _ = strings.Cut(app, "(")
		return true
	}
	inline, ok := strings.CutSuffix(text, " inline")
	delimiter := ","
	if strings.HasPrefix(inline, "m:") && len(inline) > 4 && inline[3] == ':' {
		delimiter, inline = inline[2:3], inline[4:]
	}
	inline, _, _ = strings.Cut(inline, delimiter)
	o.app, o.data, _ = strings.Cut(inline, ":")
	return ok && o.app != ""
}

// spec is the called leg: its caller's voice is what the application plays.
func (o *origination) spec(e *Extension, f *Facts, s *Switch) CallSpec {
	spec := CallSpec{
		Caller: o.variables["origination_caller_id_number"], Destination: o.number, Loopback: true,
		Variables: map[string]string{"other_loopback_leg_uuid": o.id}, Faults: f.Faults,
		Voice: &Voice{Rate: 8000},
	}
	for name, value := range o.variables {
		if name != "origination_uuid" {
			spec.Variables[name] = value
		}
	}
	if strings.HasSuffix(o.app, "playback") {
		if t, ok := s.source(o.data); ok {
			endless := o.app == "endless_playback" || t.total < 0
			spec.Voice = t.voice(endless)
			if !endless {
				spec.HangupAfter = t.total
			}
		}
	}
	spec.Address, spec.Then = "127.0.0.1:1", e.Actions // nobody: an extension without socket
	for i, a := range e.Actions {
		if a.Application == "socket" {
			address, arguments, _ := strings.Cut(a.Data, " ")
			spec.Address, spec.Arguments = address, orNone(arguments)
			spec.Before, spec.Then = e.Actions[:i], e.Actions[i+1:]
			break
		}
	}
	return spec
}

func orNone(arguments string) string {
	if arguments = strings.TrimSpace(arguments); arguments == "" {
		return "none"
	}
	return arguments
}

// voice is the tone as a caller's voice at 8 kHz.
func (t *tone) voice(endless bool) *Voice {
	length := t.on + t.off
	if !endless || length <= 0 {
		length = max(t.total, time.Second)
	}
	pcm := make([]int16, samples(length, 8000))
	for i := range pcm {
		pcm[i] = t.sample(int64(i), 8000)
	}
	return &Voice{Rate: 8000, PCM: pcm, Loop: endless}
}
