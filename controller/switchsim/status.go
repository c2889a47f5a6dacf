package switchsim

import (
	"fmt"
	"strings"
	"time"
)

// version is the FreeSWITCH that is simulated.
const version = "1.10.12-release"

// findStatusAPI returns the API commands that tell about the switch itself.
func findStatusAPI(name string) apiFunction {
	switch name {
	case "version":
		return func(_ *Switch, _ *Call, arg string) string {
			if arg == "short" {
				return version + "\n"
			}
			return "FreeSWITCH Version " + version + "~64bit ( 64bit)\n"
		}
	case "status":
		return func(s *Switch, _ *Call, _ string) string { return s.status() }
	case "hostname":
		return func(*Switch, *Call, string) string { return "simulated" }
	case "strepoch":
		return func(*Switch, *Call, string) string { return itoa(int(time.Now().Unix())) }
	case "module_exists":
		return func(s *Switch, _ *Call, arg string) string { return boolText(s.hasModule(arg)) }
	case "show":
		return func(s *Switch, _ *Call, arg string) string { return s.show(arg) }
	case "hupall":
		return func(s *Switch, _ *Call, arg string) string { return s.hangupAll(arg) }
	}
	return nil
}

// status is the text of the API command.
func (s *Switch) status() string {
	up := time.Since(s.began)
	unit := func(n int64, name string) string {
		if n == 1 {
			return "1 " + name
		}
		return fmt.Sprintf("%d %ss", n, name)
	}
	ms := up.Milliseconds()
	return "UP 0 years, " + unit(ms/86400000, "day") + ", " + unit(ms/3600000%24, "hour") + ", " +
		unit(ms/60000%60, "minute") + ", " + unit(ms/1000%60, "second") + ", " +
		unit(ms%1000, "millisecond") + ", " + unit(up.Microseconds()%1000, "microsecond") + "\n" +
		"FreeSWITCH (Version " + version + "  64bit) is ready\n" +
		fmt.Sprintf("%d session(s) since startup\n", s.sessions.Load()) +
		fmt.Sprintf("%d session(s) - peak %d, last 5min %d \n", s.Calls(), s.Calls(), s.Calls()) +
		"0 session(s) per Sec out of max 500, peak 0, last 5min 0 \n2000 session(s) max\n" +
		"min idle cpu 0.00/100.00\nCurrent Stack Size/Max 240K/8192K\n"
}

func (s *Switch) hasModule(name string) bool {
	switch name {
	case "mod_audio_stream", "mod_event_socket", "mod_dptools", "mod_commands", "mod_sndfile", "mod_tone_stream",
		"mod_loopback", "mod_dialplan_xml", "mod_sofia":
		return true
	}
	return false
}

func (s *Switch) show(arg string) string {
	if strings.HasPrefix(arg, "channels count") || strings.HasPrefix(arg, "calls count") {
		return fmt.Sprintf("\n%d total.\n", s.Calls())
	}
	return "-USAGE: codec|endpoint|application|api|dialplan|file|timer|calls [count]|channels [count|like <match string>]\n"
}

func (s *Switch) hangupAll(cause string) string {
	if cause == "" {
		cause = "MANAGER_REQUEST"
	}
	s.mu.RLock()
	calls := make([]*Call, 0, len(s.calls))
	for _, c := range s.calls {
		calls = append(calls, c)
	}
	s.mu.RUnlock()
	for _, c := range calls {
		c.hangup(cause, "switch")
	}
	return "+OK hangup all channels with cause " + cause + "\n"
}
