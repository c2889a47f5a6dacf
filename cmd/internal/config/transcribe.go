package config

import (
	"maps"
	"net/netip"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"tapdeck/controller/flow"
	"tapdeck/controller/transcript"
)

// The keys of a plan's service that transcribes, and the one that needs its words.
const (
	transcribeKey = "transcribe"
	transcribeURL = "transcribe.url"
	untilSaidKey  = "until_said"
)

// checkServiceURL accepts a service's URL. Empty is one: the plan has no transcription then.
func checkServiceURL(text string) error {
	if err := checkPeerURL(text, "such as wss://api.deepgram.com/v1/listen", "write the key into a file and name it by key_file"); err != nil {
		return err
	}
	if u, err := url.Parse(text); err == nil {
		_, err = url.ParseQuery(u.RawQuery)
		if err != nil {
			return violated("must have a query of NAME=VALUE, with & between, and %XX for other characters", "such as ?punctuate=true&endpointing=300")
		}
	}
	return nil
}

// ParseService reads a service from values of transcribe's keys, by the rules of a plan. Its errors are
// *FieldErrors of these keys, without an origin.
func ParseService(keys map[string]any) (transcript.Service, error) {
	plan, err := parsePeer(transcribeKey, keys)
	return plan.Transcribe, err
}

// checkServices refuses services that can't work, and what needs one if there is none.
func (l *Loaded) checkServices(bad *problems) {
	for _, name := range l.PlanNames() {
		c := serviceCheck{Service: l.Config.Plans[name].Transcribe, l: l, bad: bad, plan: name}
		if c.URL != "" {
			c.checkKey()
			c.checkHost()
			c.checkParameters()
		} else {
			c.checkUntilSaid()
		}
		for _, e := range c.found {
			bad.add(e)
		}
	}
}

// serviceCheck finds values of a plan's service that are good each for itself, but not together.
type serviceCheck struct {
	transcript.Service
	l     *Loaded
	bad   *problems // found before
	plan  string
	found []*FieldError
}

// refuse refuses the value of a key, unless something is wrong with it already, or with the keys beside it
// that it does not go with, or all of them and the url are those of plan default.
func (c *serviceCheck) refuse(name, value, rule, hint string, beside ...string) {
	own := !c.l.origin(planKey(c.plan, transcribeURL)).Inherited
	for _, name := range append(beside, name) {
		key := planKey(c.plan, join(transcribeKey, name))
		if c.bad.concerns(key) {
			return
		}
		own = own || !c.l.origin(key).Inherited
	}
	if key := planKey(c.plan, join(transcribeKey, name)); own {
		c.found = append(c.found, &FieldError{Origin: c.l.origin(key), Field: key, Value: value, Rule: rule, Hint: hint})
	}
}

// checkKey refuses two keys, one that is another service's, and one that can't be read.
func (c *serviceCheck) checkKey() {
	if c.KeyFile != "" && c.KeyEnv != "" {
		c.refuse("key_env", c.KeyEnv, "can't stand beside key_file", c.instead("key_env", c.instead("key_file", "one source of the key is enough: remove one of them")), "key_file")
	} else if name := c.foreignKey(); name != "" {
		c.refuse("url", c.URL, "has another host than that of plan "+DefaultPlan+", and would be sent its key: "+name+" is inherited", "write "+name+`: "" for no key, or name this service's own by `+name, name)
		return
	}
	if _, err := c.Key(); err != nil {
		refuseSecrets(err, "key", func(name, value, rule, hint string) { c.refuse(name, value, rule, hint) })
	}
}

// instead is what to do about a value of a key that is not to be there: it can't be removed if plan default has it.
func (c *serviceCheck) instead(name, otherwise string) string {
	if c.l.origin(planKey(c.plan, join(transcribeKey, name))).Inherited {
		return name + " is inherited from plan " + DefaultPlan + ": write " + name + `: "" here`
	}
	return otherwise
}

// foreignKey is the key that a plan with a service of its own has from plan default, whose service is on another
// host; "" if there is none.
func (c *serviceCheck) foreignKey() string {
	if common := c.l.Config.Plans[DefaultPlan].Transcribe; common.URL == "" || sameHost(common.URL, c.URL) {
		return ""
	}
	for _, key := range []struct{ name, value string }{{"key_file", c.KeyFile}, {"key_env", c.KeyEnv}} {
		if key.value != "" && c.l.origin(planKey(c.plan, join(transcribeKey, key.name))).Inherited {
			return key.name
		}
	}
	return ""
}

// sameHost reports whether two URLs are those of one host, on whatever port.
func sameHost(a, b string) bool {
	u, errA := url.Parse(a)
	v, errB := url.Parse(b)
	return errA == nil && errB == nil && strings.EqualFold(u.Hostname(), v.Hostname())
}

