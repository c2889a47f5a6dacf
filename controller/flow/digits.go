package flow

import (
	"slices"
	"strings"
	"time"
)

// Digit is one key that the caller has pressed.
type Digit struct {
	// At is when the switch told of it.
	At time.Time
	// Digit is one of 0-9 A-D * #.
	Digit string
	// Step is the step in which it came, by its name in the record's timeline: listen_2.
	Step string
}

// MaxDigits is how many digits of a call are kept; more are counted.
const MaxDigits = 1000

// Digits are the keys that a caller has pressed, and those of them that nothing has used.
type Digits struct {
	// Typeahead says that digits count for the next listening time that were pressed before it.
	Typeahead bool
	// All are the call's digits in order, at most MaxDigits.
	All []Digit
	// Dropped counts those beyond.
	Dropped int

	unused []Digit
	found  bool // one has ended the listening time
}

// Press adds a digit.
func (d *Digits) Press(digit Digit) {
	if len(d.All) < MaxDigits {
		d.All = append(d.All, digit)
	} else {
		d.Dropped++
	}
	if len(d.unused) == MaxDigits {
		d.unused = d.unused[1:]
	}
	d.unused = append(d.unused, digit)
}

// Begin begins a listening time. It returns the digits of those given that were pressed before and
// do not count.
func (d *Digits) Begin(of string) (early []Digit) {
	if d.Typeahead {
		return nil
	}
	for _, digit := range d.unused {
		if strings.Contains(of, digit.Digit) {
			early = append(early, digit)
		}
	}
	d.unused = nil
	return early
}

// Count is how many digits have counted for the listening time so far.
func (d *Digits) Count() int { return len(d.unused) }

// Use uses up a digit that has ended a playback.
func (d *Digits) Use(digit string) {
	for i := len(d.unused) - 1; i >= 0; i-- {
		if d.unused[i].Digit == digit {
			d.unused = slices.Delete(d.unused, i, i+1)
			return
		}
	}
}

// Find says whether one of those given has counted for the listening time. It uses that one up, and
// those before it.
func (d *Digits) Find(of string) bool {
	for i, digit := range d.unused {
		if strings.Contains(of, digit.Digit) {
			d.unused, d.found = d.unused[i+1:], true
			return true
		}
	}
	return false
}

// End ends the listening time. What was typed behind the digit that has ended it is for the next
// one, as is what comes from now on.
func (d *Digits) End() {
	if !d.found {
		d.unused = nil
	}
	d.found = false
}
