package flow

import (
	"context"
	"errors"
	"strings"
)

// Transfer gives the call to another extension of the dialplan. Its stream is stopped first.
type Transfer struct {
	// Number is the extension's.
	Number TransferWord `yaml:"number" form:"an extension's number" max:"200" main:"true" needed:"true" unquoted:"true" example:"5000"`
	// Dialplan and Context are where FreeSWITCH looks for it; empty is the call's own.
	Dialplan TransferWord `yaml:"dialplan" form:"a dialplan, such as XML" max:"100"`
	Context  TransferWord `yaml:"context" form:"a context of the dialplan" max:"100" unquoted:"true"`
}

// Name implements Step.
func (*Transfer) Name() string { return "transfer" }

// Needs implements Step.
func (*Transfer) Needs() Needs { return Needs{} }

// Length implements Step.
func (*Transfer) Length() Length { return Length{} }

// Follow implements Step.
func (s *Transfer) Follow(p *Position) error {
	p.Over = s.Name()
	return nil
}

// Preview implements Step.
func (s *Transfer) Preview(p *Preview) { p.Add(0, "transfer to %s", s.to()) }

// to is what uuid_transfer is given after the id. A context can't stand without a dialplan.
func (s *Transfer) to() string {
	words := []string{string(s.Number), string(s.Dialplan), string(s.Context)}
	if s.Context != "" && s.Dialplan == "" {
		words[1] = "XML"
	}
	return strings.TrimRight(strings.Join(words, " "), " ")
}

// Run implements Step.
func (s *Transfer) Run(ctx context.Context, ch Channel) error {
	if err := ch.Media().Stop(ctx); err != nil {
		return err
	}
	ch.Reached()
	return ch.Transfer(ctx, s.to())
}

// TransferWord is one argument of uuid_transfer.
type TransferWord string

// UnmarshalText reads a word of a plan: the switch splits its arguments at blanks, with quotes
// and backslashes, and takes one that begins with - for an option (F96).
func (w *TransferWord) UnmarshalText(text []byte) error {
	switch word := string(text); {
	case strings.ContainsAny(word, " '\\\"`"), strings.Contains(word, "${"):
		return errors.New("must be one word without blanks, quotes, backslashes and ${: dialplan and context are values of their own")
	case strings.HasPrefix(word, "-"), strings.HasPrefix(word, "^^"):
		return errors.New("must not begin with - or ^^, which FreeSWITCH takes for an option")
	}
	*w = TransferWord(text)
	return nil
}
