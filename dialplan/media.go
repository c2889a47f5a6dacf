package dialplan

import (
	"regexp"
	"strings"
)

// mediaEffect says what comes of audio that FreeSWITCH does not read from a bridge on, if tapdeck
// gets the call after that bridge: F111 of controller/switchsim/FACTS.md.
type mediaEffect struct {
	severity   Severity
	text, hint string
}

// Until a bridge has brought audio, none of these does anything.
var (
	proxied = mediaEffect{
		SeverityError,
		"once the bridge before the socket action has brought audio, of ringing or of an answer, FreeSWITCH passes audio on unread: tapdeck's caller hears nothing, and the recording is empty",
		"remove it from what comes to tapdeck: a stream needs audio that FreeSWITCH reads",
	}
	bypassed = mediaEffect{
		SeverityWarning,
		"from the bridge before the socket action on audio goes past FreeSWITCH, which has to get it back by a re-INVITE: a caller that does not follow one is recorded as silence",
		"remove it from what comes to tapdeck, or make sure that every caller follows a re-INVITE",
	}
	mediaVariables = map[string]mediaEffect{"proxy_media": proxied, "bypass_media": bypassed, "bypass_media_after_bridge": bypassed}
)

const (
	unbridged     = "it acts from a bridge on, and none comes before tapdeck gets the call; one that comes to tapdeck after such a bridge has no audio that FreeSWITCH reads"
	unbridgedHint = "nothing, if it is meant for a bridge behind tapdeck; else remove it"
)

// mediaUse is a place that sets a media variable, or unsets it.
type mediaUse struct {
	place
	assignment
}

// legs finds the one media variable that acts on the call itself if it is given to the leg of a
// bridge.
var legs = regexp.MustCompile(`(?i)[{\[<,:;](bypass_media_after_bridge)=([^,:;}\]>]*)`)

// bridged records a bridge, and what it does to the call's audio.
func (c *checker) bridged(data string) {
	if m := legs.FindStringSubmatch(data); m != nil {
		at := c.place
		at.order--
		c.media = append(c.media, mediaUse{at, assignment{strings.ToLower(m[1]), strings.Trim(m[2], `'"`)}})
	}
	c.bridges = append(c.bridges, c.place)
}

// judgeMedia reports media variables that calls have when they come to tapdeck.
func (c *checker) judgeMedia() {
	for _, m := range c.media {
		if !isTrue(m.value) && !varies.MatchString(m.value) {
			continue
		}
		c.at = m.Location
		switch effect := mediaVariables[m.name]; c.meaning(m) {
		case effect.severity:
			c.report(effect.severity, effect.hint, "%s=%s: %s", m.name, m.value, effect.text)
		case SeverityNote:
			c.report(SeverityNote, unbridgedHint, "%s=%s: %s", m.name, m.value, unbridged)
		}
	}
}

// meaning returns how bad the value is that m sets: as bad as it can be if a bridge acts on it
// before a socket action, a note if the call only has it there, else "".
func (c *checker) meaning(m mediaUse) (worst Severity) {
	for _, s := range c.Sockets {
		if !s.meant || !c.before(m.place, s.place) {
			continue
		}
		for _, b := range c.bridges {
			if c.before(m.place, b) && c.before(b, s.place) && !c.changed(m, b) {
				return mediaVariables[m.name].severity
			}
		}
		if !c.changed(m, s.place) {
			worst = SeverityNote
		}
	}
	return worst
}

// changed reports whether the variable that m sets has another value at p.
func (c *checker) changed(m mediaUse, p place) bool {
	for _, other := range c.media {
		if other.name == m.name && c.before(m.place, other.place) && c.before(other.place, p) {
			return true
		}
	}
	return false
}
