package switchsim

import (
	"encoding/json"
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
		return func(s *Switch, _ *Call, arg string) string { return s.version(arg) }
	case "status":
		return func(s *Switch, _ *Call, _ string) string { return s.status() }
	case "hostname":
		return func(s *Switch, _ *Call, _ string) string {
			f := s.theFacts()
			return f.global("hostname")
		}
	case "strepoch":
		return func(s *Switch, _ *Call, _ string) string { return itoa(int(s.clockNow().Unix())) }
	case "strftime":
		return func(s *Switch, _ *Call, _ string) string { return s.clockNow().Format("2006-01-02 15:04:05") }
	case "module_exists":
		return func(s *Switch, _ *Call, arg string) string {
			f := s.theFacts()
			return boolText(f.hasModule(arg))
		}
	case "file_exists":
		return func(s *Switch, _ *Call, arg string) string { return boolText(s.fileExists(arg)) }
	case "global_getvar":
		return func(s *Switch, _ *Call, arg string) string {
			f := s.theFacts()
			return f.global(arg)
		}
	case "xml_locate":
		return func(s *Switch, _ *Call, arg string) string { return s.xmlLocate(arg) }
	case "fsctl":
		return func(s *Switch, _ *Call, arg string) string { return s.control(arg) }
	case "show":
		return func(s *Switch, _ *Call, arg string) string { return s.show(arg) }
	case "hupall":
		return func(s *Switch, _ *Call, arg string) string { return s.hangupAll(arg) }
	}
	return nil
}

func (s *Switch) clockNow() time.Time { return time.Now().Add(s.theFacts().ClockSkew) }

func (s *Switch) versionText() string {
	if v := s.theFacts().Version; v != "" {
		return v
	}
	return version
}

func (s *Switch) version(arg string) string {
	if arg == "short" {
		return s.versionText() + "\n"
	}
	return "FreeSWITCH Version " + s.versionText() + "~64bit ( 64bit)\n"
}

// limits returns the most sessions, and the most new ones in a second.
func (s *Switch) limits() (sessions, perSecond int) {
	f := s.theFacts()
	if sessions, perSecond = f.MaxSessions, f.SessionsPerSecond; sessions == 0 {
		sessions = 2000
	}
	if perSecond == 0 {
		perSecond = 500
	}
	return sessions, perSecond
}

// control is fsctl, as far as it only asks.
func (s *Switch) control(arg string) string {
	sessions, perSecond := s.limits()
	switch arg {
	case "max_sessions":
		return fmt.Sprintf("+OK max sessions: %d\n", sessions)
	case "sps":
		return fmt.Sprintf("+OK sessions per second: %d\n", perSecond)
	case "loglevel":
		return "+OK log level: DISABLE [-1]\n"
	}
	return "-ERR INVALID COMMAND!\n"
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
	sessions, perSecond := s.limits()
	now := s.Calls()
	return "UP 0 years, " + unit(ms/86400000, "day") + ", " + unit(ms/3600000%24, "hour") + ", " +
		unit(ms/60000%60, "minute") + ", " + unit(ms/1000%60, "second") + ", " +
		unit(ms%1000, "millisecond") + ", " + unit(up.Microseconds()%1000, "microsecond") + "\n" +
		"FreeSWITCH (Version " + s.versionText() + "  64bit) is ready\n" +
		fmt.Sprintf("%d session(s) since startup\n", s.sessions.Load()) +
		fmt.Sprintf("%d session(s) - peak %d, last 5min %d \n", now, now, now) +
		fmt.Sprintf("0 session(s) per Sec out of max %d, peak 0, last 5min 0 \n", perSecond) +
		fmt.Sprintf("%d session(s) max\n", sessions) +
		"min idle cpu 0.00/100.00\nCurrent Stack Size/Max 240K/8192K\n"
}

// apiRow is a line of show api.
type apiRow struct {
	Name        string `json:"name"`
	Description string `json:"description"`
	Syntax      string `json:"syntax"`
	Key         string `json:"ikey"`
}

// apiRows are the API commands that a doctor may look for.
func (f *Facts) apiRows() []apiRow {
	rows := []apiRow{
		{"fsctl", "FS control messages", "", "mod_commands"},
		{"originate", "Originate a call", "", "mod_commands"},
		{"sched_hangup", "Schedule a hangup", "", "mod_commands"},
		{"status", "Show current status", "", "mod_commands"},
	}
	if f.hasStreamAPI() {
		rows = append(rows, apiRow{"uuid_audio_stream", "audio_stream API", streamUsage, "mod_audio_stream"})
	}
	return append(rows,
		apiRow{"uuid_break", "Break out of media sent to channel", "<uuid> [all]", "mod_commands"},
		apiRow{"uuid_kill", "Kill channel", "<uuid> [cause]", "mod_commands"},
		apiRow{"uuid_setvar", "Set a variable", "<uuid> <var> [value]", "mod_commands"},
		apiRow{"version", "Version", "[short]", "mod_commands"},
		apiRow{"xml_locate", "Find some xml", "[root | <section> <tag> <tag_attr_name> <tag_attr_val>]", "mod_commands"},
	)
}

func (s *Switch) show(arg string) string {
	f := s.theFacts()
	switch strings.TrimSpace(arg) {
	case "channels count", "calls count":
		return fmt.Sprintf("\n%d total.\n", s.Calls())
	case "api":
		var b strings.Builder
		b.WriteString("name,description,syntax,ikey\n")
		for _, r := range f.apiRows() {
			b.WriteString(r.Name + "," + r.Description + "," + r.Syntax + "," + r.Key + "\n")
		}
		return fmt.Sprintf("%s\n%d total.\n", b.String(), len(f.apiRows()))
	case "api as json":
		return asJSON(len(f.apiRows()), f.apiRows())
	case "modules as json":
		rows := f.moduleRows()
		return asJSON(len(rows), rows)
	}
	return "-USAGE: codec|endpoint|application|api|dialplan|file|timer|calls [count]|channels [count|like <match string>]\n"
}

// moduleRow is a line of show modules.
type moduleRow struct {
	Type string `json:"type"`
	Name string `json:"name"`
	Key  string `json:"ikey"`
	File string `json:"filename"`
}

func (f *Facts) moduleRows() []moduleRow {
	var rows []moduleRow
	for _, m := range modules() {
		if f.hasModule(m) {
			rows = append(rows, moduleRow{"generic", m, m, "/usr/lib/freeswitch/mod/" + m + ".so"})
		}
	}
	return rows
}

// asJSON is what "as json" adds: the number of rows, and the rows.
func asJSON(n int, rows any) string {
	b, err := json.Marshal(map[string]any{"row_count": n, "rows": rows})
	if err != nil {
		return ""
	}
	return string(b)
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
