package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestDigits(t *testing.T) {
	t.Parallel()
	var got digits
	if err := got.UnmarshalText([]byte("9s=4A#, 1500ms=*,0s=1")); err != nil {
		t.Fatal(err)
	}
	want := digits{
		{At: 0, Digit: "1"},
		{At: 1500 * time.Millisecond, Digit: "*"},
		{At: 9 * time.Second, Digit: "4"},
		{At: 9*time.Second + keyInterval, Digit: "A"},
		{At: 9*time.Second + 2*keyInterval, Digit: "#"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, bad := range []string{"", "#", "5=#", "-1s=#", "5s=", "5s=x", "5s=1,", "5s=1=2"} {
		err := new(digits).UnmarshalText([]byte(bad))
		if err == nil || !strings.Contains(err.Error(), "must be TIME=KEYS") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// A wrong key is usage, and says how it is written.
func TestDigitsThatAreNone(t *testing.T) {
	t.Parallel()
	for _, command := range [][]string{{"demo"}, {"call", "--to", "127.0.0.1:1"}} {
		code, _, stderr := runProgram(t, t.Context(), append(command, "--digits", "5s=z")...)
		if code != exitUsage || !strings.Contains(stderr, "--digits") || !strings.Contains(stderr, `"5s=z": must be TIME=KEYS`) {
			t.Errorf("%q: exit %d, %s", command, code, stderr)
		}
	}
}
