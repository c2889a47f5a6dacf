package config

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tapdeck/controller/flow"
)

// decibels is a level of silence_level.
func decibels(n int) flow.Level { return flow.Level{DBFS: n} }

// bot is one with the default values.
func bot(url string) flow.Bot {
	b := flow.DefaultBot()
	b.URL = url
	return b
}

func talking() flow.Step {
	s := &flow.Agent{For: time.Hour, Bot: bot("ws://127.0.0.1:8000")}
	s.Format, s.OnClose, s.Parameters = flow.FormatPCM, flow.ThenContinue, map[string]string{"to": "{destination}", "a": "1"}
	return s
}

// Every way to write a step well, with what it is to a call, and as it is shown.
func TestGoodSteps(t *testing.T) {
	usual := decibels(flow.DefaultLevel)
	for _, c := range []struct {
		steps string
		want  flow.Step
		shown string
	}{
		{`answer`, &flow.Answer{}, `answer`},
		{`"answer"`, &flow.Answer{}, `answer`},
		{`pause: 500ms`, &flow.Pause{For: 500 * time.Millisecond}, `pause: 500ms`},
		{`pause: 0`, &flow.Pause{}, `pause: 0s`},
		{`pause: {for: 1m}`, &flow.Pause{For: time.Minute}, `pause: 1m`},
		{`answer, tone: 500ms`, &flow.Tone{Frequency: 800, Duration: 500 * time.Millisecond}, `tone: 500ms`},
		{`answer, tone: {frequency: 440, duration: 1s}`, &flow.Tone{Frequency: 440, Duration: time.Second}, `tone: {frequency: 440, duration: 1s}`},
		{`answer, play: a.wav`, &flow.Play{Files: []string{"a.wav"}}, `play: a.wav`},
		{`answer, play: [a.wav, "b c.wav"]`, &flow.Play{Files: []string{"a.wav", "b c.wav"}}, `play: [a.wav, "b c.wav"]`},
		{`answer, play: {file: a.wav, stop_on: "*#"}`, &flow.Play{Files: []string{"a.wav"}, StopOn: "*#"}, `play: {file: a.wav, stop_on: "*#"}`},
		{`answer, play: {file: [a.wav, b.wav], stop_on: 08}`, &flow.Play{Files: []string{"a.wav", "b.wav"}, StopOn: "08"}, `play: {file: [a.wav, b.wav], stop_on: 08}`},
		{`answer, play: "tone_stream://%(500,0,800)"`, &flow.Play{Files: []string{"tone_stream://%(500,0,800)"}}, `play: "tone_stream://%(500,0,800)"`},
		{`answer, play: "123"`, &flow.Play{Files: []string{"123"}}, `play: "123"`},
		{`answer, stream`, &flow.Stream{}, `stream`},
		{`answer, stream: {}`, &flow.Stream{}, `stream`},
		{`answer, stream: start`, &flow.Stream{Action: "start"}, `stream: start`},
		{`answer, stream, stream: stop`, &flow.Stream{Action: "stop"}, `stream: stop`},
		{`answer, listen: 15s`, &flow.Listen{For: 15 * time.Second, UntilSaid: []string{}, SilenceLevel: usual}, `listen: 15s`},
		{`answer, listen: {for: 15s, finish_on: 5, silence_level: auto}`, &flow.Listen{For: 15 * time.Second, FinishOn: "5", UntilSaid: []string{}, SilenceLevel: flow.Level{Auto: true}}, `listen: {for: 15s, finish_on: 5, silence_level: auto}`},
		{`answer, stream, listen: {for: 1m, silence: 3s, silence_level: -46, no_input: 8s}`, &flow.Listen{For: time.Minute, Silence: 3 * time.Second, UntilSaid: []string{}, SilenceLevel: decibels(-46), NoInput: 8 * time.Second}, `listen: {for: 1m, silence: 3s, silence_level: -46, no_input: 8s}`},
		{`answer, stream, agent: "wss://bot.example/media"`, &flow.Agent{For: 10 * time.Minute, Bot: bot("wss://bot.example/media")}, `agent: "wss://bot.example/media"`},
		{`answer, stream, agent: {url: "ws://127.0.0.1:8000", for: 1h, format: pcm, parameters: {to: "{destination}", a: 1}, on_close: continue}`, talking(), `agent: {for: 1h, url: "ws://127.0.0.1:8000", format: pcm, parameters: {a: 1, to: "{destination}"}, on_close: continue}`},
		{`set: a=b=c`, &flow.Set{Variable: "a", Value: "b=c"}, `set: {name: a, value: b=c}`},
		{`set: {name: sip_h_X-Plan, value: "two words"}`, &flow.Set{Variable: "sip_h_X-Plan", Value: "two words"}, `set: {name: sip_h_X-Plan, value: "two words"}`},
		{`set: {name: a, value: 0}`, &flow.Set{Variable: "a", Value: "0"}, `set: {name: a, value: 0}`},
		{`transfer: 5000`, &flow.Transfer{Number: "5000"}, `transfer: 5000`},
		{`transfer: 0800`, &flow.Transfer{Number: "0800"}, `transfer: 0800`},
		{`transfer: 0700`, &flow.Transfer{Number: "0700"}, `transfer: 0700`},
		{`transfer: +4930`, &flow.Transfer{Number: "+4930"}, `transfer: "+4930"`},
		{`transfer: {number: sales, dialplan: XML, context: "true"}`, &flow.Transfer{Number: "sales", Dialplan: "XML", Context: "true"}, `transfer: {number: sales, dialplan: XML, context: "true"}`},
		{`hangup`, &flow.Hangup{}, `hangup`},
		{`hangup: USER_BUSY`, &flow.Hangup{Cause: "USER_BUSY"}, `hangup: USER_BUSY`},
	} {
		t.Run(c.steps, func(t *testing.T) {
			l := mustParse(t, "plans: {x: {steps: ["+c.steps+"]}}", Options{})
			plan, _ := l.Plan("x")
			last := plan.Steps[len(plan.Steps)-1:]
			if diff := cmp.Diff([]flow.Step{c.want}, last); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if shown := l.schema.text(last, maxText); shown != c.shown {
				t.Errorf("shown as %s, want %s", shown, c.shown)
			}
			shown, _ := origin(t, l, "plans.x.steps")
			again := mustParse(t, "plans: {x: {}}", Options{Flags: map[string]string{"plans.x.steps": shown}})
			if changes := Diff(l, again); len(changes) > 0 {
				t.Errorf("%s reads back as %v", shown, changes)
			}
		})
	}
}

