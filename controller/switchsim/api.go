package switchsim

import (
	"strings"
	"time"
)

// apiFunction answers one API command; c is the channel whose socket asked,
// or nil. An empty answer is "-ERR no reply".
type apiFunction func(s *Switch, c *Call, arg string) string

// findAPI returns the API command of that name, or nil.
func findAPI(name string) apiFunction {
	switch name {
	case "uuid_audio_stream":
		return func(s *Switch, _ *Call, arg string) string { return s.audioStream(arg) }
	case "uuid_kill":
		return onCall("-ERR No such channel!\n", "-USAGE: <uuid> [cause]\n", apiKill)
	case "uuid_break":
		return onCall("-ERR No such channel!\n", "-USAGE: <uuid> [all]\n", apiBreak)
	case "uuid_setvar":
		return onCall("-ERR No such channel!\n", "-USAGE: <uuid> <var> [value]\n", apiSetVar)
	case "uuid_setvar_multi":
		return onCall("-ERR No such channel!\n"+setVarMultiUsage, setVarMultiUsage, apiSetVarMulti)
	case "uuid_getvar":
		return onCall("-ERR No such channel!\n", "-USAGE: <uuid> <var>\n", apiGetVar)
	case "uuid_exists":
		return func(s *Switch, _ *Call, arg string) string { return boolText(s.call(arg) != nil) }
	case "uuid_dump":
		return onCall("-ERR No such channel!\n", "-USAGE: <uuid> [format]\n", func(c *Call, _ string) string { return c.dump() })
	case "sched_hangup":
		return apiSchedHangup
	case "sched_del":
		return apiSchedDel
	}
	return findStatusAPI(name)
}

// onCall makes an API command of one that wants a channel's UUID first.
func onCall(unknown, usage string, f func(c *Call, arg string) string) apiFunction {
	return func(s *Switch, _ *Call, arg string) string {
		id, rest, _ := strings.Cut(arg, " ")
		if id == "" {
			return usage
		}
		c := s.call(id)
		if c == nil {
			return unknown
		}
		return f(c, strings.TrimSpace(rest))
	}
}

// api executes one API command for the socket of c, or for an inbound one.
func (s *Switch) api(c *Call, line string) string {
	name, arg, _ := strings.Cut(strings.TrimSpace(line), " ")
	f := findAPI(name)
	if f == nil || s.hidden(c, name) {
		return "-ERR " + name + " Command not found!\n"
	}
	return f(s, c, strings.TrimSpace(arg))
}

func apiKill(c *Call, cause string) string {
	if cause == "" {
		cause = "NORMAL_CLEARING"
	}
	c.hangup(cause, "controller")
	return "+OK\n"
}

// apiBreak ends the application that runs; with "all" what is queued is
// forgotten, without a word.
func apiBreak(c *Call, arg string) string {
	c.mu.Lock()
	if arg == "all" || arg == "both" {
		c.queue = nil
	}
	c.mu.Unlock()
	select {
	case c.brk <- struct{}{}:
	default:
	}
	return "+OK\n"
}

func apiSetVar(c *Call, arg string) string {
	name, value, _ := strings.Cut(arg, " ")
	c.setVars(header{name, strings.TrimSpace(value)})
	return "+OK\n"
}

const setVarMultiUsage = "-USAGE: <uuid> <var>=<value>;<var>=<value>...\n"

func apiSetVarMulti(c *Call, arg string) string {
	var changes []header
	for _, one := range strings.Split(arg, ";") {
		if name, value, ok := strings.Cut(one, "="); ok {
			changes = append(changes, header{strings.TrimSpace(name), value})
		}
	}
	if len(changes) == 0 {
		return setVarMultiUsage
	}
	c.setVars(changes...)
	return "+OK\n"
}

func apiGetVar(c *Call, name string) string {
	if v := c.getVar(name); v != "" {
		return v
	}
	return "_undef_"
}

// apiSchedHangup executes sched_hangup [+]SECONDS UUID [CAUSE].
func apiSchedHangup(s *Switch, _ *Call, arg string) string {
	f := strings.Fields(arg)
	if len(f) < 2 {
		return "-USAGE: [+]<time> <uuid> [<cause>]\n"
	}
	c := s.call(f[1])
	if c == nil {
		return "-ERR No such channel!\n"
	}
	c.schedHangup(strings.Join(append(f[:1:1], f[2:]...), " "))
	return "+OK\n"
}

// apiSchedDel executes sched_del UUID: the tasks of a channel are a group by its UUID.
func apiSchedDel(s *Switch, _ *Call, arg string) string {
	deleted := 0
	if c := s.call(strings.TrimSpace(arg)); c != nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.killTimer != nil && c.killTimer.Stop() {
			deleted = 1
		}
		c.killTimer = nil
	}
	return "+OK Deleted: " + itoa(deleted) + "\n"
}

// dump is uuid_dump: the channel as plain lines.
func (c *Call) dump() string {
	w := &writer{}
	c.sw.eventLines(w, "CHANNEL_DATA", calling{})
	c.snapshot().lines(w, false)
	return string(w.buf)
}

func boolText(b bool) string {
	if b {
		return "true"
	}
	return "false"
}

