package flow

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Set sets a channel variable.
type Set struct {
	Variable VariableName  `yaml:"name" form:"a channel variable" max:"100" needed:"true" example:"NAME"`
	Value    VariableValue `yaml:"value" form:"a text" max:"1024" needed:"true" unquoted:"true" example:"VALUE"`
}

// setTimeout bounds the set of a variable.
const setTimeout = 10 * time.Second

// Name implements Step.
func (*Set) Name() string { return "set" }

// Needs implements Step.
func (*Set) Needs() Needs { return Needs{} }

// Length implements Step.
func (*Set) Length() Length { return Length{} }

// Follow implements Step.
func (*Set) Follow(*Position) error { return nil }

// Preview implements Step.
func (s *Set) Preview(p *Preview) { p.Add(0, "set %s=%s", s.Variable, s.Value) }

// UnmarshalText reads the short form, NAME=VALUE.
func (s *Set) UnmarshalText(text []byte) error {
	name, value, is := strings.Cut(string(text), "=")
	if !is || value == "" {
		return errors.New("must be NAME=VALUE, or {name: …, value: …}")
	}
	err := s.Variable.UnmarshalText([]byte(name))
	if err == nil {
		err = s.Value.UnmarshalText([]byte(value))
	}
	return err
}

// Run implements Step.
func (s *Set) Run(ctx context.Context, ch Channel) error {
	ch.Reached()
	_, err := ch.Execute(ctx, "set", fmt.Sprintf("%s=%s", s.Variable, s.Value), setTimeout)
	return err
}

// VariableName is the name of a channel variable that a plan may set.
type VariableName string

// UnmarshalText reads a name of a plan.
func (n *VariableName) UnmarshalText(text []byte) error {
	name := string(text)
	lower := strings.ToLower(name)
	switch {
	case !regexp.MustCompile(`^[A-Za-z_][\w.-]*$`).MatchString(name):
		return errors.New("must be the name of a channel variable: letters, digits, _ . and -, and no digit at its begin")
	case lower == "playback_terminators":
		return errors.New("is set by tapdeck itself: write stop_on in the step play")
	case slices.Contains(ownVariables(), lower):
		return errors.New("is set by tapdeck itself: write the plan's stream")
	case strings.HasPrefix(lower, "tapdeck_"):
		return errors.New("has no effect any more: tapdeck reads its variables when the call comes")
	}
	*n = VariableName(name)
	return nil
}

// ownVariables are those that tapdeck sets for the stream.
func ownVariables() []string {
	return []string{
		"stream_buffer_size", "stream_heart_beat", "stream_message_deflate", "stream_suppress_log", "stream_no_reconnect",
		"send_silence_when_idle",
	}
}

// VariableValue is the value of a channel variable.
type VariableValue string

// UnmarshalText reads a value of a plan. FreeSWITCH expands ${…} in it, and runs the API
// commands that stand there; two backslashes and \' would lose one (F117).
func (v *VariableValue) UnmarshalText(text []byte) error {
	switch value := string(text); {
	case strings.Contains(value, "${"):
		return errors.New("must not hold ${: FreeSWITCH would expand it and run what stands in it")
	case strings.Contains(value, `\\`), strings.Contains(value, `\'`):
		return errors.New("must not hold a backslash before another one or before ': FreeSWITCH would drop it")
	}
	*v = VariableValue(text)
	return nil
}
