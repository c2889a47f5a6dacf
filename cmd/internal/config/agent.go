package config

import (
	"errors"
	"net/netip"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"tapdeck/controller/dialer"
	"tapdeck/controller/flow"
)

// The keys of a flat plan's bot, and the channel variable of its URL.
const (
	agentKey         = "agent"
	agentURL         = "agent.url"
	agentURLVariable = VariablePrefix + "agent_url"
)

// checkBotURL accepts a bot's URL. Empty is one: the flat form has no bot then.
func checkBotURL(text string) error {
	return checkPeerURL(text, "such as wss://bot.example/media", "write the token into a file and name it by token_file")
}

// ParseBot reads a bot from values of agent's keys, by the rules of a plan. Its errors are *FieldErrors of
// these keys, without an origin.
func ParseBot(keys map[string]any) (flow.Bot, error) {
	plan, err := parsePeer(agentKey, keys)
	return plan.Agent, err
}

// parsePeer reads a plan in which one group, that of a peer with a url, has these keys.
func parsePeer(group string, keys map[string]any) (Plan, error) {
	if url := keys["url"]; url == nil || url == "" {
		return Plan{}, &FieldError{Field: "url", Rule: "must not be empty"}
	}
	data, err := yaml.Marshal(map[string]any{plansKey: map[string]any{DefaultPlan: map[string]any{group: keys}}})
	if err != nil {
		return Plan{}, err
	}
	l, err := Parse("", data, Options{})
	if err != nil {
		for _, e := range fieldErrors(err) {
			e.Origin, e.Field = Origin{}, strings.TrimPrefix(e.Field, planKey(DefaultPlan, group)+".")
		}
		return Plan{}, err
	}
	return l.Config.Plans[DefaultPlan], nil
}

// fieldErrors are those that an error of Parse joins.
func fieldErrors(err error) (list []*FieldError) {
	joined, are := err.(interface{ Unwrap() []error })
	if !are {
		return nil
	}
	for _, one := range joined.Unwrap() {
		if e, is := errors.AsType[*FieldError](one); is {
			list = append(list, e)
		}
	}
	return list
}

// checkEnvironment accepts the name of an environment variable that holds a token or a key.
func checkEnvironment(text string) error {
	switch {
	case text == "":
		return nil
	case !regexp.MustCompile(`^[A-Za-z_]\w*$`).MatchString(text):
		return violated("must be the name of an environment variable: letters, digits and _, and no digit at its begin")
	case strings.HasPrefix(text, EnvPrefix):
		return violated("must not begin with "+EnvPrefix+": those are settings of tapdeck's own", "choose another name, such as SERVICE_KEY")
	}
	return nil
}

func checkAccountSID(text string) error {
	if text != "" && !regexp.MustCompile(`^AC[0-9a-fA-F]{32}$`).MatchString(text) {
		return violated("must be AC and 32 hexadecimal digits, or empty", "empty makes one from the instance's name")
	}
	return nil
}

func checkParameterName(text string) error {
	if !regexp.MustCompile(`^[\w.-]{1,64}$`).MatchString(text) {
		return violated("must be 1 to 64 letters, digits, _, . and -")
	}
	return nil
}

// checkParameter accepts a text with placeholders.
func checkParameter(text string) error {
	known := flow.Placeholders()
	for _, part := range regexp.MustCompile(`\{[^{}]*\}?|\}`).FindAllString(text, -1) {
		name := strings.Trim(part, "{}")
		if part == "{"+name+"}" && slices.Contains(known, name) {
			continue
		}
		e := &FieldError{Rule: "braces must hold the name of something of the call, and " + part + " does not", Nearest: nearest(name, known)}
		if e.Nearest == "" {
			e.Hint = "known are {" + strings.Join(known, "}, {") + "}"
		}
		return e
	}
	return nil
}

// checkPermittedHost accepts a host, or all names below one.
func checkPermittedHost(text string) error {
	name, below := strings.CutPrefix(text, "*.")
	_, err := netip.ParseAddr(name)
	if !isHost(name) || below && err == nil {
		return violated("must be a host's name or IP address, without a port, or *.NAME for all names below one", "such as bots.example or *.bots.example")
	}
	return nil
}

// checkAgents refuses bots that can't work, and what can't stand beside one.
func (l *Loaded) checkAgents(bad *problems) {
	for _, name := range l.PlanNames() {
		p := l.Config.Plans[name]
		for i, step := range p.steps() {
			if agent, is := step.(*flow.Agent); is {
				l.checkAgent(bad, name, p.stepKey(name, i, step), agent)
				l.checkBeside(bad, name, p)
			}
		}
	}
}