// checkHost refuses an address that is not to be reached without TLS.
func (c *serviceCheck) checkHost() {
	u, _ := url.Parse(c.URL)
	if addr, err := netip.ParseAddr(u.Hostname()); err == nil && c.CheckAddress(addr) != nil {
		c.refuse("url", c.URL, "ws:// is for this machine and private addresses: everyone on the way could listen", "write wss://, or insecure: true", "insecure")
	}
}

// checkParameters refuses what is tapdeck's to say, and what the service can't be told.
func (c *serviceCheck) checkParameters() {
	own := ownParameters(c.Format)
	if c.Format == transcript.FormatVosk && c.Language != "" {
		c.refuse("language", c.Language, oneLanguage, c.instead("language", "choose the server by url, and leave this empty"), "format")
	}
	for _, name := range slices.Sorted(maps.Keys(c.Parameters)) {
		if p, is := own[name]; is {
			c.refuse("parameters."+name, c.Parameters[name], p.rule, p.hint, "format")
		}
	}
	if c.Format != transcript.FormatDeepgram { // of which the query has parameters, too
		return
	}
	u, _ := url.Parse(c.URL)
	for _, name := range slices.Sorted(maps.Keys(u.Query())) {
		if p, is := own[name]; is {
			c.refuse("url", c.URL, "the query's "+name+" "+p.rule, p.hint, "format")
		}
	}
}

const (
	noWords   = "needs transcribe: there are no words without it"
	wantWords = "write transcribe.url in the plan, or remove this"
)

// checkUntilSaid refuses steps that wait for words of the caller if nothing transcribes them, unless the
// url is refused, or all of it is that of plan default.
func (c *serviceCheck) checkUntilSaid() {
	url := planKey(c.plan, transcribeURL)
	if c.bad.concerns(url, planKey(c.plan, transcribeKey), planKey(DefaultPlan, transcribeURL), planKey(DefaultPlan, transcribeKey)) {
		return
	}
	p := c.l.Config.Plans[c.plan]
	for i, step := range p.steps() {
		if step == nil || !step.Needs().Words { // nil is refused
			continue
		}
		key := planKey(c.plan, untilSaidKey)
		if p.Steps != nil {
			key = join(p.stepKey(c.plan, i, step), untilSaidKey)
		}
		if at := c.l.origin(key); !at.Inherited || !c.l.origin(url).Inherited {
			c.found = append(c.found, &FieldError{Origin: at, Field: key, keyOnly: true, Rule: noWords, Hint: wantWords})
		}
	}
}

// keepUntilSaid has a call's variable not wait for words that nothing transcribes.
func (l *Loaded) keepUntilSaid(d *decoder, name string, plan *Plan) {
	if plan.Steps == nil && plan.Transcribe.URL == "" && flow.WaitForWords(plan.steps()) {
		d.bad.add(&FieldError{Field: VariablePrefix + untilSaidKey, Value: format(reflect.ValueOf(plan.UntilSaid)), Rule: noWords, Hint: "name a plan that has it by " + PlanVariable + ", or remove the variable"})
		plan.UntilSaid = l.Config.Plans[name].UntilSaid
	}
}

// ownParameter is what is said of a parameter that is not the plan's to set.
type ownParameter struct{ rule, hint string }

const oneLanguage = "has no effect: Vosk's server has one model, of one language"

// ownParameters are those of a wire that are not the plan's to set, by their names.
func ownParameters(format string) map[string]ownParameter {
	const itself = "is sent by tapdeck itself"
	audio := ownParameter{itself, "remove it: the audio is as the plan's stream brings it"}
	model := ownParameter{itself, "write transcribe.model, a key of its own"}
	if format == transcript.FormatVosk {
		return map[string]ownParameter{
			"sample_rate": audio, "model": model,
			"words":    {itself, "remove it: words and their times are always asked for"},
			"language": {oneLanguage, "remove it, and choose the server by url"},
		}
	}
	return map[string]ownParameter{
		"encoding": audio, "sample_rate": audio, "channels": audio, "multichannel": audio, "model": model,
		"interim_results": {itself, "write transcribe.interim, a key of its own"},
		"language":        {itself, "write transcribe.language, a key of its own"},
	}
}

// serviceWarnings are those about a plan's service.
func (l *Loaded) serviceWarnings(name string, p Plan, warn func(key, value, rule, hint string)) {
	key := planKey(name, transcribeURL)
	switch stated := l.statedBelow(name, p, transcribeKey); {
	case p.Transcribe.URL == "" && stated != "":
		warn(stated, "", "there is no transcription without its url", "write transcribe.url, or remove this key")
	case p.Transcribe.URL != "" && !flow.Streams(p.steps()) && !l.origin(key).Inherited:
		warn(key, p.Transcribe.URL, "no step streams anything: nothing is transcribed", "write the step stream where the recording begins, or remove this key")
	}
}
