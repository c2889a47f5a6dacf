package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tapdeck/controller"
	"tapdeck/controller/flow"
)

// In the flat form a bot stands in place of listening.
func TestFlatAgent(t *testing.T) {
	l := mustParse(t, "plans: {bot: {listen: 10m, agent: {url: wss://bot.example/media, barge_in: auto}}, other: {}}", Options{})
	plan, _ := l.Plan("bot")
	want := &flow.Agent{For: 10 * time.Minute, Bot: bot("wss://bot.example/media")}
	want.BargeIn = flow.BargeInAuto
	if diff := cmp.Diff([]flow.Step{want, &flow.Hangup{}}, plan.Steps[len(plan.Steps)-2:]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(l.Warnings) > 0 {
		t.Errorf("warnings: %v", l.Warnings)
	}
	other, _ := l.Plan("other")
	if name := other.Steps[len(other.Steps)-2].Name(); name != "listen" {
		t.Errorf("the other plan has %s", name)
	}
	lines := Timeline(plan)
	last := lines[len(lines)-3]
	if last.Time != "prompt+0.0" || last.Text != "talk with the bot at bot.example, 600 s at most (if it ends: hangup; if it fails: hangup)" {
		t.Errorf("preview: %+v", last)
	}
}

// A plan switches an inherited bot off by an empty URL.
func TestInheritedAgent(t *testing.T) {
	l := mustParse(t, "plans: {default: {listen: 10m, agent: {url: wss://bot.example, reconnect: 5}}, own: {agent: {format: pcm}}, none: {agent: {url: \"\"}}}", Options{})
	own, none := l.Config.Plans["own"].Agent, l.Config.Plans["none"]
	if own.URL != "wss://bot.example" || own.Format != flow.FormatPCM || own.Reconnect != 5 {
		t.Errorf("own: %+v", own)
	}
	if steps := none.steps(); steps[len(steps)-2].Name() != "listen" {
		t.Errorf("none: %v", steps)
	}
}

// What can't stand beside a bot, and bots that can't work.
func TestBadAgents(t *testing.T) {
	empty, spaced := tokenFile(t, ""), tokenFile(t, "two words")
	good := tokenFile(t, "secret\n")
	for _, c := range []struct {
		file string
		want []string
	}{
		{`plans: {x: {listen: 1m, agent: {url: wss://b}, stream: {mix: mixed}}}`, []string{`f:1: plans.x.stream.mix: "mixed": can't stand beside an agent: in one channel with the caller, the bot would hear itself; write mono, or stereo to record both sides`}},
		{`plans: {x: {stream: {mix: mixed}, steps: [answer, stream, agent: wss://b]}}`, []string{`f:1: plans.x.stream.mix: "mixed": can't stand beside an agent: in one channel with the caller, the bot would hear itself; write mono, or stereo to record both sides`}},
		{"plans:\n  default: {listen: 1m, stream: {mix: mixed}, agent: {url: wss://b}}\n  x: {}", []string{`f:2: plans.default.stream.mix: "mixed": can't stand beside an agent: in one channel with the caller, the bot would hear itself; write mono, or stereo to record both sides`}},
		{"plans:\n  default: {listen: 1m, stream: {mix: mixed}}\n  x: {agent: {url: wss://b}}", []string{`f:2, by plan default: plans.x.stream.mix: "mixed": can't stand beside an agent: in one channel with the caller, the bot would hear itself; write mono, or stereo to record both sides`}},
		{`plans: {x: {listen: 1m, agent: {url: wss://b}, finish_on: "#", until_said: [stop, "5"], silence: 3s, no_input: 8s}}`, []string{
			`f:1: plans.x.finish_on: "#": ends a listening time, and with an agent there is none: the bot hears words, digits and silence itself; remove it, or the agent`,
			`f:1: plans.x.until_said: "stop, 5": ends a listening time, and with an agent there is none: the bot hears words, digits and silence itself; remove it, or the agent`,
			`f:1: plans.x.silence: "3s": ends a listening time, and with an agent there is none: the bot hears words, digits and silence itself; remove it, or the agent`,
			`f:1: plans.x.no_input: "8s": ends a listening time, and with an agent there is none: the bot hears words, digits and silence itself; remove it, or the agent`,
		}},
		{`plans: {default: {until_said: [stop], transcribe: {url: wss://d}}, x: {listen: 1m, transcribe: {url: ""}, agent: {url: wss://b}}}`, nil}, // and without words, too
		{`plans: {default: {silence: 3s}, x: {listen: 1m, agent: {url: wss://b}}}`, nil},                                                           // inherited, and of no use
		{`plans: {x: {steps: [answer, agent: wss://b]}}`, []string{`f:1: plans.x.steps[1].agent: agent needs a stream; write the step stream before it`}},
		{`plans: {x: {steps: [agent: wss://b, answer]}}`, []string{`f:1: plans.x.steps[0].agent: must come after answer; write the step answer before it`}},
		{`plans: {x: {steps: [answer, stream, agent]}}`, []string{`f:1: plans.x.steps[2].agent: needs a value; write agent: wss://bot.example/media`}},
		{`plans: {x: {steps: [answer, stream, agent: {for: 1m}]}}`, []string{`f:1: plans.x.steps[2].agent.url: is missing; such as wss://bot.example/media`}},
		{`plans: {x: {steps: [answer, stream, agent: {url: ""}]}}`, []string{`f:1: plans.x.steps[2].agent.url: "": must not be empty; such as wss://bot.example/media`}},
		{`plans: {x: {steps: [answer, stream, agent: {url: wss://b, for: 0s}]}}`, []string{`f:1: plans.x.steps[2].agent.for: "0s": must be 1s to 24h`}},
		{`plans: {x: {steps: [answer, stream, agent: {url: wss://b, on_closed: hangup}]}}`, []string{`f:1: plans.x.steps[2].agent.on_closed: unknown key; the nearest known is plans.x.steps[2].agent.on_close`}},
		{"plans:\n  x:\n    steps:\n    - answer\n    - stream\n    - agent: ws://1.2.3.4", []string{`f:6: plans.x.steps[2].agent.url: "ws://1.2.3.4": ws:// is for this machine and private addresses: everyone on the way could listen; write wss://, or insecure: true`}},
		{`plans: {x: {steps: [answer, stream, agent: {url: ws://1.2.3.4, insecure: true}]}}`, nil},
		{`plans: {x: {listen: 1m, agent: {url: wss://b, url_from_call: true}}}`, []string{`f:1: plans.x.agent.url_from_call: "true": needs permitted_hosts: a call could name any host; list the hosts of the bots, such as [bots.example, "*.bots.example"]`}},
		{`plans: {x: {listen: 1m, agent: {url: wss://b, format: pcm, twilio_auth_token_file: ` + good + `}}}`, []string{`f:1: plans.x.agent.format: "pcm": has no Twilio signature; leave Twilio's auth token out (empty, if another plan's would be inherited), or write format: twilio`}},
		{`plans: {x: {listen: 1m, agent: {url: wss://b, token_file: ` + good + `}}}`, nil},
		{`plans: {x: {listen: 1m, agent: {url: wss://b, token_file: /no/such}}}`, []string{`f:1: plans.x.agent.token_file: "/no/such": the token can't be read: no such file or directory; write the token there, in a file that tapdeck's user may read`}},
		{`plans: {x: {listen: 1m, agent: {url: wss://b, token_file: /dev/zero, twilio_auth_token_file: ` + empty + `}}}`, []string{
			`f:1: plans.x.agent.token_file: "/dev/zero": the token can't be read: is no regular file; write the token there, in a file that tapdeck's user may read`,
			`f:1: plans.x.agent.twilio_auth_token_file: "` + empty + `": the token can't be read: holds nothing; write the token there, in a file that tapdeck's user may read`,
		}},
		{`plans: {x: {listen: 1m, agent: {url: wss://b, token_file: ` + spaced + `}}}`, []string{`f:1: plans.x.agent.token_file: "` + spaced + `": the token can't be read: must hold one line of printable ASCII without blanks; write the token there, in a file that tapdeck's user may read`}},
		{`plans: {x: {listen: 1m, agent: {url: wss://b, token_env: NO_SUCH_BOT_TOKEN}}}`, []string{`f:1: plans.x.agent.token_env: "NO_SUCH_BOT_TOKEN": the token can't be read: holds nothing; set the variable for tapdeck, or name a file by token_file`}},
		{`plans: {x: {listen: 1m, agent: {url: wss://b, token_file: ` + good + `, token_env: PATH}}}`, []string{`f:1: plans.x.agent.token_env: "PATH": can't stand beside token_file; one source of the token is enough: remove one of them`}},
		{"plans: {x: {listen: 1m, agent: wss://b}}", []string{`f:1: plans.x.agent: "wss://b": needs keys below it, not a single value`}},
		{`plans: {x: {agent: {url: wss://b}, steps: [answer]}}`, []string{`f:1: plans.x.agent.url: can't stand beside plans.x.steps (f:1); say it by a step and remove this key, or remove steps`}},
		{`plans: {x: {listen: 1m, agent: {url: wss://b, parameters: [a]}}}`, []string{`f:1: plans.x.agent.parameters: must be names with a value each; such as {from: "{caller}"}`}},
		{`plans: {x: {listen: 1m, agent: {url: wss://b, parameters: {a b: x, c: "{x}"}}}}`, []string{
			`f:1: plans.x.agent.parameters.a b: must be 1 to 64 letters, digits, _, . and -`,
			`f:1: plans.x.agent.parameters.c: "{x}": braces must hold the name of something of the call, and {x} does not; known are {caller}, {destination}, {call}, {plan}, {instance}`,
		}},
		{`plans: {x: {listen: 1m, agent: {url: wss://b, parameters: {` + manyNames(51) + `}}}}`, []string{`f:1: plans.x.agent.parameters: has 51 names, and may have at most 50; name only those that are needed`}},
	} {
		_, err := Parse("f", []byte(c.file), Options{})
		if diff := cmp.Diff(c.want, messages(err)); diff != "" {
			t.Errorf("%s\n(-want +got):\n%s", c.file, diff)
		}
	}
}

// manyNames is so many entries of a table.
func manyNames(n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf("n%d: x", i)
	}
	return strings.Join(list, ", ")
}

func tokenFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAgentWarnings(t *testing.T) {
	for file, want := range map[string][]string{
		`plans: {x: {agent: {url: wss://b}}}`:                           {`plans.x.listen: "15s": the conversation ends after that time, the default; write the longest conversation, such as listen: 10m`},
		`plans: {default: {listen: 20s}, x: {agent: {url: wss://b}}}`:   nil,
		`plans: {x: {agent: {format: pcm, reconnect: 1}}}`:              {`plans.x.agent.format: there is no agent without its url; write agent.url, or remove this key`},
		`plans: {x: {steps: [answer, stream, agent: wss://b, hangup]}}`: nil,
		`plans: {x: {dtmf: inband, listen: 1m, agent: {url: wss://b}}}`: nil, // the bot hears digits
	} {
		l := mustParse(t, file, Options{})
		var got []string
		for _, w := range l.Warnings {
			got = append(got, w.Error())
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s\n(-want +got):\n%s", file, diff)
		}
	}
}

// A call names its bot only if the plan permits it, and then one of the permitted hosts.
func TestURLFromCall(t *testing.T) {
	const permits = `url_from_call: true, permitted_hosts: [bots.example, "*.lab.example", 10.1.2.3, "::1"]`
	l := mustParse(t, `plans:
  flat: {listen: 1m, agent: {url: wss://b.example, `+permits+`}}
  steps: {steps: [answer, stream, agent: {url: wss://b.example, `+permits+`}, hangup]}
  closed: {listen: 1m, agent: {url: wss://b.example, permitted_hosts: [bots.example]}}
  none: {}
`, Options{})
	const own = "wss://b.example"
	for _, c := range []struct{ plan, url, want, warning string }{
		{"flat", "wss://bots.example/a?b=c", "wss://bots.example/a?b=c", ""},
		{"flat", "wss://BOTS.example.:8443/", "wss://BOTS.example.:8443/", ""},
		{"flat", "ws://10.1.2.3:8000", "ws://10.1.2.3:8000", ""},
		{"flat", "ws://[::1]:8000", "ws://[::1]:8000", ""},
		{"steps", "wss://a.lab.example", "wss://a.lab.example", ""},
		{"steps", "wss://a.b.lab.example", "wss://a.b.lab.example", ""},
		{"flat", "wss://lab.example", own, "the host is none of the plan's agent.permitted_hosts; add lab.example there"},
		{"flat", "wss://evillab.example", own, "none of the plan's agent.permitted_hosts"},
		{"steps", "wss://evil.example", own, "none of the plan's agent.permitted_hosts"},
		{"flat", "wss://bots.example@evil.example", own, "must hold no user"},
		{"flat", "wss://evil.example/bots.example", own, "none of the plan's agent.permitted_hosts"},
		{"flat", "wss://evil.example#bots.example", own, "no # part"},
		{"flat", "wss://evil.example?.bots.example", own, "none of the plan's agent.permitted_hosts"},
		{"flat", "wss://10.1.2.3.nip.example", own, "none of the plan's agent.permitted_hosts"},
		{"flat", "http://bots.example", own, "must be a WebSocket URL"},
		{"closed", "wss://bots.example", own, "agent.url_from_call is false"},
		{"none", "wss://bots.example", "", "the plan has no agent"},
	} {
		plan, warnings := l.ForCall(variables{PlanVariable: c.plan, agentURLVariable: c.url}, "")
		got := ""
		for _, step := range plan.Steps {
			if agent, is := step.(*flow.Agent); is {
				got = agent.URL
			}
		}
		if got != c.want {
			t.Errorf("%s %s: the bot is at %s", c.plan, c.url, got)
		}
		if c.warning == "" && len(warnings) > 0 || c.warning != "" && (len(warnings) != 1 || !strings.Contains(warnings[0].Error(), c.warning) || !strings.HasPrefix(warnings[0].Error(), agentURLVariable+": ")) {
			t.Errorf("%s %s: warnings %v, want %q", c.plan, c.url, warnings, c.warning)
		}
	}
	if again, _ := l.ForCall(variables{PlanVariable: "steps"}, ""); again.Steps[2].(*flow.Agent).URL != own {
		t.Error("the URL of one call is that of the next")
	}
}

