package switchsim

import (
	"strconv"
	"strings"
)

// api executes one API command for the socket of c, or for an inbound one.
func (s *Switch) api(c *Call, line string) string {
	name, argument, _ := strings.Cut(strings.TrimSpace(line), " ")
	argument = strings.TrimSpace(argument)
	switch name {
	case "uuid_audio_stream":
		if f := s.status.Facts(); f.HasStreamAPI() && (c == nil || !c.spec.Faults.NoAPI) {
			return s.audioStream(argument)
		}
	case "sched_hangup":
		return s.schedHangup(argument)
	case "sched_api":
		return s.schedAPI(argument)
	case "sched_del":
		return s.schedDel(argument)
	case "uuid_kill":
		return s.onCall(argument, "-USAGE: <uuid> [cause]\n", apiKill)
	case "uuid_break":
		return s.onCall(argument, "-USAGE: <uuid> [all]\n", apiBreak)
	case "uuid_setvar":
		return s.onCall(argument, "-USAGE: <uuid> <var> [value]\n", apiSetVar)
	case "uuid_setvar_multi":
		return s.onCall(argument, setVarMultiUsage, apiSetVarMulti)
	case "uuid_transfer":
		return s.onCall(argument, "-USAGE: <uuid> [-bleg|-both] <dest-exten> [<dialplan>] [<context>]\n", apiTransfer)
	case "uuid_exists":
		return strconv.FormatBool(s.call(argument) != nil)
	}
	if answer, known := s.status.Answer(name, argument); known {
		return answer
	}
	return "-ERR " + name + " Command not found!\n"
}

// onCall executes an API command that wants a channel's UUID first.
func (s *Switch) onCall(argument, usage string, f func(c *Call, argument string) string) string {
	id, rest, _ := strings.Cut(argument, " ")
	if id == "" {
		return usage
	}
	c := s.call(id)
	if c == nil {
		return "-ERR No such channel!\n"
	}
	return f(c, strings.TrimSpace(rest))
}

func apiKill(c *Call, cause string) string {
	if cause == "" {
		cause = "NORMAL_CLEARING"
	}
	c.hangup(cause, "controller")
	return "+OK\n"
}

// apiBreak ends the application that runs; with "all" what is queued is
// forgotten, without a word (F66).
func apiBreak(c *Call, argument string) string {
	c.mu.Lock()
	if argument == "all" || argument == "both" {
		c.queue = nil
	}
	c.mu.Unlock()
	select {
	case c.breaks <- struct{}{}:
	default:
	}
	return "+OK\n"
}

func apiSetVar(c *Call, argument string) string {
	name, value, _ := strings.Cut(argument, " ")
	c.setVar(name, strings.TrimSpace(value))
	return "+OK\n"
}

const setVarMultiUsage = "-USAGE: <uuid> <var>=<value>;<var>=<value>...\n"

// apiSetVarMulti sets several variables (F25).
func apiSetVarMulti(c *Call, argument string) string {
	var changes []header
	for one := range strings.SplitSeq(argument, ";") {
		if name, value, ok := strings.Cut(one, "="); ok {
			changes = append(changes, header{Name: strings.TrimSpace(name), Value: value})
		}
	}
	if len(changes) == 0 {
		return setVarMultiUsage
	}
	c.setVars(changes...)
	return "+OK\n"
}

// apiTransfer executes uuid_transfer: to the number that the call has dialled it begins its
// extension again (F9), to any other the dialplan goes on with the next action (F10).
func apiTransfer(c *Call, argument string) string {
	number, _, _ := strings.Cut(argument, " ")
	if number == "" {
		return "-ERR no destination\n"
	}
	c.transfer(number == c.spec.Destination)
	return "+OK\n"
}
