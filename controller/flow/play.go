package flow

import (
	"context"
	"path"
	"strings"
	"time"

	"go.uber.org/zap"
)

// Play plays prompts one after the other.
type Play struct {
	// Files are the prompts' names, or FreeSWITCH's file strings.
	Files []string `yaml:"file" as:"file" max:"1024" most:"100" main:"true" needed:"true" example:"greeting.wav"`
	// StopOn are the DTMF digits (of 0-9 A-D * #) any of which ends the step.
	StopOn string `yaml:"stop_on" as:"digits" max:"16" unquoted:"true"`
}

// Name implements Step.
func (*Play) Name() string { return "play" }

// Needs implements Step.
func (s *Play) Needs() Needs {
	n := Needs{Prompts: s.Files, Digits: s.StopOn != ""}
	for _, file := range s.Files {
		if module := PlayerOf(file); module != "" {
			n.Modules = append(n.Modules, Module{module, "plays the prompt"})
		}
	}
	return n
}

// Length implements Step.
func (s *Play) Length() Length { return Length{Prompts: len(s.Files)} }

// Follow implements Step.
func (*Play) Follow(p *Position) error { return p.NeedAnswer() }

// Preview implements Step.
func (s *Play) Preview(p *Preview) {
	ends := ""
	if s.StopOn != "" {
		ends = ", ends earlier on " + anyDigit(s.StopOn)
	}
	for _, file := range s.Files {
		p.AddPrompt("prompt %s (its length is the switch's%s)", file, ends)
	}
}

// Run implements Step.
func (s *Play) Run(ctx context.Context, ch Channel) error {
	ch.Reached()
	for _, file := range s.Files {
		digit, err := s.play(ctx, ch, file)
		if err != nil || digit != "" {
			return err
		}
	}
	return nil
}

// play plays one file and returns the digit that has ended it, if one has.
func (s *Play) play(ctx context.Context, ch Channel, file string) (digit string, err error) {
	begun := time.Now()
	ch.Media().Mark("prompt start")
	played, err := ch.Playback(ctx, Sound{File: file, StopOn: s.StopOn})
	ch.Media().Mark("prompt end")
	if err == nil {
		s.log(ch.Log().With(zap.String("file", file)), time.Since(begun), played)
	}
	return played.Digit, err
}

func (s *Play) log(log *zap.Logger, took time.Duration, played Playback) {
	lasted := zap.Int64("dur_ms", took.Milliseconds())
	switch played.EndedBy {
	case PromptDigit:
		hint := zap.Skip()
		if s.StopOn == "" {
			hint = zap.String("hint", "the dialplan's variable playback_terminators says which keys do so")
		}
		log.Info("prompt cut", lasted, zap.String("digit", played.Digit), hint)
	case PromptEnd:
		log.Info("prompt played", lasted)
	case PromptNotFound:
		log.Warn("prompt not found", zap.String("hint", "FreeSWITCH looks below its sound_prefix; tapdeck doctor shows where"))
	default:
		log.Warn("prompt not played", zap.String("err", played.Response), zap.String("hint", "FreeSWITCH's log says why; is the module of the file's format loaded (mod_sndfile for WAV)?"))
	}
}

// PlayerOf is the module of FreeSWITCH that plays a prompt, as far as its name tells.
func PlayerOf(prompt string) string {
	kind, _, is := strings.Cut(prompt, "://")
	if !is {
		kind = strings.ToLower(path.Ext(prompt))
	}
	switch kind {
	case "tone_stream", "silence_stream":
		return "mod_tone_stream"
	case "local_stream":
		return "mod_local_stream"
	case ".wav", ".aiff", ".aif", ".au", ".snd", ".flac", ".ogg":
		return "mod_sndfile"
	case ".mp3":
		return "mod_shout"
	}
	return ""
}

// anyDigit names digits any of which does something.
func anyDigit(digits string) string {
	return "digit " + strings.Join(strings.Split(digits, ""), " or ")
}
