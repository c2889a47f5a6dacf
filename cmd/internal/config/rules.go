package config

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"tapdeck/controller/flow"
)

// rule is what the tag as names: texts of a form of their own.
type rule struct {
	form  string // what the texts are, in a few words
	check func(text string) error
}

func rules() map[string]rule {
	return map[string]rule{
		"account sid":    {"AC and 32 hexadecimal digits, or empty", checkAccountSID},
		"address":        {"host:port", checkAddress},
		"bot url":        {"ws:// or wss://, a host and what follows, or empty", checkBotURL},
		"cause":          {"a hangup cause of FreeSWITCH", checkCause},
		"digits":         {"any of 0-9 A-D * #", checkDigits},
		"dtmf":           {"inband or empty", checkDTMF},
		"environment":    {"an environment variable's name or empty", checkEnvironment},
		"file":           {"a file", checkPrompt},
		"folder":         {"an absolute path or empty", checkFolder},
		"instance":       {"letters and digits, -, _ and single dots, or empty", checkInstance},
		"language tag":   {"a language's tag or empty", checkLanguage},
		"parameter":      {"texts with {caller}, {destination}, {call}, {plan} and {instance}", checkParameter},
		"parameter name": {"letters, digits, _, . and -", checkParameterName},
		"permitted host": {"hosts, or *.NAME", checkPermittedHost},
		"phrase":         {"a word or a phrase", checkPhrase},
		"prompt":         {"a file or empty", checkPrompt},
		"service url":    {"ws:// or wss://, a host and what follows, or empty", checkServiceURL},
		"socket url":     {"ws:// or wss:// and host[:port]", checkSocketURL},
		"token":          {"printable ASCII or empty", checkToken},
		"variable":       {"names of letters and digits, _, . and -", checkVariable},
	}
}

// maxText bounds every text, in bytes.
const maxText = 4096

// checkText keeps a text to one line that is clean at both ends: it may go into
// a command, a URL, a header or a path.
func checkText(text string, most int) error {
	switch {
	case len(text) > most:
		return violated(fmt.Sprintf("must be at most %d bytes long", most))
	case !utf8.ValidString(text):
		return violated("must be UTF-8")
	case strings.ContainsFunc(text, breaksLine):
		return violated("must be one line without control characters")
	case strings.TrimSpace(text) != text:
		return violated("must not begin or end with a blank")
	}
	return nil
}

func breaksLine(r rune) bool { return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' }

// checkLanguage accepts what services name a language by.
func checkLanguage(text string) error {
	if !regexp.MustCompile(`^([A-Za-z0-9]+(-[A-Za-z0-9]+)*)?$`).MatchString(text) {
		return violated("must be a language's tag: letters and digits, with - between", "such as en, en-US or multi")
	}
	return nil
}

// checkToken accepts a secret that an HTTP header can carry.
func checkToken(text string) error {
	if strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return violated("must be printable ASCII without blanks")
	}
	return nil
}

// checkDigits accepts the DTMF digits that end a prompt or the listening time.
func checkDigits(text string) error {
	for i, r := range text {
		if !strings.ContainsRune("0123456789ABCD*#", r) || strings.ContainsRune(text[:i], r) {
			return violated("must be DTMF digits, of 0-9 A-D * #, each at most once and with nothing between them: any one of them is enough")
		}
	}
	return nil
}

// checkPhrase accepts words that a caller may say.
func checkPhrase(text string) error {
	if !regexp.MustCompile(`^[\pL\pM\pN '’-]*[\pL\pN][\pL\pM\pN '’-]*$`).MatchString(text) {
		return violated("must be words of letters and digits, with nothing but blanks, ' and - between them: other punctuation does not count")
	}
	return nil
}

// checkDTMF accepts how a plan has digits looked for, beside the ways that need no word.
func checkDTMF(text string) error {
	if text != "" && text != dtmfInband {
		return violated("must be inband, or empty", "digits that come as telephone-events or by INFO are heard without it")
	}
	return nil
}

const dtmfInband = "inband"

// checkCause accepts a hangup cause by its name.
func checkCause(text string) error {
	if slices.Contains(flow.Causes(), text) {
		return nil
	}
	e := &FieldError{Rule: "must be one of the hangup causes of FreeSWITCH that a plan may give", Nearest: cmp.Or(withPart(text, flow.Causes()), nearest(text, flow.Causes()))}
	if e.Nearest == "" {
		e.Hint = "such as NORMAL_CLEARING, USER_BUSY or CALL_REJECTED"
	}
	return e
}

// checkPrompt accepts a file's name (or one of FreeSWITCH's file strings):
// FreeSWITCH expands ${…} in what playback is given and runs the API commands in
// it, and takes a leading {…} for parameters.
func checkPrompt(text string) error {
	if strings.Contains(text, "${") || strings.HasPrefix(text, "{") || strings.HasPrefix(text, "[") {
		return violated("must not hold ${ or begin with { or [: FreeSWITCH would expand it and run what stands in it, or take it for parameters",
			"write the file's name itself")
	}
	return nil
}