// checkAgent refuses values of one bot that are good each for itself.
func (l *Loaded) checkAgent(bad *problems, plan, key string, agent *flow.Agent) {
	refuse := func(name, value, rule, hint string) { l.refuseIn(bad, plan, key, name, value, rule, hint) }
	for _, pair := range [][4]string{
		{"token_env", agent.TokenEnv, "token_file", agent.TokenFile},
		{"twilio_auth_token_env", agent.TwilioAuthTokenEnv, "twilio_auth_token_file", agent.TwilioAuthTokenFile},
	} {
		if pair[1] != "" && pair[3] != "" {
			refuse(pair[0], pair[1], "can't stand beside "+pair[2], "one source of the token is enough: remove one of them")
		}
	}
	u, _ := url.Parse(agent.URL)
	if addr, err := netip.ParseAddr(u.Hostname()); err == nil && agent.CheckAddress(addr) != nil {
		refuse("url", agent.URL, "ws:// is for this machine and private addresses: everyone on the way could listen", "write wss://, or insecure: true")
	}
	if _, err := agent.Tokens(); err != nil {
		refuseSecrets(err, "token", refuse)
	}
	switch {
	case agent.URLFromCall && len(agent.PermittedHosts) == 0:
		refuse("url_from_call", "true", "needs permitted_hosts: a call could name any host", "list the hosts of the bots, such as [bots.example, \"*.bots.example\"]")
	case agent.Format != flow.FormatTwilio && agent.TwilioAuthTokenFile+agent.TwilioAuthTokenEnv != "":
		refuse("format", agent.Format, "has no Twilio signature", "leave Twilio's auth token out (empty, if another plan's would be inherited), or write format: twilio")
	}
}

// refuseSecrets says of each token or key that can't be read what to do.
func refuseSecrets(err error, what string, refuse func(name, value, rule, hint string)) {
	list := []error{err}
	if several, are := err.(interface{ Unwrap() []error }); are {
		list = several.Unwrap()
	}
	for _, err := range list {
		if e, is := errors.AsType[*dialer.SecretError](err); is {
			hint := "write the " + what + " there, in a file that tapdeck's user may read"
			if strings.HasSuffix(e.Key, "_env") {
				hint = "set the variable for tapdeck, or name a file by " + strings.TrimSuffix(e.Key, "_env") + "_file"
			}
			refuse(e.Key, e.Source, "the "+what+" can't be read: "+e.Err.Error(), hint)
		}
	}
}

// refuseIn refuses a value of a plan's step, unless it is that of plan default.
func (l *Loaded) refuseIn(bad *problems, plan, step, name, value, rule, hint string) {
	key := join(step, name)
	at, stated := l.origins[key]
	for _, above := range []string{step, planKey(plan, stepsKey)} {
		if !stated {
			at, stated = l.origins[above]
		}
	}
	if !stated && plan != DefaultPlan || bad.concerns(key) {
		return
	}
	bad.add(&FieldError{Origin: at, Field: key, Value: value, Rule: rule, Hint: hint})
}

// checkBeside refuses what a plan says beside a bot.
func (l *Loaded) checkBeside(bad *problems, name string, p Plan) {
	own := func(path string) bool {
		key := planKey(name, path)
		return !bad.concerns(key) && !(l.origin(key).Inherited && l.origin(planKey(name, agentURL)).Inherited)
	}
	if key := planKey(name, "stream.mix"); p.Stream.Mix == mixMixed && own("stream.mix") {
		bad.add(&FieldError{Origin: l.origin(key), Field: key, Value: mixMixed, Rule: mixedRule, Hint: mixedHint})
	}
	if p.Steps != nil {
		return
	}
	if key := planKey(name, "listen"); p.Listen < minTalk && own("listen") {
		bad.add(&FieldError{Origin: l.origin(key), Field: key, Value: formatDuration(p.Listen), Rule: talkRule, Hint: talkHint})
	}
	ends := map[string]string{"finish_on": p.FinishOn, untilSaidKey: format(reflect.ValueOf(p.UntilSaid)), "silence": "", "no_input": ""}
	if p.Silence > 0 {
		ends["silence"] = formatDuration(p.Silence)
	}
	if p.NoInput > 0 {
		ends["no_input"] = formatDuration(p.NoInput)
	}
	for _, path := range []string{"finish_on", untilSaidKey, "silence", "no_input"} {
		key := planKey(name, path)
		if _, stated := l.origins[key]; stated && ends[path] != "" && !bad.concerns(key) {
			bad.add(&FieldError{Origin: l.origins[key], Field: key, Value: ends[path], Rule: "ends a listening time, and with an agent there is none: the bot hears words, digits and silence itself", Hint: "remove it, or the agent"})
		}
	}
}

