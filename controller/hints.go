package controller

import (
	"cmp"
	"strings"

	"go.uber.org/zap"
)

// hintField is a hint for the log, if there is one.
func hintField(hint string) zap.Field {
	if hint == "" {
		return zap.Skip()
	}
	return zap.String("hint", hint)
}

// hangupHint says what to do about a hangup by the switch itself.
func hangupHint(cause string) string {
	return cmp.Or(hangupHints[cause], "nothing, if an operator did it (uuid_kill, hupall); else FreeSWITCH's log of this channel says why")
}

var hangupHints = map[string]string{
	"ALLOTTED_TIMEOUT": "nothing, if it is meant: a time limit that the dialplan, a script or an operator has set (sched_hangup); tapdeck's own has another result",
	"SYSTEM_SHUTDOWN":  "FreeSWITCH was stopped or restarted while calls ran; `fsctl shutdown elegant` waits for them",
}

const abortHint = "drain_timeout sets how long calls may go on when tapdeck is stopped; what was recorded up to here is kept"

const hintNoEvents = "the caller's side offers no telephone-event: only keys that it sends as SIP INFO come; `dtmf: inband` in the plan has FreeSWITCH look for tones in the audio"

const nextAction = "the call goes on with the dialplan's next action"

// hintUnpublished points to the recorder's line, which knows the file and the reason.
const hintUnpublished = "this call's line about its recording says where the audio is and what to do"

const (
	hintNoSocket    = "the switch said +OK but never came: compare sink.advertise, sink.listen and the firewall; tapdeck doctor tests it"
	hintOtherServer = "another WebSocket server listens at sink.advertise, the old one perhaps: compare sink.advertise with sink.listen"
)

const hintNoTLS = "sink.advertise is wss://: is sink.tls set, or a TLS proxy before sink.listen? And was mod_audio_stream built without TLS, as by default? There is a line `plain text on the TLS port` then: build the module with -DUSE_TLS=ON, or advertise ws://"

// switchHint says what to do about what the switch or its module says of a stream, or "".
func switchHint(text string) string {
	for _, h := range switchHints {
		if strings.Contains(text, h.sign) {
			return h.text
		}
	}
	return ""
}

// FreeStreams is how many streams the free v1.0.3 of mod_audio_stream permits at a time; what it
// answers to the next is told by reports only (F54).
const FreeStreams = 10

const hintLicence = "10 streams run or more, and the free v1.0.3 of mod_audio_stream permits no eleventh: build the open version from its source, or set sink.max_streams: 10, " +
	"so that more calls go to the dialplan's next action before they are answered"

// refusalHint says what to do about the switch's answer to a start that it has refused.
func (c *Controller) refusalHint(answer string) string {
	live := 0
	for _, call := range c.Calls() {
		if call.Stream != nil && call.Stream.Live {
			live++
		}
	}
	hint := switchHint(answer)
	if strings.Contains(answer, "Operation Failed") && live >= FreeStreams {
		return hintLicence + "; if not: " + hint
	}
	return hint
}

// switchHints are by signs in FreeSWITCH's own words; most are in F14, F36, F39 and F45.
var switchHints = []struct{ sign, text string }{
	{"Command not found", "mod_audio_stream is not loaded: `load mod_audio_stream` in fs_cli, and add it to autoload_configs/modules.conf.xml"},
	{"-USAGE", "this version of mod_audio_stream wants other arguments; tapdeck doctor compares"},
	{"Operation Failed", "the switch refused the start, also after a stop: another stream is on this channel (look for uuid_audio_stream in the dialplan, its api_on_answer and scripts), or the module does not support this rate or URL"},
	{"Connection refused", "nothing listens at sink.advertise as FreeSWITCH sees it: compare sink.listen, sink.advertise and the firewall"},
	{"system error 11)", "FreeSWITCH can't resolve the host name of sink.advertise; an IP address always works"},
	{"upgrade failed", "what answers at sink.advertise refused the WebSocket: if there is a line `stream refused`, it says why (sink.allow, the ticket, disk); if not, it is another server: compare sink.advertise with sink.listen"},
	{"certificate verify failed", "the module checks the sink's certificate: advertise the name that it is for (an IP address never passes), and set STREAM_TLS_CA_FILE in the dialplan for a CA of your own (NONE takes any)"},
	{"wrong version number", "sink.advertise is wss://, and what answers there speaks no TLS: set sink.tls, or advertise ws://"},
	{"closed during handshake", "sink.advertise is ws://, and what answers there hung up: does it speak TLS (advertise wss:// then), or is it no tapdeck?"},
	{"connection abort", "the connection was cut on FreeSWITCH's side: its network went away, or something there cuts connections"},
	{"Timeout", "no answer to the WebSocket upgrade within the module's 1 s: a firewall that drops, wss:// against a plain port, or an overloaded machine"},
	{"abnormal EOF", hintCut},
	{"reset by peer", hintCut},
}

const hintRate = "did the call's codec change? mod_audio_stream adapts to it only at a new start. If that does not help, compare the plan's sample_rate, mix and buffer with what the switch streams"

const hintCut = "something between FreeSWITCH and the sink cuts connections (a proxy, a restart of tapdeck)"

// hint says what to do about a socket that ended so.
func (e StreamEnd) hint() string {
	return cmp.Or(endHints[e], "something between FreeSWITCH and the sink cuts connections, or the switch's module went away; the sink's line of this call says how it looked")
}

var endHints = map[StreamEnd]string{
	EndClosed:    "FreeSWITCH itself closed the stream: did something else stop it (uuid_audio_stream … stop), or was the module unloaded?",
	EndDropped:   "the connection ended without a word: a network, a proxy or a firewall between FreeSWITCH and the sink cut it, or the module went away",
	EndProtocol:  "what came is no WebSocket of mod_audio_stream: is there a proxy between, that changes it?",
	EndTooBig:    "a frame was larger than the sink accepts: is stream.buffer what the module uses, or does something else send to the sink?",
	EndFlood:     "the switch sent too much that is no audio: does a script send metadata by uuid_audio_stream … send_text?",
	EndIdle:      "the switch sent nothing for sink.idle_timeout, not even its heart beat: was the stream paused, or did its network go away?",
	EndDisk:      "the recording can't be written: see the disk of sink.directory, and whether tapdeck may write there; this call's line about its recording says what is kept",
	EndShutdown:  "tapdeck is stopping",
	EndNotRead:   "the switch did not read the bot's audio for seconds: is the network slow, or the disk of its temp folder, where mod_audio_stream puts it?",
	EndPanic:     panicHint,
	EndWrongRate: hintRate,
}

const hintLater = "the channel had media before tapdeck got it, and the stream is not mono: FreeSWITCH delays the caller by 40 to 75 ms more with each of the bot's utterances; leave the answer to the plan, or set stream.mix: mono"

const hintNoSilence = "the stream of a call that had media before tapdeck got it stands still while nothing is played, and FreeSWITCH knows no silence_stream: load mod_tone_stream"
