package config

import (
	"cmp"
	"encoding"
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// maxText bounds every text, in bytes.
const maxText = 4096

// namedTypes are the types that the tag as names. Each has an UnmarshalText, and
// a Form that says in a few words what its values are.
func namedTypes() map[string]reflect.Type {
	return map[string]reflect.Type{
		"address":     reflect.TypeFor[address](),
		"digits":      reflect.TypeFor[digits](),
		"prompt":      reflect.TypeFor[prompt](),
		"sample rate": reflect.TypeFor[sampleRate](),
		"socket url":  reflect.TypeFor[socketURL](),
		"token":       reflect.TypeFor[token](),
	}
}

// read sets v to the value that a text stands for, if the text keeps to f.
func (f *field) read(text string, v reflect.Value) error {
	if err := checkText(text, f.max); err != nil {
		return err
	}
	if text == "" && f.needed {
		return violated("must not be empty", f.hint)
	}
	if err := parse(text, v); err != nil {
		if number := strings.TrimSpace(strings.TrimSuffix(strings.ToLower(text), strings.ToLower(f.unit))); f.unit != "" && number != text && isDecimal(number) {
			return violated(err.Error(), "write "+number)
		}
		return err
	}
	for _, check := range f.checks {
		if err := check(v); err != nil {
			return err
		}
	}
	return nil
}

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

// parse is for the types: each knows its own texts.
func parse(text string, v reflect.Value) (err error) {
	switch to := v.Addr().Interface().(type) {
	case *time.Duration:
		*to, err = parseDuration(text)
	case *netip.Prefix:
		*to, err = parsePrefix(text)
	case encoding.TextUnmarshaler:
		err = to.UnmarshalText([]byte(text))
	case *bool:
		if *to = text == "true"; !*to && text != "false" {
			err = violated("must be true or false")
		}
	case *int:
		*to, err = parseInt(text)
	default:
		v.SetString(text)
	}
	return err
}

func parseInt(text string) (int, error) {
	n, err := strconv.Atoi(text)
	switch {
	case errors.Is(err, strconv.ErrRange):
		return 0, violated("the number is too large")
	case err != nil || strconv.Itoa(n) != text:
		return 0, violated("must be a whole number in plain decimal digits")
	}
	return n, nil
}

// isDecimal tells whether text is a number in plain decimal digits.
func isDecimal(text string) bool {
	return strings.Trim(strings.TrimPrefix(text, "-"), "0123456789.") == "" && strings.ContainsAny(text, "0123456789")
}

// format returns a value as it would be written in the file, lists as in the
// environment.
func format(v reflect.Value) string {
	switch x := v.Interface().(type) {
	case time.Duration:
		return formatDuration(x)
	case netip.Prefix:
		return formatPrefix(x)
	case fmt.Stringer:
		return x.String()
	}
	if v.Kind() != reflect.Slice {
		return fmt.Sprint(v.Interface())
	}
	list := make([]string, v.Len())
	for i := range list {
		list[i] = format(v.Index(i))
	}
	return strings.Join(list, ", ")
}

// show returns a value as it may be printed.
func (f *field) show(v reflect.Value) string {
	if f.hides() && !v.IsZero() {
		return masked
	}
	return format(v)
}

// hides tells whether f or something below it is secret.
func (f *field) hides() bool {
	hidden := f.secret || f.elem != nil && f.elem.hides()
	for _, c := range f.fields {
		hidden = hidden || c.hides()
	}
	return hidden
}

const masked = "***"

// token is a secret that an HTTP header can carry.
type token string

func (token) Form() string { return "printable ASCII or empty" }

func (t *token) UnmarshalText(text []byte) error {
	*t = token(text)
	if strings.ContainsFunc(string(text), func(r rune) bool { return r <= ' ' || r > '~' }) {
		return violated("must be printable ASCII without blanks")
	}
	return nil
}

// typeName is what people call a YAML type.
func typeName(tag string) string {
	name := map[string]string{tagText: "text", tagInt: "number", "!!float": "number", tagBool: "truth value", "!!timestamp": "date"}[tag]
	return cmp.Or(name, strings.TrimPrefix(tag, "!!"))
}
