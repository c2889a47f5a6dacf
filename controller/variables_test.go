package controller_test

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"tapdeck/controller"
	"tapdeck/controller/flow"
	"tapdeck/controller/switchsim"
)

// withVariables is a setup whose records have variables, and what its calls were when they came.
func withVariables(names ...string) (s setup, came func() controller.Info) {
	var mu sync.Mutex
	var info controller.Info
	s = good()
	s.cfg.Variables = names
	s.refuse = func(i controller.Info) error {
		mu.Lock()
		defer mu.Unlock()
		info = i
		return nil
	}
	return s, func() controller.Info {
		mu.Lock()
		defer mu.Unlock()
		return info
	}
}

// A call has the variables that are named, whatever the case of their letters, with the values
// that they have in the end: the call itself may set one, or unset it.
func TestVariables(t *testing.T) {
	t.Parallel()
	s, came := withVariables("sip_call_id", "SIP_H_x-account", "cost", "gone", "never", "list")
	s.plan.Listen = time.Minute
	spec := switchsim.CallSpec{Variables: map[string]string{"sip_call_id": "a@b", "sip_h_X-Account": "12", "gone": "x", "list": "ARRAY::a|:b", "other": "y"}}
	e := s.runWith(t, spec, 2, "complete", "playback", func(l *testbed, call *switchsim.Call) {
		l.operatorSays("uuid_setvar " + call.UUID() + " cost 0.5")
		l.operatorSays("uuid_setvar " + call.UUID() + " sip_call_id c@d")
		l.operatorSays("uuid_setvar " + call.UUID() + " gone")
		call.Hangup()
	})
	if diff := cmp.Diff(map[string]string{"sip_call_id": "a@b", "SIP_H_x-account": "12", "gone": "x", "list": "ARRAY::a|:b"}, came().Variables); diff != "" {
		t.Errorf("when it came (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{"sip_call_id": "c@d", "SIP_H_x-account": "12", "gone": "x", "list": "ARRAY::a|:b", "cost": "0.5"}, e.outcome.Variables); diff != "" {
		t.Errorf("in the end (-want +got):\n%s", diff)
	}
}

// A call that its plan, or somebody else, transfers has the values that it left with.
func TestVariablesOfATransferredCall(t *testing.T) {
	t.Parallel()
	steps := []flow.Step{&flow.Answer{}, &flow.Set{Variable: "greeting", Value: "kept"}}
	for name, c := range map[string]struct {
		last   flow.Step
		result controller.Result
	}{
		"by its plan":    {&flow.Transfer{Number: "5000"}, controller.Transferred},
		"by an operator": {&flow.Pause{For: time.Minute}, controller.SwitchLost},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, _ := withVariables("greeting")
			s.plan.Steps = append(slices.Clone(steps), c.last)
			// It is hung up there once tapdeck has let go: its hangup would bring the values, too.
			spec := switchsim.CallSpec{Extensions: map[string][]switchsim.Action{"5000": {{Application: "sleep", Data: "20000"}}}}
			l := s.start(t)
			call := l.dial(spec)
			if c.result == controller.SwitchLost {
				l.waitStep(t, "pause")
				l.operatorSays("uuid_transfer " + call.UUID() + " 5000")
			}
			report := call.Wait()
			l.close()
			if e := l.ended(report); e.outcome.Result != c.result || e.outcome.Variables["greeting"] != "kept" {
				t.Errorf("%s, variables %v", e.outcome.Result, e.outcome.Variables)
			}
		})
	}
}

// A caller chooses his headers: a value is text of a bounded length then.
func TestHostileVariables(t *testing.T) {
	t.Parallel()
	odd := "\u202e\"'\\${x}%41\u200f,<b>;\u0001"
	for name, c := range map[string]struct{ value, want string }{
		"odd":          {odd, odd},
		"long":         {strings.Repeat("x", 3000), strings.Repeat("x", 1024)},
		"cut rune":     {strings.Repeat("x", 1023) + "äöü", strings.Repeat("x", 1023)},
		"long runes":   {strings.Repeat("∞", 1000), strings.Repeat("∞", 341)},
		"just":         {strings.Repeat("ä", 512), strings.Repeat("ä", 512)},
		"broken":       {"a\xff\xfeb\xc3", "a\ufffdb\ufffd"},
		"long, broken": {strings.Repeat("\xffa", 1500), strings.Repeat("\ufffda", 256)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, came := withVariables("sip_h_X-Evil")
			e := s.run(t, switchsim.CallSpec{Variables: map[string]string{"sip_h_X-Evil": c.value}})
			for when, got := range map[string]map[string]string{"came": came().Variables, "ended": e.outcome.Variables} {
				value := got["sip_h_X-Evil"]
				if when == "came" && value != strings.ReplaceAll(c.want, "%41", "A") /* F123 */ || !utf8.ValidString(value) || len(value) > 1024 || value == "" {
					t.Errorf("when it %s, %d bytes: %.60q, want %.60q", when, len(value), value, c.want)
				}
			}
		})
	}
}

// Without names nothing is kept.
func TestNoVariables(t *testing.T) {
	t.Parallel()
	s, came := withVariables()
	e := s.run(t, switchsim.CallSpec{Variables: map[string]string{"sip_call_id": "a@b"}})
	if came().Variables != nil || e.outcome.Variables != nil {
		t.Errorf("variables %v, %v", came().Variables, e.outcome.Variables)
	}
}
