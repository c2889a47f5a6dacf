package doctor

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"tapdeck/cmd/internal/callview"
	"tapdeck/cmd/internal/config"
)

// playerCheck is the name of the check of how a bot's voice gets into a call.
const playerCheck = "player"

// player looks whether what a bot says can get into a call. remove takes away what it has made.
func (x *examination) player(ctx context.Context) (remove func()) {
	longest, talks := time.Duration(0), false
	for _, plan := range x.plans {
		for _, agent := range agents(plan.Steps) {
			longest, talks = max(longest, agent.For), true
		}
	}
	p := x.Loaded.Config.Player.Controller()
	switch {
	case !talks:
	case p.Method == config.MethodFiles:
		return x.playerFiles(ctx, p.Directory)
	default:
		x.playerTemp(ctx, longest)
	}
	return func() {}
}

// playerFiles asks FreeSWITCH for a file that is written where the player writes. The test call's
// caller speaks with it.
func (x *examination) playerFiles(ctx context.Context, directory string) (remove func()) {
	file, err := writeTone(directory)
	if err != nil {
		x.report(Fail, playerCheck, "run doctor on the daemon's machine, as tapdeck's user, who must be able to write there", "player.directory %s can't be written to (%v)", directory, err)
		return func() {}
	}
	exists := x.match(ctx, playerCheck, "file_exists "+file, `^(true|false)$`)
	switch {
	case exists == nil:
	case exists[0] == "true":
		if !strings.ContainsAny(file, " ^") { // which would end an application of those that originate is given (F171)
			x.voice = file
		}
		x.pass(playerCheck, "FreeSWITCH sees what is written into player.directory %s", directory)
	default:
		x.report(Fail, playerCheck, "name a folder that both see under the same path, such as a volume of both containers, or remove player.directory: bots speak over the stream's own socket then",
			"FreeSWITCH does not see what is written into player.directory %s", directory)
	}
	return func() { _ = os.Remove(file) }
}

// voiceLength is how much of the pattern is written: FreeSWITCH begins again with a short break, which
// must be rare.
const voiceLength = 30 * time.Second

// writeTone writes the test call's pattern as a file that FreeSWITCH plays.
func writeTone(directory string) (path string, err error) {
	f, err := os.CreateTemp(directory, "tapdeck-doctor-*.r8")
	if err != nil {
		return "", err
	}
	_, err = f.Write(patternPCM(voiceLength, 8000))
	if errMode := f.Chmod(0o644); err == nil { // FreeSWITCH may run as somebody else
		err = errMode
	}
	if errClose := f.Close(); err == nil {
		err = errClose
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return f.Name(), err
}

// patternPCM is the pattern as 16-bit little-endian PCM of one channel, for a time, at a rate in Hz.
func patternPCM(length time.Duration, rate int) []byte {
	const amplitude = 8000
	on, turn := int(patternOn.Seconds()*float64(rate)), int((patternOn+patternOff).Seconds()*float64(rate))
	all := int(length.Seconds() * float64(rate))
	pcm := make([]byte, 0, 2*all)
	for i := range all {
		sample := int16(0)
		if i%turn < on {
			sample = int16(amplitude * math.Sin(2*math.Pi*patternHz*float64(i)/float64(rate)))
		}
		pcm = binary.LittleEndian.AppendUint16(pcm, uint16(sample))
	}
	return pcm
}

// Of what a bot says over the stream's socket, in FreeSWITCH's temp folder.
const (
	spokenRate = 16000 // bytes a second
	fewCalls   = 100
)

// playerTemp looks at the room in FreeSWITCH's temp folder, where the stream's module keeps what a
// bot says until the stream stops.
func (x *examination) playerTemp(ctx context.Context, longest time.Duration) {
	per := config.Size(longest.Seconds()) * spokenRate
	keeps := fmt.Sprintf("%s keeps there what a bot says until the stream stops, %.1f MB a call at most", streamModule, float64(per)/1e6)
	if x.location != thisMachine {
		x.report(Unknown, playerCheck, "look for the room on FreeSWITCH's machine", "FreeSWITCH's temp folder can't be seen from here; %s", keeps)
		return
	}
	folder := x.match(ctx, playerCheck, "global_getvar temp_dir", `^/[^\pC]{0,1000}$`)
	if folder == nil {
		return
	}
	var s unix.Statfs_t
	if err := unix.Statfs(folder[0], &s); err != nil {
		x.report(Unknown, playerCheck, "is it in a container? Look for the room there", "FreeSWITCH's temp folder %s can't be seen from here (%v); %s", folder[0], err, keeps)
		return
	}
	free := config.Size(int64(s.Bavail) * int64(s.Bsize)) // both differ by system
	room := int(free / max(per, 1))
	const text = "%.1f GiB free in FreeSWITCH's temp folder %s, room for %d calls of the longest plan at once; %s"
	gib := float64(free) / float64(config.GiB)
	if room < min(fewCalls, x.Loaded.Config.ESL.MaxCalls) {
		x.report(Warn, playerCheck, "make room, or name a folder in player.directory, from which what was said goes at once", text, gib, folder[0], room, keeps)
		return
	}
	x.pass(playerCheck, text, gib, folder[0], room, keeps)
}

// conversation looks whether a test call's bot was heard.
func (x *examination) conversation(r *callview.Record) {
	const check = "test conversation"
	plan := x.plan(r.Plan)
	method := x.Loaded.Config.Player.Controller().Method
	switch {
	case plan == nil || len(agents(plan.Steps)) == 0:
	case r.Agent == nil:
		x.report(Warn, check, "does a step before it end the call?", "plan %s has an agent, and the call did not come so far", r.Plan)
	case r.Agent.Connects == 0:
		x.report(Fail, check, "the check of that bot says more", "the bot was not reached")
	case len(r.Agent.Utterances) == 0:
		x.report(Warn, check, "a bot that greets its caller proves it", "the bot said nothing, so it can't be told whether the caller would hear it")
	default:
		x.pass(check, "the caller heard the bot %d times, by the player's method %s", len(r.Agent.Utterances)+r.Agent.UtterancesInFile, method)
	}
}
