package doctor

import (
	"strings"
	"testing"
	"time"

	"tapdeck/controller/flow"
)

// What a bot says is played by the simulated switch, and the doctor hears whether it is, by each method.
func TestPlayback(t *testing.T) {
	bot := botAt(botServer(t, accept))
	for name, c := range map[string]struct {
		change func(*setup)
		want   Status
		seen   string
		todo   string
	}{
		"stream":     {func(*setup) {}, Pass, "by the player's method stream", ""},
		"files":      {func(l *setup) { l.loaded.Config.Player.Directory = l.t.TempDir() }, Pass, "by the player's method files", ""},
		"no names":   {func(l *setup) { l.facts.Faults.NoPlay = true }, Fail, "did not play the tone that a bot said, by the player's method stream", "1.0.0 or newer"},
		"no null":    {func(l *setup) { l.facts.Missing = []string{"mod_loopback"} }, Unknown, "can't place a call of the doctor's own", "must reach ports"},
		"not there":  {func(l *setup) { l.options.Hosts = []string{"127.0.0.2:8084"} }, Unknown, "did not reach the doctor's own 127.0.0.2:", "must reach ports"},
		"no stream":  {func(l *setup) { l.facts.Faults.NoAPI = true }, Unknown, "ended with stream_failed", ""},
		"without it": {func(l *setup) { l.options.Call = "" }, "", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := withBot(t, bot)
			l.options.Call = "9999"
			c.change(l)
			tune := l.tune
			l.tune = func(x *examination) {
				tune(x)
				x.timeouts.poll, x.timeouts.unanswered, x.timeouts.originate = time.Millisecond, time.Millisecond, 10*time.Second
			}
			if _, err := l.examine(t.Context()); err != nil {
				t.Fatal(err)
			}
			if c.want != "" && !l.has(amiss{playbackCheck, c.want, c.seen, c.todo}) {
				t.Errorf("no %s with %q and %q in\n%s", c.want, c.seen, c.todo, l.text())
			}
			for _, f := range l.findings {
				if c.want == "" && f.Check == playbackCheck {
					t.Errorf("%+v", f)
				}
			}
		})
	}
}

// Without a plan that has a bot nothing is played.
func TestNoPlaybackWithoutABot(t *testing.T) {
	l, p := placed(t, "+OK x\n", over(`"result":"completed","plan":"quiet"`))
	l.plans(true, map[string][]flow.Step{"quiet": {&flow.Answer{}}})
	l.expect()
	for _, command := range p.asked() {
		if strings.Contains(command, "null/") {
			t.Errorf("it asked %q", command)
		}
	}
}
