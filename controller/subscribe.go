package controller

import (
	"context"
	"fmt"
	"strings"

	"go.uber.org/zap"

	"tapdeck/controller/flow"
)

// lingerSeconds is how long FreeSWITCH keeps the event socket after a hangup (F32).
// Never without a number: that would pin the channel until we close (F33).
const lingerSeconds = 5

// unused are the events of myevents that no call needs: each would be 6 KB (F24).
const unused = "CHANNEL_EXECUTE CHANNEL_STATE CHANNEL_PROGRESS CHANNEL_PROGRESS_MEDIA CHANNEL_PARK CHANNEL_UNPARK " +
	"CHANNEL_ANSWER CHANNEL_DATA CHANNEL_CREATE CHANNEL_UUID CHANNEL_OUTGOING CHANNEL_ORIGINATE CHANNEL_BRIDGE " +
	"CHANNEL_UNBRIDGE CHANNEL_APPLICATION CHANNEL_DESTROY DETECTED_SPEECH TALK NOTALK"

// wanted are the events that myevents does not bring (F15, F17). Everything after
// the word CUSTOM is a subclass (F18), so it comes last.
const wanted = "BACKGROUND_JOB CUSTOM mod_audio_stream::connect mod_audio_stream::disconnect mod_audio_stream::error"

// eventPlay is the event by which mod_audio_stream names the file that it has made of audio it was
// sent, and eventJSON that of every other text, which such audio is to a module that makes none (F130).
const (
	eventPlay = "mod_audio_stream::play"
	eventJSON = "mod_audio_stream::json"
)

// subscribe sets up the connection and the dead man's switch.
func (c *call) subscribe(ctx context.Context) error {
	c.beginStep("connect")
	events := wanted
	if flow.HaveVoice(c.plan.Steps) {
		events += " " + eventPlay + " " + eventJSON
	}
	for _, line := range []string{
		fmt.Sprintf("linger %d", lingerSeconds),
		"myevents json",
		"nixevent " + unused,
		"event json " + events,
	} {
		if _, err := c.conn.Command(context.WithoutCancel(ctx), line); err != nil {
			return c.commandEnd(line, err)
		}
		c.lingers = true
	}
	return c.armDeadMan(ctx)
}

// bothWays says that the stream holds what the switch plays, too.
func (p Plan) bothWays() bool { return p.Stream.Mix != "mono" && flow.Streams(p.Steps) }

// setVariables sets the channel's variables, all that a call needs in one API command: an
// execute each would cost a media frame (F20). Before the answer, because park looks at
// one of them when media is ready. bgapi commands run in threads of their own (F15), so
// the answer is awaited.
func (c *call) setVariables(ctx context.Context) error {
	list := c.variables()
	if len(list) == 0 {
		return nil
	}
	answer, err := c.api(ctx, "uuid_setvar_multi "+c.channel+" "+strings.Join(list, ";"))
	if err == nil && isRefusal(answer) {
		c.log.Warn("channel variables not set", zap.String("step", "answer"), zap.String("err", answer),
			zap.String("hint", "does this switch have uuid_setvar_multi? The stream's buffer and heart beat stay at the module's defaults, * cuts prompts, and a stereo or mixed recording may lack the time in which nothing plays"))
	}
	return err
}

// noTerminators is the playback_terminators by which no key ends a playback.
const noTerminators = "none"

// variables are those that setVariables sets, as NAME=VALUE.
func (c *call) variables() (list []string) {
	// FreeSWITCH ends a playback on the caller's * unless it is told not to (F67). A dialplan
	// that names its keys wants them.
	if c.terminators == "" {
		c.ownsTerminators(noTerminators)
		list = append(list, "playback_terminators="+noTerminators)
	}
	// A parked channel sends nothing by itself, and mod_audio_stream has no frame then of a
	// mix with both directions. Park looks at this once, when media is ready: so before
	// answer, or never (F47).
	if c.plan.bothWays() && c.ringing {
		list = append(list, "send_silence_when_idle=-1")
	}
	if c.rec != nil {
		list = append(list, c.plan.Stream.variables()...)
	}
	return list
}
