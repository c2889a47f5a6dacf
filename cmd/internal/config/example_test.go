package config

import (
	"net/netip"
	"strings"
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
	if len(l.Warnings) > 0 {
		t.Errorf("warnings: %v", l.Warnings)
	}
}

// Every key of the example is explained above it, with its bounds, and with
// "restart" if a change needs one.
func TestExampleExplainsEveryKey(t *testing.T) {
	l, err := Parse("example.yaml", Example(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(Example()), "\n")
	forms := map[string]string{}
	for _, set := range l.schema.top {
		forms[set.path] = set.form
	}
	for _, set := range l.schema.plan {
		forms[planKey(DefaultPlan, set.path)] = set.form
	}
	for _, v := range l.Values() {
		if v.Origin.File == "" {
			t.Errorf("the example does not state %s", v.Key)
			continue
		}
		comment := commentAbove(lines, v.Origin.Line)
		if !strings.Contains(comment, forms[v.Key]) {
			t.Errorf("line %d: the comment of %s does not say %q: %s", v.Origin.Line, v.Key, forms[v.Key], comment)
		}
		restart := strings.Contains(comment, "Restart.") || strings.HasPrefix(v.Key, "sink.tls.")
		if restart != (v.Reload == ReloadRestart) {
			t.Errorf("line %d: %s takes effect %q, and the comment says otherwise: %s", v.Origin.Line, v.Key, v.Reload, comment)
		}
	}
}

// commentAbove joins the comment that stands directly above a line (from 1).
func commentAbove(lines []string, line int) string {
	var words []string
	for i := line - 2; i >= 0; i-- {
		text, ok := strings.CutPrefix(strings.TrimSpace(lines[i]), "#")
		if !ok {
			break
		}
		words = append(strings.Fields(text), words...)
	}
	return strings.Join(words, " ")
}

// The sample plan in the example's last lines is a plan too.
func TestExamplePlanCanBeTaken(t *testing.T) {
	var lines []string
	for line := range strings.SplitSeq(string(Example()), "\n") {
		if i := strings.Index(string(Example()), "  # survey:"); strings.Index(string(Example()), line) >= i {
			line = strings.Replace(line, "  # ", "  ", 1)
		}
		lines = append(lines, line)
	}
	l, err := Parse("example.yaml", []byte(strings.Join(lines, "\n")), Options{})
	if err != nil {
		t.Fatal(err)
	}
	p, ok := l.Plan("survey")
	if !ok || p.Stream.Mix != "stereo" || p.FinishOn != "#" {
		t.Errorf("plan survey: %v %+v", ok, p)
	}
}

func TestExampleIsACopy(t *testing.T) {
	Example()[0] = 'x'
	if Example()[0] != '#' {
		t.Error("a caller can change the example")
	}
}
