package config

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// comparePrefixes lets go-cmp look at addresses.
func comparePrefixes() cmp.Option {
	return cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })
}

func TestExampleIsTheDefault(t *testing.T) {
	l, err := Parse("example.yaml", Example(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Default(), l.Config, comparePrefixes()); diff != "" {
		t.Errorf("the example is not the default (-default +example):\n%s", diff)
	}
	for _, v := range l.Values() {
		if v.Origin.File == "" {
			t.Errorf("the example does not state %s", v.Key)
		}
	}
	if len(l.Warnings) > 0 {
		t.Errorf("warnings: %v", l.Warnings)
	}
}
