package controller_test

import (
	"strings"
	"testing"
	"time"

	"tapdeck/controller"
	"tapdeck/controller/switchsim"

	"github.com/google/uuid"
)

// What goes to the switch in calls of every kind: one command at a time, each of
// known lines, and every application with event-lock and an Event-UUID of its own.
func TestEveryCommandOnTheWire(t *testing.T) {
	t.Parallel()
	l := good().start(t)
	var calls []*switchsim.Call
	for _, f := range []switchsim.Faults{
		{},
		{HangupIn: "playback"},
		{RefuseStart: true},
		{Drops: []switchsim.Drop{{After: 50 * time.Millisecond}, {After: 50 * time.Millisecond}}},
		{ReplyDelay: 5 * time.Millisecond},
		{OddVariables: true},
	} {
		calls = append(calls, l.dial(switchsim.CallSpec{Faults: f}))
	}
	for _, c := range calls {
		c.Wait()
	}
	l.close()
	applications, uuids := 0, map[string]bool{}
	for _, conn := range l.tap.connections() {
		if conn.together > 1 {
			t.Errorf("%d commands were in flight at a time, want 1", conn.together)
		}
		for i, command := range conn.commands() {
			if (command == "connect") != (i == 0) {
				t.Errorf("command %d is %q: want connect once and first", i, command)
			}
			if id := checkCommand(t, command); id != "" {
				applications++
				uuids[id] = true
			}
		}
	}
	if applications == 0 || applications != len(uuids) {
		t.Errorf("%d applications had %d Event-UUIDs, want one each", applications, len(uuids))
	}
}

// checkCommand checks one command as it went over the wire, and returns its
// Event-UUID if it executes an application.
func checkCommand(t *testing.T, command string) string {
	t.Helper()
	if strings.ContainsAny(command, "\r\x00") {
		t.Errorf("command %q holds a CR or NUL", command)
	}
	line, rest, _ := strings.Cut(command, "\n")
	fields := map[string]string{}
	for _, field := range strings.Split(rest, "\n") {
		name, value, _ := strings.Cut(field, ": ")
		fields[name] = value
	}
	switch word, _, _ := strings.Cut(line, " "); word {
	case "sendmsg":
		if fields["call-command"] != "execute" || fields["event-lock"] != "true" || uuid.Validate(fields["Event-UUID"]) != nil {
			t.Errorf("command %q: want event-lock and an Event-UUID", command)
		}
		return fields["Event-UUID"]
	case "bgapi":
		if uuid.Validate(fields["Job-UUID"]) != nil || strings.Count(command, "\n") != 1 {
			t.Errorf("command %q: want a Job-UUID and nothing else", command)
		}
	case "connect", "linger", "myevents", "nixevent", "event":
		if rest != "" {
			t.Errorf("command %q: want one line", command)
		}
	default:
		t.Errorf("command %q is none of ours", command)
	}
	return ""
}

// A value that would begin another command never reaches the switch: neither from
// the plan nor from the recorder.
func TestNothingIsInjected(t *testing.T) {
	t.Parallel()
	for _, evil := range []string{"x.wav\n\nexit", "x.wav\r\rexit", "x.wav\x00"} {
		for _, c := range []struct {
			where  string
			change func(s *setup)
			result controller.Result
		}{
			{"prompt", func(s *setup) { s.plan.Prompt = evil }, controller.Failed},
			{"mix", func(s *setup) { s.plan.Stream.Mix = evil }, controller.StreamFailed},
		} {
			t.Run(c.where, func(t *testing.T) {
				t.Parallel()
				s := good()
				c.change(&s)
				l := s.start(t)
				report := l.dial(switchsim.CallSpec{}).Wait()
				l.close()
				e := l.ended(report)
				if e.outcome.Result != c.result || !strings.Contains(e.outcome.Err, "CR, LF or NUL") {
					t.Errorf("outcome = %+v, want %s and why", e.outcome, c.result)
				}
				if report.HungUpBy != "controller" {
					t.Errorf("hung up by %q, want a connection that is still good", report.HungUpBy)
				}
				for _, conn := range l.tap.connections() {
					for _, command := range conn.commands() {
						checkCommand(t, command)
						if strings.Contains(command, "x.wav") {
							t.Errorf("command %q holds what may not be sent", command)
						}
					}
				}
			})
		}
	}
}
