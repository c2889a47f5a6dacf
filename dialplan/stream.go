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
		variable = `\b` + hookPrefix + `[a-z_0-9]+`
	)
	p.unknown = regexp.MustCompile(`^(uuid_)?audio_stream |^((bg|sched_)?api|expand) .*` + api + `|^(luarun|jsrun|perlrun|pyrun) .*(?i)stream`)
	p.expands = regexp.MustCompile(`\$\{(?:[a-z_]+\s*[( ](?:\$\{[^}]*\}|[^}])*\b|\s*\(?\s*)` + api)
	p.hook = regexp.MustCompile(`(?i)(nolocal:)?(` + variable + `)=(?:\$\{[^}]*\}|[^=,{}\[\]])*?\b` + api)
	p.calls = regexp.MustCompile(`^(` + language + `|system|bgsystem|bind_digit_action|bind_meta_app) .*\b` + api)
	p.noApplication = regexp.MustCompile(`(?i)^execute_\w+=['"]?(?:(?:bg|sched_)?api|expand|uuid_audio_stream)\b`)
	p.plainScript = regexp.MustCompile(`^(?:lua |\w+ [a-z_0-9]+=['"]?lua)`)
	p.script = regexp.MustCompile(`(?:(?i)^|^\w+ [a-z_0-9]+=['"]?|` + variable + `=['"]?(?:(?:bgapi|expand)[ :])?|^bind_(?:digit_action|meta_app) .*\b|\$\{(?:bgapi[( ]|api[( ])?)` +
		`((?i)` + language + `)[ :(,'"]+((?:` + word + `*` + border + `)?(?i:stream)` + word + `*|` + word + `*[a-z0-9]Stream` + word + `*)`)
}

const removeStream = "remove it; tapdeck starts and stops the stream"

// stream records what an action has to do with streams.
func (c *checker) stream(application, data string) {
	const expanded = "uuid_audio_stream is called while the dialplan expands ${…}: its answer goes into a variable that nobody looks at, and while its stream is there tapdeck can't start its own"
	action, logged := application+" "+data, application == "log"
	if m := c.script.FindStringSubmatch(action); m != nil && !logged {
		c.uses = append(c.uses, use{
			place: c.place, severity: SeverityNote, anywhere: c.plainScript.MatchString(action), hint: "remove it if the call goes to tapdeck",
			what: m[1] + " " + m[2] + ": its name says that it starts or stops a stream", why: ", as tapdeck does",
		})
	}
	if c.expands.MatchString(data) {
		c.uses = append(c.uses, use{place: c.place, severity: SeverityError, faulty: true, hint: removeStream, what: expanded})
		return
	}
	if logged {
		return
	}
	c.hooks(application, data)
	if m := c.calls.FindStringSubmatch(action); m != nil {
		c.uses = append(c.uses, use{place: c.place, severity: SeverityError, hint: removeStream, what: m[1] + calling, why: second})
	}
}
