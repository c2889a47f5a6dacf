package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"tapdeck/controller/switchsim"
)

// digits are the keys that a simulated caller presses.
type digits []switchsim.Digit

// keyInterval is the time from one key to the next of those that are given one time.
const keyInterval = 250 * time.Millisecond

// UnmarshalText reads TIME=KEYS[,TIME=KEYS…]: 4s=1,9s=42# is 1 four seconds after the answer, and
// 4, 2 and # from nine seconds after it on.
func (d *digits) UnmarshalText(text []byte) error {
	*d = nil
	for entry := range strings.SplitSeq(string(text), ",") {
		when, keys, _ := strings.Cut(strings.TrimSpace(entry), "=")
		at, err := time.ParseDuration(when)
		wrong := func(key rune) bool { return !strings.ContainsRune("0123456789ABCD*#", key) }
		if err != nil || at < 0 || keys == "" || strings.ContainsFunc(keys, wrong) {
			return fmt.Errorf("%q: must be TIME=KEYS, such as 4s=1 or 9s=42#: the time since the answer with its unit, and any of 0-9 A-D * #; several with a comma between them", entry)
		}
		for _, key := range keys {
			*d = append(*d, switchsim.Digit{At: at, Digit: string(key)})
			at += keyInterval
		}
	}
	slices.SortStableFunc(*d, func(a, b switchsim.Digit) int { return cmp.Compare(a.At, b.At) })
	return nil
}