// streamUsage is what uuid_audio_stream says of itself.
const streamUsage = "<uuid> [start | stop | send_text | pause | resume | graceful-shutdown ] [wss-url | path] [mono | mixed | stereo] [8000 | 16000] [metadata]"

const (
	streamOK     = "+OK Success\n"
	streamFailed = "-ERR Operation Failed\n"
)

// audioStream executes uuid_audio_stream.
func (s *Switch) audioStream(arg string) string {
	argv := separate(arg, 6)
	if len(argv) < 2 || argv[1] == "start" && len(argv) < 4 {
		return "-USAGE: " + streamUsage + "\n"
	}
	c := s.call(argv[0])
	if c == nil {
		return streamFailed
	}
	switch strings.ToLower(argv[1]) {
	case "start":
		return c.startStream(argv)
	case "stop":
		return c.stopStream(argv)
	case "send_text":
		if len(argv) < 3 {
			return ""
		}
		return c.withStream(func(s *stream) { s.sendText(argv[2]) })
	case "pause":
		return c.withStream(func(s *stream) { s.pause(true, time.Now()) })
	case "resume":
		return c.withStream(func(s *stream) { s.pause(false, time.Now()) })
	}
	return streamFailed
}

func (c *Call) withStream(f func(*stream)) string {
	c.mu.Lock()
	s := c.stream
	c.mu.Unlock()
	if s == nil {
		return streamFailed
	}
	f(s)
	return streamOK
}

// startStream executes start URL MIX [RATE] [METADATA]. What it checks, and
// in which order, is the module's way; a bad rate is found out late, when the
// WebSocket is being opened already.
func (c *Call) startStream(argv []string) string {
	mix, rate, metadata := argv[3], 8000, ""
	if mix != "mono" && mix != "mixed" && mix != "stereo" {
		return ""
	}
	if len(argv) > 4 {
		rate = streamRate(argv[4])
	}
	if len(argv) > 5 {
		metadata = argv[5]
	}
	if !streamURL(argv[2]) || rate%8000 != 0 || c.refuseStart() || c.isHung() {
		return streamFailed
	}
	c.mu.Lock()
	attached := c.stream != nil
	c.mu.Unlock()
	if attached {
		return streamFailed
	}
	c.preAnswer()
	s := newStream(c, argv[2], mix, rate, metadata)
	c.mu.Lock()
	c.streams = append(c.streams, s)
	if rate > 0 {
		c.stream = s
	}
	c.mu.Unlock()
	c.note("stream start", argv[2])
	s.launch()
	if rate <= 0 {
		return streamFailed // and the WebSocket stays open for ever
	}
	c.emit(&event{name: "MEDIA_BUG_START", extra: bugHeaders()})
	return streamOK
}

func bugHeaders() []header {
	return []header{{"Media-Bug-Function", "audio_stream"}, {"Media-Bug-Target", "N/A"}}
}

// streamRate reads the rate as the module does: anything else is 0.
func streamRate(s string) int {
	switch s {
	case "8k":
		return 8000
	case "16k":
		return 16000
	}
	return atoi(s)
}

func streamURL(u string) bool {
	rest, ok := strings.CutPrefix(u, "ws://")
	if !ok {
		rest, ok = strings.CutPrefix(u, "wss://")
	}
	return ok && rest != "" && len(u) < 512
}

// stopStream executes stop [TEXT]. It blocks until TCP is over.
func (c *Call) stopStream(argv []string) string {
	c.mu.Lock()
	s := c.stream
	c.mu.Unlock()
	if s == nil {
		return streamFailed
	}
	text := ""
	if len(argv) > 2 {
		text = argv[2]
	}
	c.holds.Add(1) // the channel can't go while stop works on it
	defer c.holds.Done()
	s.cleanup(text, "stop")
	return streamOK
}

// separate splits at blanks into at most n parts, as FreeSWITCH does: quotes
// are eaten, a backslash is taken once.
func separate(line string, n int) []string {
	var parts []string
	for line = strings.TrimLeft(line, " "); line != ""; line = strings.TrimLeft(line, " ") {
		end := len(line)
		if len(parts) < n-1 {
			end = partEnd(line)
		}
		parts = append(parts, unescape(strings.TrimRight(line[:end], " ")))
		line = line[end:]
	}
	return parts
}

// partEnd finds the blank that ends the first part, outside of single quotes.
func partEnd(line string) int {
	quoted := false
	for i := range len(line) {
		switch line[i] {
		case '\'':
			quoted = !quoted && strings.IndexByte(line[i+1:], '\'') >= 0
		case ' ':
			if !quoted {
				return i
			}
		}
	}
	return len(line)
}

// unescape eats the quotes around a part and one level of backslashes.
func unescape(s string) string {
	if len(s) > 1 && s[0] == '\'' && s[len(s)-1] == '\'' {
		s = s[1 : len(s)-1]
	}
	if !strings.Contains(s, `\`) {
		return s
	}
	return strings.NewReplacer(`\n`, "\n", `\r`, "\r", `\t`, "\t", `\s`, " ", `\"`, `"`, `\'`, "'", `\\`, `\`).Replace(s)
}