const (
	mixMixed  = "mixed"
	mixedRule = "can't stand beside an agent: in one channel with the caller, the bot would hear itself"
	mixedHint = "write mono, or stereo to record both sides"

	minTalk  = time.Second // as flow.Agent's
	talkRule = "is the longest conversation beside an agent, and must be 1s to 24h then"
	talkHint = "write such as listen: 10m, or remove the agent"
)

// agentWarnings are those about a flat plan's bot.
func (l *Loaded) agentWarnings(name string, p Plan, warn func(key, value, rule, hint string)) {
	if p.Steps != nil {
		return
	}
	if p.Agent.URL != "" {
		if l.origin(planKey(name, "listen")).String() == (Origin{}).String() {
			warn(planKey(name, "listen"), formatDuration(p.Listen), "the conversation ends after that time, the default", "write the longest conversation, such as listen: 10m")
		}
		return
	}
	if key := l.statedBelow(name, p, agentKey); key != "" {
		warn(key, "", "there is no agent without its url", "write agent.url, or remove this key")
	}
}

// statedBelow is the first key of a group of a plan's that the plan itself states, and not with its default.
func (l *Loaded) statedBelow(name string, p Plan, group string) string {
	for _, set := range l.schema.plan {
		key := planKey(name, set.path)
		_, stated := l.origins[key]
		if stated && strings.HasPrefix(set.path, group+".") && format(set.of(reflect.ValueOf(p))) != format(set.of(reflect.ValueOf(defaultPlan()))) {
			return key
		}
	}
	return ""
}

// callURL has the bots of a call's plan be reached at the URL that the call names, if they permit it.
func (l *Loaded) callURL(d *decoder, set setting, text string, plan *Plan) {
	refuse := func(rule, hint string) {
		d.bad.add(&FieldError{Field: agentURLVariable, Value: text, Rule: rule, Hint: hint})
	}
	before := len(d.bad.list)
	d.textNode(set.field, agentURLVariable, text, Origin{}).decode(set.field, reflect.New(set.typ).Elem())
	if len(d.bad.list) > before {
		return
	}
	u, _ := url.Parse(text)
	addr, err := netip.ParseAddr(u.Hostname())
	has := false
	plan.changeBots(func(b flow.Bot) flow.Bot {
		has = true
		called := b
		called.URL = text
		switch {
		case !b.URLFromCall:
			refuse("a call may not name the bot: agent.url_from_call is false", "set url_from_call and permitted_hosts in the plan, or remove the variable")
		case !b.Permits(u.Hostname()):
			refuse("the host is none of the plan's agent.permitted_hosts", "add "+u.Hostname()+" there, or correct the variable")
		case err == nil && called.CheckAddress(addr) != nil:
			refuse("ws:// is for this machine and private addresses", "name a wss:// URL")
		default:
			return called
		}
		return b
	})
	if !has {
		refuse("no effect: the plan has no agent", "")
	}
}

// changeBots changes the bots of a plan, and nothing of other plans, which may share its steps.
func (p *Plan) changeBots(change func(flow.Bot) flow.Bot) {
	if p.Steps == nil {
		if p.Agent.URL != "" {
			p.Agent = change(p.Agent)
		}
		return
	}
	p.Steps = slices.Clone(p.Steps)
	for i, step := range p.Steps {
		if agent, is := step.(*flow.Agent); is {
			p.Steps[i] = &flow.Agent{For: agent.For, Bot: change(agent.Bot)}
		}
	}
}

// keepMix has a call's variable not mix the bot's voice into what it hears.
func (l *Loaded) keepMix(d *decoder, name string, plan *Plan) {
	if plan.Stream.Mix != mixMixed || l.Config.Plans[name].Stream.Mix == mixMixed {
		return
	}
	if slices.ContainsFunc(plan.steps(), func(s flow.Step) bool { _, is := s.(*flow.Agent); return is }) {
		d.bad.add(&FieldError{Field: VariablePrefix + "stream_mix", Value: mixMixed, Rule: mixedRule, Hint: mixedHint})
		plan.Stream.Mix = l.Config.Plans[name].Stream.Mix
	}
}

// keepListen has a call's variable not end a conversation before it begins.
func (l *Loaded) keepListen(d *decoder, name string, plan *Plan) {
	if plan.Steps == nil && plan.Agent.URL != "" && plan.Listen < minTalk {
		d.bad.add(&FieldError{Field: VariablePrefix + "listen", Value: formatDuration(plan.Listen), Rule: talkRule, Hint: "correct the variable, or remove it"})
		plan.Listen = l.Config.Plans[name].Listen
	}
}
