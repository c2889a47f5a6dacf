package controller

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"tapdeck/controller/esl"
	"tapdeck/controller/player"
)

// voice is what a call plays: its player, and the switch as the player has it.
type voice struct {
	c      *call
	player *player.Player // nil until something is played

	// A break runs in a thread of its own (F15) and drops what it finds (F150): what is played after
	// it waits until it is answered.
	held    []given
	job     string           // of the break whose answer is awaited
	overdue <-chan time.Time // when the answer is no longer awaited
	err     error            // why a playback could not be given

	silence   string // Event-UUID of the silence of KeepAlive, if that plays
	noSilence bool   // the switch does not know it
}

// given is a playback that the player has given.
type given struct{ id, file string }

// open returns the player, made for the first sound.
func (v *voice) open() *player.Player {
	if v.player == nil {
		v.player = player.New(v.c.playerConfig(), v, v.c.log, v.c.ctl.metrics.player)
	}
	return v.player
}

// playerConfig is how this call's audio gets to its switch: at the rate of what the channel plays.
func (c *call) playerConfig() player.Config {
	rate, p := 8000, c.ctl.cfg.Player
	if c.rate >= 16000 {
		rate = 16000
	}
	return player.Config{Rate: rate, Method: player.Method(p.Method), Directory: p.Directory, Limit: p.Limit, Lead: p.Lead, Call: c.info.UUID}
}

// playing says that the switch has something of the player to play, and the call its channel.
func (v *voice) playing() bool {
	return v.player != nil && !v.c.transferredAway && v.player.State().Playing
}

// silent says that the player has nothing to play, and nothing that waits for it.
func (v *voice) silent() bool {
	if v.player == nil {
		return true
	}
	s := v.player.State()
	return !s.Playing && s.Queued == 0 && s.Marks == 0
}

// wake and due are when the player has something to do; nil is never.
func (v *voice) wake() <-chan struct{} {
	if v.player == nil {
		return nil
	}
	return v.player.Wake()
}

func (v *voice) due() <-chan time.Time {
	if v.player == nil {
		return nil
	}
	return v.player.Due()
}

// hasChannel says that the channel can be given something to play: it is not hung up, and no other
// application has it.
func (v *voice) hasChannel() bool { return !v.c.hungUp && !v.c.over && !v.c.transferredAway }

// advance has the player do what is due.
func (v *voice) advance() {
	if v.player == nil || !v.hasChannel() {
		return
	}
	v.err = cmp.Or(v.err, v.player.Advance(time.Now()))
}

// Play implements player.Switch.
func (v *voice) Play(file string) (id string, err error) {
	g := given{uuid.NewString(), file}
	if err := v.endSilence(); err != nil {
		return g.id, err
	}
	v.held = append(v.held, g)
	return g.id, v.give()
}

// give gives the playbacks that are held back, unless they still have to be. It drops them once the
// channel is not ours: what a break's answer let go would be heard there.
func (v *voice) give() error {
	if !v.hasChannel() {
		v.held = nil
	}
	for len(v.held) > 0 && v.settled() {
		g := v.held[0]
		v.held = v.held[1:]
		if err := v.c.conn.ExecuteAs(context.Background(), g.id, "playback", g.file); err != nil {
			return v.c.commandEnd("playback", err)
		}
	}
	return nil
}

// Break implements player.Switch. What is held back is part of what is dropped. An application that
// the call waits for must not be.
func (v *voice) Break() error {
	v.held = nil
	if v.c.running != "" {
		return nil
	}
	return v.breakOff()
}

func (v *voice) breakOff() error {
	job, err := v.c.bgapi(context.Background(), "uuid_break "+v.c.channel+" all")
	v.job, v.overdue = job, time.After(v.c.ctl.cfg.CommandTimeout)
	return err
}

// settled says that no break is under way.
func (v *voice) settled() bool { return v.job == "" }

// answered says whether a job is that of the latest break.
func (v *voice) answered(job string) bool {
	if job == "" || job != v.job {
		return false
	}
	v.settle()
	return true
}

// settle goes on behind a break that was answered, or is no longer waited for. The silence has ended, or was
// dropped before it began, which no event tells (F163).
func (v *voice) settle() {
	v.job, v.overdue, v.silence = "", nil, ""
	v.err = cmp.Or(v.err, v.give())
}

// Send implements player.Switch.
func (v *voice) Send(text []byte) error {
	if v.c.rec == nil {
		return player.ErrNoStream
	}
	err := v.c.rec.Send(text)
	if errors.Is(err, ErrNoStream) {
		return player.ErrNoStream
	}
	return err
}

// Live implements player.Switch.
func (v *voice) Live() bool { return v.c.rec != nil && v.c.rec.State().Live }

// connected has what the stream's end has lost sent again.
func (v *voice) connected() {
	if v.player != nil {
		v.player.Connected(time.Now())
		v.advance()
	}
}

// named handles the name that mod_audio_stream has for audio it was sent.
func (v *voice) named(ev *esl.Event) {
	if v.player != nil {
		v.player.Named(ev.Body, time.Now())
		v.advance()
	}
}

// unnamed handles a text that mod_audio_stream was sent and has made no file of.
func (v *voice) unnamed(ev *esl.Event) {
	if v.player != nil {
		v.player.Unnamed(ev.Body)
		v.advance()
	}
}

// completed says whether what has ended is a playback of the player.
func (v *voice) completed(id string, done completion) bool {
	if v.player == nil {
		return false
	}
	played := player.Played{Response: done.response, Digit: done.digit, Heard: done.heard}
	return v.player.Completed(player.Completion{ID: id, Played: played, At: time.Now()})
}

// hush ends what is played, and drops what was to be.
func (v *voice) hush() {
	if v.player != nil {
		v.player.Clear()
		v.advance()
	}
}

// close forgets what has not been played, at the end of the call.
func (v *voice) close() {
	if v.player != nil {
		v.player.Close()
	}
}