// Nothing else of a bot can be set by a call, nor can the bot be made to hear itself.
func TestCallCantChangeItsBot(t *testing.T) {
	l := mustParse(t, "plans: {x: {listen: 1m, agent: {url: wss://b}}, y: {}}", Options{})
	plan, warnings := l.ForCall(variables{PlanVariable: "x", "tapdeck_agent_token_file": "/etc/passwd", "tapdeck_agent_insecure": "true", "tapdeck_stream_mix": "mixed"}, "")
	var got []string
	for _, w := range warnings {
		got = append(got, w.Error())
	}
	want := []string{
		`tapdeck_stream_mix: "mixed": can't stand beside an agent: in one channel with the caller, the bot would hear itself; write mono, or stereo to record both sides`,
		`tapdeck_agent_insecure: "true": no such variable`,
		`tapdeck_agent_token_file: "/etc/passwd": no such variable`,
	}
	if diff := cmp.Diff(want, got); diff != "" || plan.Stream.Mix != "mono" {
		t.Errorf("mix %s (-want +got):\n%s", plan.Stream.Mix, diff)
	}
	if other, warnings := l.ForCall(variables{PlanVariable: "y", "tapdeck_stream_mix": "mixed"}, ""); other.Stream.Mix != "mixed" || len(warnings) > 0 {
		t.Errorf("a plan without a bot: %s, %v", other.Stream.Mix, warnings)
	}
}