// beep is a step that only this test knows: its type, and a line in the table.
type beep struct {
	Times  int           `yaml:"times" range:"1..9 times" main:"true" needed:"true" example:"2"`
	Every  time.Duration `yaml:"every" range:"100ms..1m"`
	Digits string        `yaml:"digits" as:"digits"`
}

func (*beep) Name() string { return "beep" }
func (*beep) Needs() flow.Needs {
	return flow.Needs{Modules: []flow.Module{{Name: "mod_beep", Does: "beeps"}}}
}

func (s *beep) Length() flow.Length { return flow.Length{Known: time.Duration(s.Times) * s.Every} }

func (s *beep) Follow(p *flow.Position) error {
	if p.Streaming {
		return errors.New("would be recorded: write it before stream")
	}
	return p.NeedAnswer()
}

func (s *beep) Preview(p *flow.Preview)               { p.Add(s.Length().Known, "%d beeps", s.Times) }
func (*beep) Run(context.Context, flow.Channel) error { return nil }

// A further step is one type and one line.
func TestFurtherStep(t *testing.T) {
	with := Options{steps: append(stepTypes(), &beep{Every: time.Second})}
	l := mustParse(t, "plans: {x: {steps: [answer, beep: 3, beep: {times: 2, every: 500ms}, hangup]}}", with)
	plan, warnings := l.ForCall(variables{}, "x")
	if shown, _ := origin(t, l, "plans.x.steps"); shown != "answer, beep: 3, beep: {times: 2, every: 500ms}, hangup" || len(warnings) > 0 {
		t.Errorf("shown as %s, warnings %v", shown, warnings)
	}
	if length := flow.LengthOf(plan.Steps); length.Known != 4*time.Second || plan.Steps[1].Needs().Modules[0].Name != "mod_beep" {
		t.Errorf("length %v, needs %v", length, plan.Steps[1].Needs())
	}
	want := []flow.Line{{Time: "0.0", Text: "answer"}, {Time: "0.0", Text: "3 beeps"}, {Time: "3.0", Text: "2 beeps"}, {Time: "4.0", Text: "hangup"}}
	if diff := cmp.Diff(want, Timeline(plan)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	_, err := Parse("f", []byte("plans: {x: {steps: [answer, beep, beep: {times: 10}, beeep: 1, beep: {evry: 1s, times: 1}]}, y: {steps: [answer, stream, beep: 1]}}"), with)
	wantErrors := []string{
		`f:1: plans.x.steps[1].beep: needs a value; write beep: 2`,
		`f:1: plans.x.steps[2].beep.times: "10": must be 1 to 9 times; such as 2`,
		`f:1: plans.x.steps[3].beeep: no such step; the nearest known is beep`,
		`f:1: plans.x.steps[4].beep.evry: unknown key; the nearest known is plans.x.steps[4].beep.every`,
		`f:1: plans.y.steps[2].beep: would be recorded; write it before stream`,
	}
	if diff := cmp.Diff(wantErrors, messages(err)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, err := Parse("f", []byte("plans: {x: {steps: [answer, beep: 3]}}"), Options{}); err == nil {
		t.Error("the step is there without its line")
	}
}

// Every step of the table has an example of what it needs, its name is its word, and its
// defaults keep to its own bounds.
func TestTableOfSteps(t *testing.T) {
	for _, step := range newSchema(stepTypes()).steps {
		if step.key != strings.ToLower(step.key) || step.key == "" {
			t.Errorf("the word %q", step.key)
		}
		for _, c := range step.fields {
			if c.form == "" && c.elem == nil || c.needed && c.example == "" || c.below != "" && step.child(c.below) == nil {
				t.Errorf("%s.%s: form %q, example %q, below %q", step.key, c.key, c.form, c.example, c.below)
			}
			if v := c.in(step.defaults); c.elem == nil && !v.IsZero() {
				if err := c.read(format(v), v.Addr().Elem()); err != nil {
					t.Errorf("%s.%s: the default: %v", step.key, c.key, err)
				}
			}
		}
	}
}
