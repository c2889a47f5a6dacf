package controller

import (
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"tapdeck/controller/esl"
	"tapdeck/controller/flow"
)

// inBandDelay is how long after its telephone-event the tone of the same key may be found in the
// audio: 320 ms were measured (F116).
const inBandDelay = 700 * time.Millisecond

// loggedDigits is how many digits of a call have a line each, however fast they come.
const loggedDigits = 100

// pressed handles a key of the caller.
func (c *call) pressed(ev *esl.Event) {
	digit := flow.Digit{At: time.Now(), Digit: strings.ToUpper(ev.Get("DTMF-Digit")), Step: c.place(c.status.Load().Step)}
	if digit.Digit == "" || c.isEcho(digit, ev.Get("DTMF-Source") == "INBAND_AUDIO") {
		return
	}
	c.digits.Press(digit)
	c.talk.press(digit)
	limit := zap.Skip()
	if len(c.digits.All) > loggedDigits {
		limit = ratelog(c.info.UUID)
	}
	c.log.Info("digit", zap.String("digit", digit.Digit), zap.String("step", digit.Step), limit)
}

// isEcho says whether a digit was found in the audio that came by telephone-event, too: it is one
// press of a key then, with two events. The plan need not have asked for that: the dialplan may have,
// or an earlier plan that has transferred the call (F116).
func (c *call) isEcho(digit flow.Digit, inBand bool) bool {
	c.echoes = slices.DeleteFunc(c.echoes, func(d flow.Digit) bool { return digit.At.Sub(d.At) > inBandDelay })
	if !inBand {
		c.echoes = append(c.echoes, digit)
		return false
	}
	i := slices.IndexFunc(c.echoes, func(d flow.Digit) bool { return d.Digit == digit.Digit })
	if i < 0 {
		return false
	}
	c.echoes = slices.Delete(c.echoes, i, i+1)
	return true
}
