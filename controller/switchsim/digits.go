package switchsim

import (
	"strings"
	"time"
)

// Digit is one key that the caller presses.
type Digit struct {
	// At is in media time after the answer.
	At time.Duration
	// Digit is one of 0-9 A-D * #.
	Digit string
	// Way is how the caller's telephone sends it.
	Way DigitWay
}

// DigitWay is how a telephone sends a digit. A key press that is sent in two ways is two Digits.
type DigitWay int

const (
	// TelephoneEvent is RFC 2833: nothing is heard if it was not negotiated.
	TelephoneEvent DigitWay = iota
	// InBand is the tones themselves: heard while start_dtmf is on (F116).
	InBand
	// SIPInfo is a SIP INFO: heard only if telephone-event was not negotiated (F115).
	SIPInfo
)

// inBandDelay is how much later than one by telephone-event the event of a digit in band
// comes: after the end of its tone (F116).
const inBandDelay = 160 * time.Millisecond

// Press is the caller pressing a key now: one of 0-9 A-D * #.
func (c *Call) Press(digit string) { c.PressBy(digit, TelephoneEvent) }

// PressBy is Press of a telephone that sends the digit in another way.
func (c *Call) PressBy(digit string, way DigitWay) {
	inBand := c.detectsInBand()
	switch {
	case c.spec.Loopback:
		c.digit(digit, "UNKNOWN", "2000")
	case way == InBand && inBand:
		c.after(inBandDelay, func() { c.digit(digit, "INBAND_AUDIO", "1600") })
	case way == TelephoneEvent && !c.spec.NoTelephoneEvent:
		c.digit(digit, "RTP", "960")
	case way == SIPInfo && c.spec.NoTelephoneEvent:
		c.digit(digit, "ENDPOINT", "1280")
	}
}

// digit is a digit that the switch has heard (F69, F114, F115).
func (c *Call) digit(d, source, duration string) {
	if !c.isHungUp() {
		c.emit("DTMF", header{Name: "digit", Value: d}, header{Name: "source", Value: source}, header{Name: "duration", Value: duration})
		c.terminate(d)
	}
}

func (c *Call) detectsInBand() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.inBand
}

// startDTMF executes start_dtmf, which lets media flow (F116), or stop_dtmf.
func (c *Call) startDTMF(on bool) {
	if on {
		c.preAnswer()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.inBand = on
}

const terminatorUsed = "playback_terminator_used"

// terminate ends what plays if a digit is one of those that do (F67). One that comes while
// nothing plays, or while it may not end what plays, is forgotten (F118).
func (c *Call) terminate(digit string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	ends := c.state.vars.get("playback_terminators")
	switch strings.ToLower(ends) {
	case "":
		ends = "*"
	case "any":
		ends = "1234567890*#"
	case "none":
		return
	}
	if !c.played.Playing() || !strings.Contains(ends, digit) {
		return
	}
	c.state.vars = c.state.vars.with(header{Name: terminatorUsed, Value: digit})
	select {
	case c.breaks <- struct{}{}:
	default:
	}
}
