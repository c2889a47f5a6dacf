package config

import (
	"cmp"
	"encoding"
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// read sets v to the value that a text stands for, if the text keeps to f.
func (f *field) read(text string, v reflect.Value) error {
	err := checkText(text, f.max)
	if err == nil && text == "" && f.needed && !f.flat {
		err = violated("must not be empty", f.hint)
	}
	if err == nil {
		err = parse(text, v)
		switch {
		case errors.Is(err, errNoUnit):
			err = f.needsUnit(text)
		case err != nil && f.typ.Kind() == reflect.Int:
			err = violated(err.Error()+": "+f.form, f.hint)
		}
	}
	for _, check := range f.checks {
		if err == nil {
			err = check(text, v)
		}
	}
	return err
}

// needsUnit says with which units a number is a duration that f may be.
func (f *field) needsUnit(number string) error {
	var good []string
	for _, unit := range []string{"s", "ms"} {
		if f.read(number+unit, reflect.New(f.typ).Elem()) == nil {
			good = append(good, number+unit)
		}
	}
	if len(good) == 0 {
		return violated(errNoUnit.Error()+", and must be "+f.form, f.hint)
	}
	return violated(errNoUnit.Error(), "write "+strings.Join(good, " or "))
}

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
		if *to, err = strconv.Atoi(text); err != nil || strconv.Itoa(*to) != text {
			err = violated("must be a whole number in plain decimal digits")
		}
	default:
		v.SetString(text)
	}
	return err
}

// format returns a value as it would be written in the file, lists as in the
// environment.
func format(v reflect.Value) string {
	switch x := v.Interface().(type) {
	case time.Duration:
		return formatDuration(x)
	case netip.Prefix:
		if x.IsSingleIP() {
			return x.Addr().String()
		}
	}
	switch v.Kind() {
	case reflect.Map:
		return "{" + strings.Join(pairs(v, func(name string, v reflect.Value) string {
			return strconv.Quote(name) + ": " + strconv.Quote(format(v))
		}), ", ") + "}"
	case reflect.Slice:
	default:
		return fmt.Sprint(v.Interface())
	}
	list := make([]string, v.Len())
	for i := range list {
		list[i] = format(v.Index(i))
	}
	return strings.Join(list, ", ")
}

// pairs returns the entries of a table, sorted by their names, as write has them.
func pairs(table reflect.Value, write func(name string, v reflect.Value) string) []string {
	list := make([]string, 0, table.Len())
	for _, name := range slices.SortedFunc(slices.Values(table.MapKeys()), func(a, b reflect.Value) int { return cmp.Compare(a.String(), b.String()) }) {
		list = append(list, write(name.String(), table.MapIndex(name)))
	}
	return list
}

// show returns a value as it may be printed.
func (f *field) show(v reflect.Value) string {
	if f.hides() && !v.IsZero() {
		return masked
	}
	return format(v)
}

// hides reports whether f or something below it is secret.
func (f *field) hides() bool {
	return f.secret || f.elem != nil && f.elem.hides() || slices.ContainsFunc(f.fields, (*field).hides)
}

const masked = "***"
