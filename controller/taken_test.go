package controller_test

import (
	"testing"
	"time"

	"tapdeck/controller/switchsim"
	"tapdeck/controller/switchsim/bot"
	"tapdeck/controller/switchsim/fault"
)

// A stream that drops takes along what the switch was given and had not begun: it is said again, in its place.
func TestNothingIsTakenByAStreamThatDrops(t *testing.T) {
	t.Parallel()
	for name, how := range map[string]fault.DropHow{"FIN": switchsim.DropFIN, "RST": switchsim.DropRST} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := bot.Options{Format: bot.PCM, Behaviour: says(bot.Tone(8000, 440, 5*time.Second))}
			b := startBot(t, o)
			drops := []switchsim.Drop{{After: 1500 * time.Millisecond, How: how}, {After: time.Second, How: how}}
			e := talking(b, o, nil).run(t, switchsim.CallSpec{Voice: voice(), Faults: switchsim.Faults{Drops: drops}})
			checkHeard(t, b, e)
			if len(e.report.Streams) != 3 || e.count("chunk not found by the switch is sent again") == 0 {
				t.Errorf("%d streams, %q", len(e.report.Streams), e.messages())
			}
		})
	}
}
