package doctor

import (
	"context"
	"net"
	"time"

	"tapdeck/controller/switchsim/bot"
)

// saidLength is how much of the pattern the doctor's bot says.
const saidLength = 2 * time.Second

// startToneBot starts a bot of the pcm wire on loopback that says the pattern and hangs up when that was heard; it
// must be closed.
func startToneBot(ctx context.Context) (*bot.Bot, error) {
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	return bot.Start(bot.Options{Format: bot.PCM, Listener: ln, Behaviour: func(s *bot.Session) bot.Hooks {
		s.Play(patternPCM(saidLength, s.Rate()))
		s.Mark("tone")
		return bot.Hooks{Mark: func(string) { s.Hangup() }}
	}}), nil
}
