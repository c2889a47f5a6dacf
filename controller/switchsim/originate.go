package switchsim

import (
	"context"
	"path/filepath"
	"strings"

	"tapdeck/controller/switchsim/audio"
	"tapdeck/controller/switchsim/inbound"
)

// inboundAPI executes an API command for a client without a channel; a call that
// it originates lives on ctx.
func (s *Switch) inboundAPI(ctx context.Context, line string) string {
	if argument, ok := strings.CutPrefix(line, "originate "); ok {
		return s.originate(ctx, argument)
	}
	return s.api(nil, line)
}

// originate executes originate {variables}loopback/NUMBER/CONTEXT &APP, or null/NUMBER &socket. It
// returns when the call is answered or has failed (F77, F171).
func (s *Switch) originate(ctx context.Context, argument string) string {
	o, ok := inbound.ParseOriginate(argument)
	if !ok {
		return inbound.OriginateUsage
	}
	f := s.status.Facts()
	e := f.Extension(o.Number, o.Context)
	if e == nil && !o.Null || !f.HasModule("mod_loopback") {
		return "-ERR NO_ROUTE_DESTINATION\n"
	}
	var spec CallSpec
	if o.Null {
		spec = nullLeg(o, f.Faults)
	} else {
		spec = s.calledLeg(o, e, f.Faults)
	}
	call, err := s.Dial(ctx, spec)
	if err != nil {
		return "-ERR DESTINATION_OUT_OF_ORDER\n"
	}
	s.alias(o.ID, call)
	select {
	case <-call.answered:
		return "+OK " + o.ID + "\n"
	case <-call.hungUp:
	}
	cause := call.Report().HangupCause
	if cause == "" || cause == "NORMAL_UNSPECIFIED" {
		cause = "NORMAL_CLEARING"
	}
	return "-ERR " + cause + "\n"
}

// alias makes the calling leg's UUID a name of the call.
func (s *Switch) alias(id string, c *Call) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.calls[c.uuid] == c && id != c.uuid {
		s.calls[id], c.otherLeg = c, id
	}
}

// nullLeg is a channel that is nobody's: answered at once, and silent.
func nullLeg(o *inbound.Originate, faults Faults) CallSpec {
	spec := CallSpec{
		UUID: o.ID, Caller: o.Variables["origination_caller_id_number"], Destination: o.Number, Loopback: true,
		Variables: o.Variables, Faults: faults, Voice: &Voice{Rate: 8000}, Before: []Action{{Application: "answer"}},
		Address: "127.0.0.1:1", Then: []Action{{Application: o.Application, Data: o.Data}},
	}
	if o.Application == "socket" {
		spec.Address, spec.Arguments, _ = strings.Cut(o.Data, " ")
		spec.Then = nil
	}
	return spec
}

// calledLeg is the leg that the dialplan sees: its caller's voice is what the
// calling leg's application plays.
func (s *Switch) calledLeg(o *inbound.Originate, e *Extension, faults Faults) CallSpec {
	spec := CallSpec{
		Caller: o.Variables["origination_caller_id_number"], Destination: o.Number, Loopback: true,
		Variables: map[string]string{"other_loopback_leg_uuid": o.ID}, Faults: faults,
		Voice: &Voice{Rate: 8000},
	}
	for name, value := range o.Variables {
		if name != "origination_uuid" {
			spec.Variables[name] = value
		}
	}
	if sound, ok := s.sound(o.Data); ok && strings.HasSuffix(o.Application, "playback") {
		endless := o.Application == "endless_playback" || sound.Length < 0
		spec.Voice = sound.Voice(endless)
		if !endless {
			spec.HangupAfter = sound.Length
		}
	}
	spec.answeredBy(e)
	return spec
}

// answeredBy gives the call the actions of an extension.
func (spec *CallSpec) answeredBy(e *Extension) {
	spec.Address, spec.Then = "127.0.0.1:1", e.Actions // nobody: an extension without socket
	for i, a := range e.Actions {
		if a.Application != "socket" {
			continue
		}
		spec.Address, spec.Arguments, _ = strings.Cut(a.Data, " ")
		if spec.Arguments = strings.TrimSpace(spec.Arguments); spec.Arguments == "" {
			spec.Arguments = "none"
		}
		spec.Before, spec.Then = e.Actions[:i], e.Actions[i+1:]
		return
	}
}

// sound finds what playback is given: a tone, silence, or a file.
func (s *Switch) sound(name string) (audio.Sound, bool) {
	if sound, isStream, ok := audio.Parse(name); isStream {
		return sound, ok
	}
	if filepath.IsAbs(name) {
		if data, ok := s.temp.read(name); ok {
			return audio.Decode(name, data)
		}
		if sound, known, ok := audio.Open(name); known {
			return sound, ok
		}
	}
	length, ok := s.cfg.Prompts(name)
	return audio.File(length), ok
}
