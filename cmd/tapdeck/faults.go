package main

import (
	"maps"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"tapdeck/controller/switchsim"
)

// faults are the faults that the call command knows by name.
var faults = map[string]switchsim.Faults{
	"none":          {},
	"never-connect": {NeverConnect: true},
	"refuse-start":  {RefuseStart: true},
	"no-api":        {NoAPI: true},
	"hangup-prompt": {HangupIn: "playback"},
	"die-prompt":    {DieIn: "playback"},
	"lose-jobs":     {LoseJobs: true},
}

// flagDefaults are what the help texts refer to.
func flagDefaults() kong.Vars {
	return kong.Vars{"faults": strings.Join(slices.Sorted(maps.Keys(faults)), ",")}
}
