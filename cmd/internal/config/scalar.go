package config

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// rule is what a setting's values have to be.
type rule struct {
	// bounds says it in a few words; the example file repeats them.
	bounds string
	// list: the value is a list, and parse is for one element.
	list bool
	// tags are the YAML types that the value may be written as.
	tags []string
	// parse makes a value of the setting's Go type of a text.
	parse func(text string) (any, *fault)
}

// YAML's short tags of the types that settings are written as.
const (
	tagText  = "!!str"
	tagInt   = "!!int"
	tagBool  = "!!bool"
	tagNull  = "!!null"
	tagMerge = "!!merge"
)

// durationRule is for a duration of least to most.
func durationRule(least, most time.Duration) rule {
	bounds := formatDuration(least) + " to " + formatDuration(most)
	parse := func(text string) (any, *fault) {
		d, f := parseDuration(text)
		if f == nil && (d < least || d > most) {
			f = &fault{rule: "must be " + bounds}
		}
		return d, f
	}
	return rule{bounds: bounds, tags: []string{tagText, tagInt}, parse: parse}
}

// orZero lets a duration also be 0, which then has a meaning of its own.
func orZero(r rule) rule {
	bounds, parse := "0s or "+r.bounds, r.parse
	r.bounds = bounds
	r.parse = func(text string) (any, *fault) {
		if d, f := parseDuration(text); f == nil && d == 0 {
			return d, nil
		}
		v, f := parse(text)
		if f != nil && strings.HasPrefix(f.rule, "must be") {
			f.rule = "must be " + bounds
		}
		return v, f
	}
	return r
}

func parseDuration(text string) (time.Duration, *fault) {
	d, err := time.ParseDuration(text)
	switch {
	case err != nil:
		return 0, durationFault(text)
	case d < 0:
		return 0, &fault{rule: "a duration can't be negative"}
	case d%time.Millisecond != 0:
		return 0, &fault{rule: "a duration is a whole number of milliseconds"}
	}
	return d, nil
}

func durationFault(text string) *fault {
	if n, err := strconv.ParseFloat(text, 64); err == nil && isDecimal(text) {
		switch {
		case n < 0:
			return &fault{rule: "a duration can't be negative, and needs a unit"}
		case n >= 100 && n == float64(int64(n)):
			return &fault{rule: "a duration needs a unit", hint: fmt.Sprintf("write %sms or %ss", text, text)}
		}
		return &fault{rule: "a duration needs a unit", hint: "write " + text + "s"}
	}
	if tight := strings.ToLower(strings.Join(strings.Fields(text), "")); tight != text {
		if _, err := time.ParseDuration(tight); err == nil {
			return &fault{rule: "a duration is a number and a unit, with no blank and in lower case", hint: "write " + tight}
		}
	}
	return &fault{rule: "a duration is a number and a unit", hint: "such as 500ms, 15s, 2m or 1h30m"}
}

// isDecimal tells whether text is a number in plain decimal digits.
func isDecimal(text string) bool {
	return strings.Trim(strings.TrimPrefix(text, "-"), "0123456789.") == "" && strings.ContainsAny(text, "0123456789")
}

// intRule is for a whole number of least to most, in the unit (which may be empty).
func intRule(least, most int, unit string) rule {
	bounds := strings.TrimSpace(fmt.Sprintf("%d to %d %s", least, most, unit))
	parse := func(text string) (any, *fault) {
		n, f := parseInt(text, unit)
		if f == nil && (n < least || n > most) {
			f = &fault{rule: "must be " + bounds}
		}
		return n, f
	}
	return rule{bounds: bounds, tags: []string{tagInt}, parse: parse}
}

func parseInt(text, unit string) (int, *fault) {
	n, err := strconv.Atoi(text)
	switch {
	case errors.Is(err, strconv.ErrRange):
		return 0, &fault{rule: "the number is too large"}
	case err == nil && strconv.Itoa(n) == text:
		return n, nil
	}
	f := &fault{rule: "must be a whole number in plain decimal digits"}
	if number := strings.TrimSpace(strings.TrimSuffix(strings.ToLower(text), "hz")); unit == "Hz" && number != "" && isDecimal(number) {
		f.hint = "write " + number
	}
	return 0, f
}

// sizeRule is for a size of 0 to most.
func sizeRule(most Size) rule {
	bounds := "0 to " + most.String()
	parse := func(text string) (any, *fault) {
		s, f := parseSize(text)
		if f == nil && s > most {
			f = &fault{rule: "must be " + bounds}
		}
		return s, f
	}
	return rule{bounds: bounds, tags: []string{tagText, tagInt}, parse: parse}
}

// boolRule is for true or false.
func boolRule() rule {
	parse := func(text string) (any, *fault) {
		if text != "true" && text != "false" {
			return false, &fault{rule: "must be true or false"}
		}
		return text == "true", nil
	}
	return rule{bounds: "true or false", tags: []string{tagBool}, parse: parse}
}

// wordRule is for one of the words.
func wordRule(words ...string) rule {
	bounds := strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
	parse := func(text string) (any, *fault) {
		if !slices.Contains(words, text) {
			return "", &fault{rule: "must be " + bounds, nearest: nearest(text, words)}
		}
		return text, nil
	}
	return rule{bounds: bounds, tags: []string{tagText}, parse: parse}
}

// textRule is for a text of up to most bytes, with what else it must be.
func textRule(bounds string, most int, check func(text string) *fault) rule {
	parse := func(text string) (any, *fault) {
		if f := checkLine(text, most); f != nil {
			return text, f
		}
		return text, check(text)
	}
	return rule{bounds: bounds, tags: []string{tagText}, parse: parse}
}

// checkLine keeps a text to one line that is clean at both ends: it may go into
// a command, a URL, a header or a path.
func checkLine(text string, most int) *fault {
	switch {
	case len(text) > most:
		return &fault{rule: fmt.Sprintf("must be at most %d bytes long", most)}
	case !utf8.ValidString(text):
		return &fault{rule: "must be UTF-8"}
	case strings.ContainsFunc(text, breaksLine):
		return &fault{rule: "must be one line without control characters"}
	case strings.TrimSpace(text) != text:
		return &fault{rule: "must not begin or end with a blank"}
	}
	return nil
}

func breaksLine(r rune) bool { return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' }

func checkDirectory(text string) *fault {
	if text == "" {
		return &fault{rule: "must not be empty", hint: `write . for the working directory`}
	}
	return nil
}

func checkAny(string) *fault { return nil }

// checkToken keeps a token to what an HTTP header can carry.
func checkToken(text string) *fault {
	if strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return &fault{rule: "must be printable ASCII without blanks"}
	}
	return nil
}
