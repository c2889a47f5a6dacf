package flow_test

import (
	"context"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"tapdeck/controller/flow"
)

// listener is a call that only listens. Its caller speaks in turns: each is followed by a question whether
// the listening is over.
type listener struct {
	flow.Channel
	turns  []func(*listener)
	log    *zap.Logger
	notes  flow.Notes
	digits flow.Digits
	words  flow.Words
	speech flow.Speech
	watch  flow.SpeechWatch
}

func (*listener) Reached()                 { /* no timeline */ }
func (l *listener) Log() *zap.Logger       { return l.log }
func (l *listener) Notes() *flow.Notes     { return &l.notes }
func (l *listener) Digits() *flow.Digits   { return &l.digits }
func (l *listener) Words() *flow.Words     { return &l.words }
func (l *listener) Media() flow.Media      { return listenerMedia{l: l} }
func (l *listener) press(digit string)     { l.digits.Press(flow.Digit{Digit: digit}) }
func (l *listener) find(s flow.Speech)     { l.speech = s }
func (l *listener) say(texts ...string)    { hear(&l.words, texts...) }
func says(texts ...string) func(*listener) { return func(l *listener) { l.say(texts...) } }

func (l *listener) Wait(_ context.Context, _ time.Duration, done func() bool) error {
	for _, turn := range l.turns {
		if turn(l); done() {
			return nil
		}
	}
	return flow.ErrTimeout
}

type listenerMedia struct {
	flow.Media
	l *listener
}

func (listenerMedia) KeepAlive(context.Context) error { return nil }
func (listenerMedia) Ended() bool                     { return false }
func (m listenerMedia) Speech() flow.Speech           { return m.l.speech }
func (m listenerMedia) WatchSpeech(watch flow.SpeechWatch) {
	m.l.watch, m.l.speech = watch, flow.SpeechNothing
}

// What the caller says ends the listening, or shows that there is input.
func TestListenForWords(t *testing.T) {
	noInput, silence := func(l *listener) { l.find(flow.SpeechNoInput) }, func(l *listener) { l.find(flow.SpeechSilence) }
	pound := func(l *listener) { l.press("#") }
	both := func(l *listener) { l.press("#"); l.say("stop") }
	saidAndSilent := func(l *listener) { l.say("stop"); l.find(flow.SpeechSilence) }
	for name, c := range map[string]struct {
		turns []func(*listener)
		want  string
		asks  time.Duration // for how long nothing has to be said, at the end
	}{
		"a word":                        {[]func(*listener){says("so"), says("please stop")}, flow.ListenSaid, 8 * time.Second},
		"a phrase of two texts":         {[]func(*listener){says("that was all"), says("thank…"), says("thank you…")}, flow.ListenSaid, 8 * time.Second},
		"other words":                   {[]func(*listener){says("hello"), says("stopped")}, flow.ListenTime, 8 * time.Second},
		"a digit":                       {[]func(*listener){says("hello"), pound}, flow.ListenDTMF, 8 * time.Second},
		"a digit and a word":            {[]func(*listener){both}, flow.ListenDTMF, 8 * time.Second},
		"a word and silence":            {[]func(*listener){saidAndSilent}, flow.ListenSaid, 8 * time.Second},
		"no input":                      {[]func(*listener){noInput}, flow.ListenNoInput, 8 * time.Second},
		"words are input":               {[]func(*listener){says("hello…"), noInput, noInput}, flow.ListenTime, 0},
		"words that were none are none": {[]func(*listener){says("hello…", "…"), noInput}, flow.ListenNoInput, 8 * time.Second},
		"silence after words":           {[]func(*listener){says("hello"), noInput, silence}, flow.ListenSilence, 0},
		"a word after no speech":        {[]func(*listener){says("hello"), noInput, says("stop")}, flow.ListenSaid, 0},
	} {
		t.Run(name, func(t *testing.T) {
			core, logs := observer.New(zapcore.InfoLevel)
			l := &listener{turns: c.turns, log: zap.New(core)}
			l.say("stop") // before it listens
			s := &flow.Listen{For: time.Minute, FinishOn: "#", UntilSaid: []string{"stop", "all, thank you"}, NoInput: 8 * time.Second, Silence: time.Second}
			if err := s.Run(t.Context(), l); err != nil || l.notes.ListenEndedBy != c.want || l.watch.NoInput != c.asks {
				t.Errorf("ended by %q, asks for %v without speech: %v", l.notes.ListenEndedBy, l.watch.NoInput, err)
			}
			if lines := logs.FilterMessage("listened").All(); len(lines) != 1 || lines[0].ContextMap()["cause"] != c.want {
				t.Errorf("log: %v", lines)
			}
			if l.say("more"); l.words.Any() {
				t.Error("the listening goes on")
			}
		})
	}
}

// Without until_said no word ends anything.
func TestListenForNoWords(t *testing.T) {
	l := &listener{turns: []func(*listener){says("stop")}, log: zap.NewNop()}
	if err := (&flow.Listen{For: time.Minute}).Run(t.Context(), l); err != nil || l.notes.ListenEndedBy != flow.ListenTime {
		t.Errorf("ended by %q: %v", l.notes.ListenEndedBy, err)
	}
}

func TestNeedsOfListen(t *testing.T) {
	words, digits := &flow.Listen{UntilSaid: []string{"stop"}}, &flow.Listen{FinishOn: "#"}
	if w, d := words.Needs(), digits.Needs(); !w.Words || w.Digits || d.Words || !d.Digits {
		t.Errorf("words %+v, digits %+v", w, d)
	}
}
