package inbound

import (
	"encoding/json"
	"fmt"
	"os"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"

	"tapdeck/controller/switchsim/audiostream"
)

// version is the FreeSWITCH that is simulated.
const version = "1.10.12-release"

// Status answers the API commands that ask about the switch itself.
type Status struct {
	// Prompts gives the length of a file, or false if there is none.
	Prompts func(file string) (time.Duration, bool)
	// TempDir is the switch's folder for temporary files, unless Facts have another one.
	TempDir string

	mu    sync.RWMutex
	facts Facts
}

// SetFacts replaces the facts, at any time.
func (s *Status) SetFacts(f Facts) {
	s.mu.Lock()
	s.facts = f
	s.mu.Unlock()
}

// Facts returns a copy of the facts.
func (s *Status) Facts() Facts {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.facts
}

// Answer answers an API command (F74 to F76); known is false for any other.
func (s *Status) Answer(command, argument string) (answer string, known bool) {
	f := s.Facts()
	switch command {
	case "version":
		return f.version(argument), true
	case "hostname":
		return f.global("hostname"), true
	case "strepoch":
		return strconv.FormatInt(time.Now().Add(f.ClockSkew).Unix(), 10), true
	case "module_exists":
		return strconv.FormatBool(f.HasModule(argument)), true
	case "file_exists":
		return strconv.FormatBool(s.fileExists(&f, argument)), true
	case "global_getvar":
		if _, other := f.Globals[argument]; argument == "temp_dir" && !other {
			return s.TempDir, true
		}
		return f.global(argument), true
	case "xml_locate":
		return f.xmlLocate(argument), true
	case "fsctl":
		return f.limits(argument), true
	case "show":
		return f.show(argument), true
	}
	return "", false
}

// fileExists is about that very path: sound_prefix is not applied (F76).
func (s *Status) fileExists(f *Facts, name string) bool {
	if f.Files != nil {
		return f.Files(name)
	}
	if info, err := os.Stat(name); err == nil && path.IsAbs(name) && info.Mode().IsRegular() {
		return true // of this machine, as playback has it
	}
	rest, below := strings.CutPrefix(name, f.global("sound_prefix")+"/")
	dir, file := path.Split(rest)
	dir, atRate := strings.CutSuffix(dir, "8000/")
	if !below || !atRate {
		return false
	}
	_, ok := s.Prompts(dir + file)
	return ok
}

func (f *Facts) version(argument string) string {
	v := f.Version
	if v == "" {
		v = version
	}
	if argument == "short" {
		return v + "\n"
	}
	return "FreeSWITCH Version " + v + "~64bit ( 64bit)\n"
}

// limits is fsctl, as far as it only asks (F78).
func (f *Facts) limits(argument string) string {
	orElse := func(n, otherwise int) int {
		if n == 0 {
			return otherwise
		}
		return n
	}
	switch argument {
	case "max_sessions":
		return fmt.Sprintf("+OK max sessions: %d\n", orElse(f.MaxSessions, 2000))
	case "sps":
		return fmt.Sprintf("+OK sessions per second: %d\n", orElse(f.SessionsPerSecond, 500))
	}
	return "-ERR INVALID COMMAND!\n"
}

// apiRow is a line of show api.
type apiRow struct {
	Name        string `json:"name"`
	Description string `json:"description"`
	Syntax      string `json:"syntax"`
	Key         string `json:"ikey"`
}

// show answers show api as json: the commands that a doctor may look for (F75).
func (f *Facts) show(argument string) string {
	if strings.TrimSpace(argument) != "api as json" {
		return "-USAGE: codec|endpoint|application|api|dialplan|file|timer|calls [count]|channels [count|like <match string>]\n"
	}
	rows := []apiRow{
		{"fsctl", "FS control messages", "", "mod_commands"},
		{"originate", "Originate a call", "", "mod_commands"},
		{"sched_api", "Schedule an api command", "[+@]<time> <group_name> <command_string>[&]", "mod_commands"},
		{"sched_del", "Delete a scheduled task", "<task_id>|<group_id>", "mod_commands"},
		{"sched_hangup", "Schedule a hangup", "", "mod_commands"},
		{"uuid_break", "Break out of media sent to channel", "<uuid> [all]", "mod_commands"},
		{"uuid_kill", "Kill channel", "<uuid> [cause]", "mod_commands"},
		{"version", "Version", "[short]", "mod_commands"},
		{"xml_locate", "Find some xml", "[root | <section> <tag> <tag_attr_name> <tag_attr_val>]", "mod_commands"},
	}
	if f.HasStreamAPI() {
		rows = append(rows, apiRow{"uuid_audio_stream", "audio_stream API", audiostream.Usage, "mod_audio_stream"})
	}
	b, err := json.Marshal(map[string]any{"row_count": len(rows), "rows": rows})
	if err != nil {
		return ""
	}
	return string(b)
}