func TestPlayer(t *testing.T) {
	dir := t.TempDir()
	for file, want := range map[string]controller.Player{
		``: {Method: "stream", Limit: 2 * time.Minute},
		`player: {directory: ` + dir + `, limit: 30s, lead: 200ms}`: {Method: "files", Directory: dir, Limit: 30 * time.Second, Lead: 200 * time.Millisecond},
		`player: {directory: ` + dir + `, method: stream}`:          {Method: "stream", Directory: dir, Limit: 2 * time.Minute},
		`player: {directory: "` + dir + `", method: files}`:         {Method: "files", Directory: dir, Limit: 2 * time.Minute},
		`player: {directory: ` + dir + `, method: auto} # both`:     {Method: "files", Directory: dir, Limit: 2 * time.Minute},
	} {
		if got := mustParse(t, file, Options{}).Config.Player.Controller(); got != want {
			t.Errorf("%s: %+v", file, got)
		}
	}
}

// What a bot would do that a plan does not have is not shown, unless somebody has stated it.
func TestIdleValues(t *testing.T) {
	l := mustParse(t, "plans: {default: {agent: {reconnect: 1}}, x: {}, bot: {listen: 1m, agent: {url: wss://b}}}", Options{})
	var got []string
	for _, v := range l.Values() {
		if strings.Contains(v.Key, ".agent.") && !v.Idle() {
			got = append(got, v.Key)
		}
	}
	bots := 0
	for _, key := range got {
		if strings.HasPrefix(key, "plans.bot.") {
			bots++
		}
	}
	want := []string{"plans.default.agent.url", "plans.default.agent.reconnect"}
	if diff := cmp.Diff(want, got[:2]); diff != "" || len(got) != 2+bots+2 || bots < 10 {
		t.Errorf("%v (-want +got):\n%s", got, diff)
	}
}

