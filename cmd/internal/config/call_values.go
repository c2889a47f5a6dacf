package config

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"tapdeck/controller"
)

// rateRule is for the sample rates that mod_audio_stream gives as they are asked for.
func rateRule() rule {
	parse := func(text string) (any, *fault) {
		switch text {
		case "8000":
			return 8000, nil
		case "16000":
			return 16000, nil
		}
		return 0, rateFault(text)
	}
	return rule{bounds: "8000 or 16000 Hz", tags: []string{tagInt}, parse: parse}
}

func rateFault(text string) *fault {
	f := &fault{rule: "must be 8000 or 16000 (Hz)"}
	lower := strings.TrimLeft(strings.ToLower(strings.ReplaceAll(text, " ", "")), "+0")
	switch strings.TrimSuffix(strings.TrimSuffix(lower, "hz"), "k") {
	case "8", "8000", "8.0":
		f.hint = "write 8000"
	case "16", "16000", "16.0":
		f.hint = "write 16000"
	}
	n, err := strconv.Atoi(text)
	switch {
	case f.hint != "":
		f.rule += ", in plain digits"
	case err != nil, n <= 0:
		f.rule += ": with anything else mod_audio_stream refuses the stream, yet leaves its socket open"
	case n%8000 == 0:
		f.rule += ": mod_audio_stream would take it and stretch the call's audio to that rate, with nothing gained"
	default:
		f.rule += ": mod_audio_stream knows only multiples of 8000, and refuses others or takes them for another rate"
	}
	return f
}

// bufferRule is for the audio in one frame, which the module counts in steps of 20 ms.
func bufferRule() rule {
	const step = 20 * time.Millisecond
	r := durationRule(step, time.Second)
	within := r.parse
	r.bounds += " in steps of 20ms"
	r.parse = func(text string) (any, *fault) {
		v, f := within(text)
		if d, _ := v.(time.Duration); f == nil && d%step != 0 {
			down := d / step * step
			f = &fault{
				rule: "must be a multiple of 20ms (mod_audio_stream takes 20ms for what it does not know)",
				hint: fmt.Sprintf("write %s or %s", formatDuration(down), formatDuration(down+step)),
			}
		}
		return v, f
	}
	return r
}

// finishRule is for the DTMF digits that end the listening time.
func finishRule() rule {
	const digits = "0123456789ABCD*#"
	check := func(text string) *fault {
		for i, r := range text {
			switch {
			case strings.ContainsRune("abcd", r):
				return &fault{rule: "DTMF letters are written A, B, C and D", hint: "write " + strings.ToUpper(text)}
			case !strings.ContainsRune(digits, r):
				return &fault{rule: "must be DTMF digits, of 0-9 A-D * #, with nothing between them"}
			case strings.ContainsRune(text[:i], r):
				return &fault{rule: "must name each digit once: any one of them ends the listening, they are no sequence"}
			}
		}
		return nil
	}
	r := textRule("any of 0-9 A-D * #", len(digits), check)
	r.tags = append(r.tags, tagInt)
	return r
}

func failureRule() rule {
	r := wordRule(string(controller.FailureHangup), string(controller.FailureContinue), string(controller.FailureDialplan))
	word := r.parse
	r.parse = func(text string) (any, *fault) {
		v, f := word(text)
		s, _ := v.(string)
		return controller.OnStreamFailure(s), f
	}
	return r
}

// checkPrompt keeps a prompt to a file's name (or one of FreeSWITCH's file
// strings): FreeSWITCH expands ${…} in what playback is given and runs the API
// commands in it, and takes a leading {…} for parameters.
func checkPrompt(text string) *fault {
	switch {
	case strings.Contains(text, "${"):
		return &fault{rule: "must not hold ${: FreeSWITCH would expand it, and run what stands in it", hint: "write the file's name itself"}
	case strings.HasPrefix(text, "{"), strings.HasPrefix(text, "["):
		return &fault{rule: "must not begin with " + text[:1] + ": FreeSWITCH would take it for parameters"}
	}
	return nil
}
