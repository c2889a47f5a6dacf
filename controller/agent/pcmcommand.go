package agent

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
)

// Bounds of what a bot may ask for on the pcm wire. The schema has the same.
var (
	// transferTo is an extension, and perhaps the dialplan XML and a context behind it: words without quotes
	// and blanks, without anything that the switch expands, and none that it takes for an option. Other
	// dialplans run what they are given: inline applications, LUA a script.
	transferTo = regexp.MustCompile(`^[A-Za-z0-9+*#._][A-Za-z0-9+*#._-]{0,127}( [Xx][Mm][Ll]( [A-Za-z0-9+*#._][A-Za-z0-9+*#._-]{0,63})?)?$`)
	digits     = regexp.MustCompile(`^[0-9A-D*#wW]{1,32}$`)
	cause      = regexp.MustCompile(`^[A-Z][A-Z0-9_]{0,63}$`)
)

// defaultCause is that of a hang-up without one.
const defaultCause = "NORMAL_CLEARING"

// pcmEvents are what a bot may say, with the members of each.
var pcmEvents = map[string]struct {
	kind    commandKind
	members []string
}{
	"start":    {commandNone, []string{"sample_rate"}},
	"mark":     {commandMark, []string{"name"}},
	"clear":    {commandClear, nil},
	"hangup":   {commandHangUp, []string{"cause"}},
	"transfer": {commandTransfer, []string{"to"}},
	"dtmf":     {commandDigits, []string{"digits"}},
}

// decodeText reads a JSON message. Members are compared as they are written, since what is
// misspelled would be lost silently.
func (w *pcmWire) decodeText(message []byte) (command, *wrong) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(message, &members); err != nil {
		return command{}, wrongf(wrongJSON, "%s", w.config.clip(err.Error()))
	}
	name, ok := text(members, "event")
	event, known := pcmEvents[name]
	if !ok || !known {
		return command{}, wrongf(wrongEvent, "%q", w.config.clip(name))
	}
	for member := range members {
		if member != "event" && !slices.Contains(event.members, member) {
			return command{}, wrongf(wrongMember, "%s has no member %q", name, w.config.clip(member))
		}
	}
	if event.kind == commandNone {
		return command{}, w.setRate(members["sample_rate"])
	}
	return w.asked(event.kind, members)
}

// setRate has the bot speak at another rate from now on.
func (w *pcmWire) setRate(value json.RawMessage) *wrong {
	var rate int
	if json.Unmarshal(value, &rate) != nil {
		return wrongf(wrongMember, "start.sample_rate is no whole number, and must be 8000, 16000 or 24000")
	}
	if !slices.Contains([]int{8000, 16000, 24000}, rate) {
		return wrongf(wrongMember, "start.sample_rate is %d, and must be 8000, 16000 or 24000", rate)
	}
	w.botRate = rate
	return nil
}

// asked is a command with its value.
func (w *pcmWire) asked(kind commandKind, members map[string]json.RawMessage) (command, *wrong) {
	c := command{kind: kind}
	var ok bool
	switch kind {
	case commandMark:
		if c.text, ok = text(members, "name"); !ok {
			return command{}, wrongf(wrongMember, "mark.name must be a text")
		}
		if len(c.text) > maxMarkName {
			return command{}, wrongf(wrongMark, "%d bytes", len(c.text))
		}
	case commandHangUp:
		if c.text, ok = text(members, "cause"); members["cause"] == nil {
			c.text = defaultCause
		} else if !ok || !cause.MatchString(c.text) {
			return command{}, wrongf(wrongMember, "hangup.cause is %q, and must be a cause of FreeSWITCH, such as USER_BUSY", w.config.clip(c.text))
		}
	case commandTransfer:
		if c.text, ok = text(members, "to"); !ok || !transferTo.MatchString(c.text) {
			return command{}, wrongf(wrongMember, "transfer.to is %q, and must be EXTENSION or EXTENSION XML CONTEXT, of letters, digits and + * # . _ -, where no word begins with -", w.config.clip(c.text))
		}
	case commandDigits:
		if c.text, ok = text(members, "digits"); !ok || !digits.MatchString(c.text) {
			return command{}, wrongf(wrongMember, "dtmf.digits is %q, and must be 1 to 32 of 0-9 A-D * # w W", w.config.clip(c.text))
		}
	}
	return c, nil
}

// text returns a member that is a JSON string.
func text(members map[string]json.RawMessage, name string) (s string, ok bool) {
	value := bytes.TrimSpace(members[name])
	if len(value) == 0 || value[0] != '"' || json.Unmarshal(value, &s) != nil {
		return "", false
	}
	return s, true
}
