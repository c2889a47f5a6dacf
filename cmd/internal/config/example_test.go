package config

import (
	"net/netip"
	"regexp"
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

// The sample plans in the example's last lines are plans too.
func TestExamplePlansCanBeTaken(t *testing.T) {
	before, samples, _ := strings.Cut(string(Example()), "  # survey:")
	samples = regexp.MustCompile(`(?m)^  # (\s*(- |\w+:))`).ReplaceAllString("  # survey:"+samples, "  $1")
	l := mustParse(t, before+samples, Options{})
	if p, ok := l.Plan("survey"); !ok || p.Stream.Mix != "stereo" || l.Config.Plans["survey"].FinishOn != "#" {
		t.Errorf("plan survey: %v %+v", ok, p)
	}
	var got []string
	for _, name := range []string{"busy", "voicemail"} {
		for _, step := range l.Config.Plans[name].Steps {
			got = append(got, step.Name())
		}
	}
	want := []string{"hangup", "answer", "pause", "play", "tone", "stream", "listen", "agent", "set", "play", "transfer"}
	if diff := cmp.Diff(want, got); diff != "" || len(l.Warnings) > 0 {
		t.Errorf("warnings %v, steps (-want +got):\n%s", l.Warnings, diff)
	}
}

func TestExampleIsACopy(t *testing.T) {
	Example()[0] = 'x'
	if Example()[0] != '#' {
		t.Error("a caller can change the example")
	}
}