// A conversation that would be over at once is refused, wherever the listening time comes from.
func TestNoTimeToTalk(t *testing.T) {
	for yaml, want := range map[string]string{
		"plans: {default: {listen: 0s, agent: {url: wss://bot}}}":                        `tapdeck.yaml:1: plans.default.listen: "0s": is the longest conversation beside an agent, and must be 1s to 24h then; write such as listen: 10m`,
		"plans: {default: {listen: 999ms, agent: {url: wss://bot}}}":                     `plans.default.listen: "999ms"`,
		"plans: {default: {listen: 0s}, a: {agent: {url: wss://bot}}}":                   `plans.a.listen: "0s"`,
		"plans: {default: {listen: 0s}}":                                                 "",
		"plans: {default: {listen: 1s, agent: {url: wss://bot}}}":                        "",
		"plans: {default: {listen: 0s}, a: {steps: [answer, stream, agent: wss://bot]}}": "",
	} {
		_, err := Parse("tapdeck.yaml", []byte(yaml), Options{})
		if (err == nil) != (want == "") || err != nil && (!strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n")) {
			t.Errorf("%s: %v", yaml, err)
		}
	}
	l, err := Parse("tapdeck.yaml", []byte("plans: {default: {listen: 1m, agent: {url: wss://bot}}}"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	plan, ignored := l.ForCall(variables{VariablePrefix + "listen": "0s"}, "")
	if talk, is := plan.Steps[len(plan.Steps)-2].(*flow.Agent); !is || talk.For != time.Minute || len(ignored) != 1 || !strings.Contains(ignored[0].Error(), `tapdeck_listen: "0s"`) {
		t.Errorf("%v, %v", plan.Steps, ignored)
	}
}
