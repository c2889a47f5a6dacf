// Package inbound is the inbound event socket of the simulated switch, port 8021 of
// a real one, and what the switch answers there about itself to a doctor: modules,
// files, limits, and the dialplan as XML (F73 to F77).
//
// Server.Serve starts a goroutine for each connection, and one for each bgapi
// command while it runs, and returns when they have ended. The package knows
// nothing of calls; the switch executes what it does not answer itself.
package inbound

import (
	"slices"
	"time"

	"tapdeck/controller/switchsim/fault"
)

// Facts are what the switch answers about itself, to a doctor: modules,
// files, dialplan, limits. The zero value is a switch without any extension
// and with nothing else amiss; every field can be broken by itself.
type Facts struct {
	// Extensions are the dialplan.
	Extensions []Extension
	// Missing are the modules that are not loaded. Without mod_audio_stream
	// its API is missing too.
	Missing []string
	// NoStreamAPI: mod_audio_stream is loaded, but its API is not there.
	NoStreamAPI bool
	// Globals are global variables, besides or instead of sound_prefix,
	// sounds_dir, script_dir, domain, local_ip_v4 and the like. An empty value
	// is a variable that is not set.
	Globals map[string]string
	// Files says whether a path exists. When nil, files exist where the
	// sound packages put them (F72), sound_prefix/DIRECTORY/8000/FILE, if
	// Config.Prompts knows DIRECTORY/FILE, and so do files of this machine.
	Files func(path string) bool
	// MaxSessions and SessionsPerSecond are limits; 0 means 2000 and 500.
	MaxSessions, SessionsPerSecond int
	// ClockSkew is how far the switch's clock is ahead.
	ClockSkew time.Duration
	// Version instead of 1.10.12-release.
	Version string
	// Faults are those of the calls that originate places.
	Faults fault.Call
}

// Extension is one extension of the dialplan, for one number.
type Extension struct {
	// Name, Context ("default" when empty) and Number, dialled as it is.
	Name, Context, Number string
	// Actions in order.
	Actions []Action
}

// Action is one action of the dialplan.
type Action struct{ Application, Data string }

// modules are those that the simulated switch has.
func modules() []string {
	return []string{
		"mod_audio_stream", "mod_commands", "mod_console", "mod_db", "mod_dialplan_xml", "mod_dptools",
		"mod_event_socket", "mod_hash", "mod_loopback", "mod_say_en", "mod_sndfile", "mod_sofia", "mod_tone_stream",
	}
}

// HasModule says whether a module is loaded.
func (f *Facts) HasModule(name string) bool {
	return slices.Contains(modules(), name) && !slices.Contains(f.Missing, name)
}

// HasStreamAPI says whether uuid_audio_stream is there.
func (f *Facts) HasStreamAPI() bool {
	return !f.NoStreamAPI && f.HasModule("mod_audio_stream")
}

const defaultSounds = "/usr/share/freeswitch/sounds"

// global returns a global variable; "" is unset.
func (f *Facts) global(name string) string {
	if v, ok := f.Globals[name]; ok {
		return v
	}
	switch name {
	case "sound_prefix":
		return defaultSounds + "/en/us/callie"
	case "sounds_dir":
		return defaultSounds
	case "script_dir":
		return "/usr/share/freeswitch/scripts"
	case "domain", "local_ip_v4":
		return "127.0.0.1"
	case "hostname":
		return "simulated"
	}
	return ""
}

// Extension finds who answers a number in a context; nil is nobody.
func (f *Facts) Extension(number, context string) *Extension {
	for i := range f.Extensions {
		if e := &f.Extensions[i]; e.Number == number && e.contextName() == context {
			return e
		}
	}
	return nil
}

func (e *Extension) contextName() string {
	if e.Context == "" {
		return "default"
	}
	return e.Context
}
