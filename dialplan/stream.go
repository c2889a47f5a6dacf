package dialplan

import "regexp"

// patterns find what starts or stops a stream beside tapdeck.
type patterns struct {
	unknown *regexp.Regexp // what uses the API as an application
	expands *regexp.Regexp // what calls uuid_audio_stream inside ${…}
	hook    *regexp.Regexp // a variable such as api_on_answer that calls uuid_audio_stream
	calls   *regexp.Regexp // an application that can call uuid_audio_stream, or have it called
	script  *regexp.Regexp // a script about streams, run at once or by a variable such as api_on_answer

	noApplication *regexp.Regexp // a variable that executes an API command, which is no application
	plainScript   *regexp.Regexp // a script that is worth a word in any extension
}

func (p *patterns) compile() {
	const (
		api      = `uuid_audio_stream\b`
		language = `(?:lua|luarun|jsrun|jsapi|javascript|perl|perlrun|python3?|pyrun)`
		word     = `(?:\$\{[^}]*\}|[^\s'"(){}\[\],;])`
		border   = `(?:\$\{[^}]*\}|[^A-Za-z\s'"(){}\[\],;])` // so that upstream is none
		// variables that FreeSWITCH acts upon in the course of a call
		variable = `\b(?:api|exec|execute|bridge_pre_execute)_[a-z_0-9]+`
	)
	p.unknown = regexp.MustCompile(`^(uuid_)?audio_stream |^((bg|sched_)?api|expand) .*` + api + `|^(luarun|jsrun|perlrun|pyrun) .*(?i)stream`)
	p.expands = regexp.MustCompile(`\$\{(?:[a-z_]+\s*[( ](?:\$\{[^}]*\}|[^}])*\b|\s*\(?\s*)` + api)
	p.hook = regexp.MustCompile(`(?i)(` + variable + `)=(?:\$\{[^}]*\}|[^=,{}\[\]])*?\b` + api)
	p.calls = regexp.MustCompile(`^(` + language + `|system|bgsystem|bind_digit_action|bind_meta_app) .*\b` + api)
	p.noApplication = regexp.MustCompile(`(?i)^execute_\w+=['"]?(?:(?:bg|sched_)?api|expand|uuid_audio_stream)\b`)
	p.plainScript = regexp.MustCompile(`^(?:lua |\w+ [a-z_0-9]+=['"]?lua)`)
	p.script = regexp.MustCompile(`(?:(?i)^|^\w+ [a-z_0-9]+=['"]?|` + variable + `=['"]?(?:(?:bgapi|expand)[ :])?|^bind_(?:digit_action|meta_app) .*\b|\$\{(?:bgapi[( ]|api[( ])?)` +
		`((?i)` + language + `)[ :(,'"]+((?:` + word + `*` + border + `)?(?i:stream)` + word + `*|` + word + `*[a-z0-9]Stream` + word + `*)`)
}

// hangupHook matches the variables by which FreeSWITCH calls an API command behind the end of a call.
var hangupHook = regexp.MustCompile(`(?i)^api_(hangup|reporting)_hook`)

// use is something that fights with tapdeck if its call comes to tapdeck, too.
type use struct {
	place
	here, elsewhere Severity // whether the call comes to tapdeck or not; "" is no finding
	hint, text      string
}

const removeStream = "remove it; tapdeck starts and stops the stream"

// stream records what an action has to do with streams.
func (c *checker) stream(application, data string) {
	const (
		second   = "another start or stop on the same channel, and while its stream is there tapdeck can't start its own: it stops that one, whose server loses the call"
		expanded = "uuid_audio_stream is called while the dialplan expands ${…}: its answer goes into a variable that nobody looks at, and while its stream is there tapdeck can't start its own"
		late     = "the call is over by then, and so is tapdeck's stream"
	)
	action, logged := application+" "+data, application == "log"
	if m := c.script.FindStringSubmatch(action); m != nil && !logged {
		u := use{c.place, SeverityNote, "", "remove it if the call goes to tapdeck", m[1] + " " + m[2] + ": its name says that it starts or stops a stream, as tapdeck does"}
		if c.plainScript.MatchString(action) {
			u.elsewhere = SeverityNote
		}
		c.uses = append(c.uses, u)
	}
	if c.expands.MatchString(data) {
		c.uses = append(c.uses, use{c.place, SeverityError, SeverityWarning, removeStream, expanded})
		return
	}
	if logged {
		return
	}
	for _, m := range c.hook.FindAllStringSubmatch(data, -1) {
		u := use{c.place, SeverityError, SeverityWarning, removeStream, m[1] + " calls uuid_audio_stream: "}
		switch {
		case hangupHook.MatchString(m[1]):
			u.here, u.elsewhere = SeverityNote, SeverityNote
			u.text += late
		case c.noApplication.MatchString(m[0]):
			u.text += "as an application, which it is not, and so FreeSWITCH hangs the call up"
		default:
			u.text += second
		}
		c.uses = append(c.uses, u)
	}
	if m := c.calls.FindStringSubmatch(action); m != nil {
		c.uses = append(c.uses, use{c.place, SeverityError, "", removeStream, m[1] + " calls uuid_audio_stream: " + second})
	}
}

// judgeUses reports each use as its call comes to tapdeck or not.
func (c *checker) judgeUses() {
	for _, u := range c.uses {
		severity := u.elsewhere
		if c.comesTo(u.place) {
			severity = u.here
		}
		if c.at = u.Location; severity != "" {
			c.report(severity, u.hint, "%s", u.text)
		}
	}
}
