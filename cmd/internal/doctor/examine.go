package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"go.uber.org/zap"

	"tapdeck/cmd/internal/config"
	"tapdeck/controller/esl"
)

// Options say what is examined.
type Options struct {
	// FreeSWITCH is the host:port of the switch's inbound event socket.
	FreeSWITCH string
	// Password of that event socket.
	Password string
	// Loaded is the configuration of the daemon.
	Loaded *config.Loaded
	// Call is the number of the call to place; empty places none.
	Call string
	// Context is the dialplan context of that number.
	Context string
	// Report is given each finding as it is made.
	Report func(Finding)
}

// examination is one run of the checks.
type examination struct {
	Options
	conn   *esl.Conn
	failed bool
}

// Examine makes every check and returns whether none failed. The error is ctx's.
func Examine(ctx context.Context, o Options) (healthy bool, err error) {
	x := &examination{Options: o}
	x.daemon(ctx)
	x.disk()
	if x.connect(ctx) {
		defer x.conn.Close()
		x.theSwitch(ctx)
		if x.Call != "" && ctx.Err() == nil {
			x.call(ctx)
		}
	}
	if ctx.Err() != nil {
		return false, context.Cause(ctx)
	}
	return !x.failed, nil
}

// theSwitch makes the checks that only ask.
func (x *examination) theSwitch(ctx context.Context) {
	for _, check := range []func(context.Context){
		x.version, x.modules, x.streamAPI, x.prompts, x.dialplan, x.sinkAddress, x.clock, x.limits,
	} {
		if ctx.Err() != nil || x.conn.Err() != nil {
			return
		}
		check(ctx)
	}
}

func (x *examination) report(f Finding) {
	x.failed = x.failed || f.Status == Fail
	x.Report(f)
}

// connect logs in to the event socket.
func (x *examination) connect(ctx context.Context) bool {
	const check = "event socket"
	conn, err := esl.Dial(ctx, x.FreeSWITCH, x.Password, esl.DefaultConfig(), zap.NewNop())
	switch {
	case err == nil:
		x.conn = conn
		x.report(pass(check, "%s answers, and takes the password", x.FreeSWITCH))
		return true
	case errors.Is(err, esl.ErrAuth):
		x.report(finding(Fail, check, x.FreeSWITCH+" refuses the password", "give the password of autoload_configs/event_socket.conf.xml with --password-file or TAPDECK_FREESWITCH_PASSWORD"))
	case errors.Is(err, esl.ErrRejected):
		x.report(finding(Fail, check, x.FreeSWITCH+" refuses this machine's address", "add this machine to apply-inbound-acl in autoload_configs/event_socket.conf.xml"))
	default:
		x.report(finding(Fail, check, fmt.Sprintf("%s can't be reached: %v", x.FreeSWITCH, err), "is FreeSWITCH running, mod_event_socket loaded, and --freeswitch its listen-ip and listen-port?"))
	}
	return false
}

// ask runs an API command; an error is reported as the check's finding.
func (x *examination) ask(ctx context.Context, check, command string) (string, bool) {
	answer, err := x.conn.API(ctx, command)
	if err != nil {
		x.report(finding(Unknown, check, fmt.Sprintf("no answer to %q: %v", command, err), "try again; the event socket may have been closed"))
		return "", false
	}
	return strings.TrimSpace(answer), true
}

func (x *examination) version(ctx context.Context) {
	const check = "version"
	if answer, ok := x.ask(ctx, check, "version"); ok {
		x.report(pass(check, "%s", answer))
	}
}

// modules are those that a call needs, with what each is for.
func (x *examination) modules(ctx context.Context) {
	for _, m := range []struct{ name, need string }{
		{"mod_event_socket", "hands the call to tapdeck"},
		{"mod_dptools", "has answer, playback and hangup"},
		{"mod_audio_stream", "streams the audio"},
		{"mod_tone_stream", "plays the tone"},
		{"mod_sndfile", "plays WAV prompts"},
	} {
		check := "module " + m.name
		answer, ok := x.ask(ctx, check, "module_exists "+m.name)
		switch {
		case !ok:
		case answer == "true":
			x.report(pass(check, "loaded"))
		case answer == "false":
			x.report(finding(Fail, check, "not loaded; it "+m.need, "`load "+m.name+"` in fs_cli, and add it to autoload_configs/modules.conf.xml"))
		default:
			x.report(finding(Unknown, check, "module_exists answered "+answer, ""))
		}
	}
}

func (x *examination) streamAPI(ctx context.Context) {
	const check = "API uuid_audio_stream"
	answer, ok := x.ask(ctx, check, "show api as json")
	if !ok {
		return
	}
	var list struct {
		Rows []struct{ Name, Syntax string } `json:"rows"`
	}
	if err := json.Unmarshal([]byte(answer), &list); err != nil {
		x.report(finding(Unknown, check, "`show api as json` did not answer with JSON", ""))
		return
	}
	for _, row := range list.Rows {
		if row.Name == "uuid_audio_stream" {
			x.report(pass(check, "registered: %s", row.Syntax))
			return
		}
	}
	x.report(finding(Fail, check, "not registered", "`reload mod_audio_stream` in fs_cli; if it stays away, FreeSWITCH's log says why the module could not be loaded"))
}
