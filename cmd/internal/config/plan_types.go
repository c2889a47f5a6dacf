package config

import (
	"strings"
)

// sampleRate is one that mod_audio_stream gives as it is asked for, in Hz.
type sampleRate int

func (sampleRate) Form() string { return "8000 or 16000 Hz" }

func (r *sampleRate) UnmarshalText(text []byte) error {
	switch string(text) {
	case "8000":
		*r = 8000
	case "16000":
		*r = 16000
	default:
		return refusedRate(string(text))
	}
	return nil
}

func refusedRate(text string) error {
	lower := strings.TrimLeft(strings.ToLower(strings.ReplaceAll(text, " ", "")), "+0")
	switch strings.TrimSuffix(strings.TrimSuffix(lower, "hz"), "k") {
	case "8", "8000", "8.0":
		return violated("must be 8000 or 16000 (Hz), in plain digits", "write 8000")
	case "16", "16000", "16.0":
		return violated("must be 8000 or 16000 (Hz), in plain digits", "write 16000")
	}
	return violated("must be 8000 or 16000 (Hz): mod_audio_stream stretches the call's audio to other multiples of 8000, with nothing gained, and refuses the rest, with the socket left open")
}

// digits are the DTMF digits that end the listening time.
type digits string

func (digits) Form() string { return "any of 0-9 A-D * #" }

func (d *digits) UnmarshalText(text []byte) error {
	*d = digits(text)
	for i, r := range string(text) {
		switch {
		case strings.ContainsRune("abcd", r):
			return violated("DTMF letters are written A, B, C and D", "write "+strings.ToUpper(string(text)))
		case !strings.ContainsRune("0123456789ABCD*#", r):
			return violated("must be DTMF digits, of 0-9 A-D * #, with nothing between them")
		case strings.ContainsRune(string(text[:i]), r):
			return violated("must name each digit once: any one of them ends the listening, they are no sequence")
		}
	}
	return nil
}

// prompt is a file's name (or one of FreeSWITCH's file strings): FreeSWITCH
// expands ${…} in what playback is given and runs the API commands in it, and
// takes a leading {…} for parameters.
type prompt string

func (prompt) Form() string { return "a file or empty" }

func (p *prompt) UnmarshalText(text []byte) error {
	*p = prompt(text)
	switch s := string(text); {
	case strings.Contains(s, "${"):
		return violated("must not hold ${: FreeSWITCH would expand it, and run what stands in it", "write the file's name itself")
	case strings.HasPrefix(s, "{"), strings.HasPrefix(s, "["):
		return violated("must not begin with " + s[:1] + ": FreeSWITCH would take it for parameters")
	}
	return nil
}
