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
	case "uuid_send_dtmf":
		if id, _, _ := strings.Cut(argument, " "); id != "" && s.call(id) == nil {
			return "-ERR Cannot locate session!\n"
		}
		return s.onCall(argument, sendDTMFUsage, apiSendDTMF)
	case "uuid_setvar":
		return s.onCall(argument, setVarUsage, apiSetVar)
	case "uuid_setvar_multi":
		if id, _, _ := strings.Cut(argument, " "); id != "" && s.call(id) == nil {
			return noChannel + setVarMultiUsage
		}
		return s.onCall(argument, setVarMultiUsage, apiSetVarMulti)
	case "uuid_transfer":
		return s.onCall(argument, transferUsage, apiTransfer)
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
		return noChannel
	}
	return f(c, strings.TrimSpace(rest))
}

func apiKill(c *Call, cause string) string {
	c.hangup(causeOf(cause), "controller")
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

// apiSendDTMF sends digits to the caller, of whom nobody asks which he heard (F159, F173).
func apiSendDTMF(c *Call, digits string) string {
	const most = 99
	digits, _, _ = strings.Cut(digits, " ")
	switch {
	case digits == "":
		return sendDTMFUsage
	case len(digits) > most:
		return "-ERR Operation failed\n"
	}
	return "+OK " + c.uuid + " sent DTMF " + digits + ".\n"
}

func apiSetVar(c *Call, argument string) string {
	words := append(splitArguments(argument, ' ', 2), "", "")
	if words[0] == "" {
		return setVarUsage
	}
	c.setVar(words[0], words[1])
	return "+OK\n"
}

const (
	noChannel        = "-ERR No such channel!\n"
	sendDTMFUsage    = "-USAGE: <uuid> <dtmf_data>\n"
	setVarUsage      = "-USAGE: <uuid> <var> [value]\n"
	setVarMultiUsage = "-USAGE: <uuid> <var>=<value>;<var>=<value>...\n"
)

// apiSetVarMulti sets several variables. What is no assignment, or has ${ in its value, is
// passed over (F25, F117).
func apiSetVarMulti(c *Call, argument string) string {
	if argument == "" {
		return ""
	}
	for _, one := range splitArguments(argument, ';', 64) {
		name, value, ok := strings.Cut(one, "=")
		if name == "" {
			return "-ERR No variable specified\n" + setVarMultiUsage
		}
		if ok && !strings.Contains(value, "${") {
			c.setVar(name, value)
		}
	}
	return "+OK\n"
}
