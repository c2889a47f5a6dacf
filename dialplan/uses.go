package dialplan

import "slices"

// use is something that fights with tapdeck if its call comes to tapdeck, too.
type use struct {
	place
	severity        Severity // if it acts on a call that comes to tapdeck
	anywhere        bool     // it is worth a note if no such call is known
	what, why, hint string
	hook            string // the variable, in lower case, that does it later; empty if it is done at once
	faulty          bool   // it is wrong for any call: a warning, too, where no call of tapdeck's is known
	leg             bool   // it is for another leg, which a bridge calls
	own             bool   // it is about this call's channel all the same
}

const (
	calling = " calls uuid_audio_stream"
	second  = ": another start or stop on the same channel, and while its stream is there tapdeck can't start its own: it stops that one, whose server loses the call"
)

// judgeUses reports each use as its call comes to tapdeck or not.
func (c *checker) judgeUses() {
	for _, u := range c.uses {
		c.at = u.Location
		switch before := c.socketsBehind(u.place); {
		case u.faulty:
			severity := SeverityWarning
			if c.comesTo(u.place) {
				severity = u.severity
			}
			c.report(severity, u.hint, "%s%s", u.what, u.why)
		case u.leg && !(u.own && c.bridgedBefore(u, before)):
			if c.comesTo(u.place) {
				c.report(SeverityNote, "nothing, if it is meant", "%s; it is for another leg, whose stream is none of tapdeck's", u.what)
			}
		case len(before) == 0 && c.comesTo(u.place):
			c.report(SeverityNote, "nothing, if it is meant for them", "%s; it comes behind the socket action, so only for calls that no tapdeck takes", u.what)
		case len(before) == 0:
			if u.anywhere {
				c.report(SeverityNote, "nothing, if that is so", "%s; no call seems to come to tapdeck from here", u.what)
			}
		case !u.leg && c.tooLate(u):
			c.report(SeverityNote, "nothing, for it does nothing; it can go", "%s; it never runs: the call is answered, or has audio, before it is set", u.what)
		case u.leg || !c.withdrawn(u, before):
			c.report(u.severity, u.hint, "%s%s", u.what, u.why)
		}
	}
}

// socketsBehind returns the socket actions by which a call comes to tapdeck after p.
func (c *checker) socketsBehind(p place) (list []place) {
	for _, s := range c.Sockets {
		if s.meant && c.before(p, s.place) {
			list = append(list, s.place)
		}
	}
	return list
}

// bridgedBefore reports whether a bridge to which u gives something comes before one of the socket
// actions.
func (c *checker) bridgedBefore(u use, sockets []place) bool {
	return slices.ContainsFunc(c.bridges, func(b place) bool {
		return (b == u.place || c.before(u.place, b)) && slices.ContainsFunc(sockets, func(s place) bool { return c.before(b, s) })
	})
}
