package controller

import (
	"errors"
	"slices"
	"time"

	"go.uber.org/zap"

	"tapdeck/controller/flow"
	"tapdeck/controller/player"
)

// noteUtterances notes what the caller has heard of the bot.
func (t *talk) noteUtterances() {
	for _, u := range t.c.voice.player.Utterances() {
		if len(t.notes.Utterances) < maxUtterances {
			t.notes.Utterances = append(t.notes.Utterances, Utterance{From: u.Began, To: u.Ended, Cleared: u.Cleared})
		} else {
			t.notes.UtterancesDropped++
		}
		t.noteResponse(u)
		if by := t.cutBy(u); by != "" {
			t.notes.BargeIns++
			t.c.ctl.metrics.bargeIns.Inc()
			t.c.log.Info("barge-in", zap.String("by", by), zap.Int64("heard_ms", u.Heard.Milliseconds()), ratelog(t.c.info.UUID))
		}
	}
}

// cutBy is who has cut an utterance short: "caller" or "bot"; "" if it was heard to its end, or if the
// end of the conversation has.
func (t *talk) cutBy(u player.Utterance) string {
	switch {
	case !u.Cleared:
	case !t.callerCut.Before(u.Began):
		return "caller"
	case !t.mouth.clearedAt().Before(u.Began):
		return "bot"
	}
	return ""
}

// noteResponse measures the time from the end of the caller's speech until the bot was heard: the
// first time after it. Speech that ended while the bot was being heard has no response.
func (t *talk) noteResponse(u player.Utterance) {
	t.turns = slices.DeleteFunc(t.turns, func(turn time.Time) bool { return turn.Before(t.heard) })
	t.heard = u.Ended
	heard := u.Began
	later := slices.IndexFunc(t.turns, func(turn time.Time) bool { return turn.After(heard) })
	if later < 0 {
		later = len(t.turns)
	}
	if later > 0 {
		took := heard.Sub(t.turns[later-1])
		t.turns = t.turns[later:]
		if len(t.notes.Responses) < maxUtterances {
			t.notes.Responses = append(t.notes.Responses, took)
		}
		t.c.ctl.metrics.response.Observe(took.Seconds())
	}
}

// noteEnd notes what has ended the conversation.
func (t *talk) noteEnd(err error) {
	c := t.c
	switch {
	case t.end != "": // its rest was being heard
	case errors.Is(err, flow.ErrTimeout):
		t.end = flow.TalkTime
	case c.transferredAway:
		t.end = flow.TalkTransfer
	case c.stream.phase == streamFailed:
		t.end = flow.TalkStream
	case c.toldToHangUp:
		t.end = flow.TalkBotHangup
	default:
		t.end = flow.TalkHangup
	}
	t.notes.EndedBy = string(t.end)
}

// sync notes what the session and the player have counted. Those of earlier conversations stay.
func (t *talk) sync() {
	s, p := t.session.State(), t.c.voice.player.State()
	n := t.notes
	n.Connects, n.Reconnects, n.Dropped = t.before.Connects+s.Connects, t.before.Reconnects+s.Reconnects, t.before.Dropped+s.Dropped
	n.Refused, n.Lost = p.Refused, p.Lost // of the player, which is the call's
	n.WrongMessages = t.before.WrongMessages + s.WrongMessages()
	if n.ConnectedAt.IsZero() {
		n.ConnectedAt = s.FirstConnected
	}
	if n.FirstAudioAt.IsZero() {
		n.FirstAudioAt = s.FirstAudio
	}
}
