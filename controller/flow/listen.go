package flow

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"go.uber.org/zap"
)

// Listen goes on for a time while the caller speaks.
type Listen struct {
	// For is the longest time.
	For time.Duration `yaml:"for" range:"0s..24h" main:"true" needed:"true" example:"15s"`
	// FinishOn are the DTMF digits (of 0-9 A-D * #) any of which ends it.
	FinishOn string `yaml:"finish_on" as:"digits" max:"16" unquoted:"true"`
	// UntilSaid are words and phrases any of which ends it, once the caller has said it.
	UntilSaid []string `yaml:"until_said" as:"phrase" form:"words or phrases" max:"128" most:"50" unquoted:"true"`
	// Silence ends it once the caller has spoken and has then been quiet for so long; zero never does.
	Silence time.Duration `yaml:"silence" range:"0s|100ms..1h" below:"for"`
	// SilenceLevel is above which the caller's audio counts as speech.
	SilenceLevel Level `yaml:"silence_level" form:"auto or -90 to -10 dBFS"`
	// NoInput ends it if the caller has said nothing, and pressed nothing, for so long; zero never does.
	NoInput time.Duration `yaml:"no_input" range:"0s|100ms..1h" below:"for"`
}

// Name implements Step.
func (*Listen) Name() string { return "listen" }

// Needs implements Step.
func (s *Listen) Needs() Needs {
	return Needs{Digits: s.FinishOn != "", Words: len(s.UntilSaid) > 0}
}

// Length implements Step.
func (s *Listen) Length() Length { return Length{Known: s.For} }

// Follow implements Step.
func (s *Listen) Follow(p *Position) error {
	switch {
	case !p.Answered:
		return p.NeedAnswer()
	case len(s.UntilSaid) > 0:
		return p.NeedStream("until_said")
	case s.Silence > 0:
		return p.NeedStream("silence")
	case s.NoInput > 0:
		return p.NeedStream("no_input")
	}
	return nil
}

// Preview implements Step.
func (s *Listen) Preview(p *Preview) {
	if s.For == 0 {
		return
	}
	ends := ""
	if s.FinishOn != "" {
		ends = anyDigit(s.FinishOn) + ", "
	}
	if len(s.UntilSaid) > 0 {
		ends += "the caller says " + anyWord(s.UntilSaid) + ", "
	}
	if s.Silence > 0 {
		ends += Seconds(s.Silence) + " s of silence after speech, "
	}
	if s.NoInput > 0 {
		ends += Seconds(s.NoInput) + " s without speech, "
	}
	p.Add(s.For, "listen %s s (ends earlier on %shangup)", Seconds(s.For), ends)
}

// Run implements Step.
func (s *Listen) Run(ctx context.Context, ch Channel) error {
	begun := time.Now()
	ch.Reached()
	s.begin(ch)
	defer ch.Digits().End()
	defer ch.Words().End()
	if err := ch.Media().KeepAlive(ctx); err != nil {
		return err
	}
	s.watch(ch, s.NoInput)
	by := ""
	err := ch.Wait(ctx, s.For, func() bool {
		by = s.end(ch)
		return by != ""
	})
	switch {
	case errors.Is(err, ErrTimeout):
		by, err = ListenTime, nil
	case errors.Is(err, ErrHungUp):
		by = ListenHangup
	case err != nil && ch.Media().Failed():
		by = ListenStream
	}
	ch.Notes().ListenEndedBy = by
	if by != "" {
		ch.Log().Info("listened", zap.String("cause", by), zap.Int64("dur_ms", time.Since(begun).Milliseconds()))
	}
	return err
}

// begin begins the time for words and digits, and says, once, that a digit has come too early.
func (s *Listen) begin(ch Channel) {
	ch.Words().Begin()
	early := ch.Digits().Begin(s.FinishOn)
	if len(early) == 0 {
		return
	}
	ch.Log().Info("digit before listening", zap.String("digit", early[0].Digit), zap.String("step", early[0].Step),
		zap.String("hint", "finish_on counts only while the call listens: this digit ends nothing (typeahead: true in the plan counts it)"))
}

// watch asks for what ends the step by the caller's speech, if only for nothing any more.
func (s *Listen) watch(ch Channel, noInput time.Duration) {
	ch.Media().WatchSpeech(SpeechWatch{Silence: s.Silence, NoInput: noInput, Level: s.SilenceLevel.dbfs()})
}

// end is why listening may stop now, or "" to go on.
func (s *Listen) end(ch Channel) string {
	digits, words, media := ch.Digits(), ch.Words(), ch.Media()
	speech := media.Speech()
	if speech == SpeechNoInput && (digits.Count() > 0 || words.Any()) { // a key is input, too, as are words; speech may still come
		s.watch(ch, 0)
		speech = SpeechNothing
	}
	_, said := words.Find(s.UntilSaid)
	switch {
	case digits.Find(s.FinishOn):
		return ListenDTMF
	case said:
		return ListenSaid
	case speech == SpeechSilence:
		return ListenSilence
	case speech == SpeechNoInput:
		return ListenNoInput
	case media.Ended():
		return ListenStream
	}
	return ""
}

// anyWord names words any of which does something.
func anyWord(words []string) string {
	quoted := make([]string, len(words))
	for i, word := range words {
		quoted[i] = strconv.Quote(word)
	}
	return strings.Join(quoted, " or ")
}

// Level is above which audio counts as speech.
type Level struct {
	// DBFS is in dB of full scale; zero is DefaultLevel.
	DBFS int
	// Auto follows the noise floor of the call instead.
	Auto bool
}

// DefaultLevel is in dBFS.
const DefaultLevel = -40

const levelAuto = "auto"

// String returns the level as a plan has it.
func (l Level) String() string {
	if l.Auto {
		return levelAuto
	}
	return strconv.Itoa(cmp.Or(l.DBFS, DefaultLevel))
}

// dbfs is the level as a SpeechWatch has it.
func (l Level) dbfs() float64 {
	if l.Auto {
		return 0
	}
	return float64(cmp.Or(l.DBFS, DefaultLevel))
}

// UnmarshalText reads a level of a plan.
func (l *Level) UnmarshalText(text []byte) error {
	if string(text) == levelAuto {
		*l = Level{Auto: true}
		return nil
	}
	const least, most = -90, -10
	n, err := strconv.Atoi(string(text))
	if err != nil || n < least || n > most || strconv.Itoa(n) != string(text) {
		return fmt.Errorf("must be auto or %d to %d: a level in dB of full scale, %d by default", least, most, DefaultLevel)
	}
	*l = Level{DBFS: n}
	return nil
}
