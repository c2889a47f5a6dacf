package config

import (
	"errors"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// mustParse reads a configuration that has to be good.
func mustParse(t *testing.T, yaml string, opts Options) *Loaded {
	t.Helper()
	l, err := Parse("tapdeck.yaml", []byte(yaml), opts)
	if err != nil {
		t.Fatalf("parse: %v", err)
	}
	return l
}

// whole lets go-cmp look into steps, whose fields need not be exported.
func whole() cmp.Option { return cmp.Exporter(func(reflect.Type) bool { return true }) }

// messages are the lines of an error.
func messages(err error) []string {
	if err == nil {
		return nil
	}
	var joined interface{ Unwrap() []error }
	if !errors.As(err, &joined) {
		return []string{err.Error()}
	}
	var list []string
	for _, e := range joined.Unwrap() {
		list = append(list, e.Error())
	}
	return list
}
