package load

import (
	"time"

	"tapdeck/controller/switchsim"
	"tapdeck/controller/switchsim/fault"
)

// Faults are the ways in which a simulated switch can misbehave, by their names.
func Faults() map[string]switchsim.Faults {
	return map[string]switchsim.Faults{
		"none":          {},
		"never-connect": {NeverConnect: true},
		"refuse-start":  {RefuseStart: true},
		"no-api":        {NoAPI: true},
		"wrong-ticket":  {TamperURL: func(url string) string { return url + "x" }},
		"second-socket": {SecondSocket: true},
		"drop":          {Drops: []switchsim.Drop{{After: time.Second, How: switchsim.DropRST}}},
		"drop-twice":    {Drops: []switchsim.Drop{{After: time.Second}, {After: time.Second, How: switchsim.DropRST}}},
		"no-audio":      {Audio: switchsim.AudioFaults{None: true}},
		"silent-audio":  {Audio: switchsim.AudioFaults{Silent: true}},
		"short-audio":   {Audio: switchsim.AudioFaults{Omit: 0.2}},
		"odd-frames":    {Audio: switchsim.AudioFaults{Odd: true}},
		"text-flood":    {Audio: switchsim.AudioFaults{Texts: 50}},
		"ping-flood":    {Audio: switchsim.AudioFaults{Pings: 50}},
		"huge-frame":    {Audio: switchsim.AudioFaults{Huge: 1 << 20}},
		"hangup-prompt": {HangupIn: "playback"},
		"die-prompt":    {DieIn: "playback"},
		"hang-stop":     {HangOn: "stop"},
		"lose-jobs":     {LoseJobs: true},
		"slow-replies":  {ReplyDelay: 300 * time.Millisecond},
		"audio-sync":    {AudioSync: true},
		"no-play":       {NoPlay: true},
		"late-play":     {LatePlay: 3 * time.Second},
		"lost-file":     {LoseFile: 2},
		"late-complete": {LateComplete: 200 * time.Millisecond},
		"stall":         {Stall: fault.Stall{After: 3 * time.Second, For: 400 * time.Millisecond}},
		"hold":          {Hold: fault.Hold{After: 3 * time.Second, For: 2 * time.Second}},
		"late-replies":  {EventFirst: "playback"},
		"broken-files":  {BrokenFiles: true},
		"odd-variables": {OddVariables: true},
	}
}
