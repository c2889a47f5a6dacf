package recogniser

import (
	"fmt"
	"net/url"
	"strconv"
	"time"
)

// parameters are what a client of deepgram asks for.
type parameters struct {
	rate, channels                   int
	multichannel, interim, vadEvents bool
	silence                          time.Duration // that ends an utterance; 0 if none does
	utteranceEnd                     time.Duration // after which UtteranceEnd comes; 0 is never
	model                            string
}

// parseParameters reads a query. silence is that of the server.
func parseParameters(q url.Values, silence time.Duration) (p parameters, err error) {
	if e := q.Get("encoding"); e != "linear16" {
		return p, fmt.Errorf("encoding %q: only linear16 is simulated", e)
	}
	if p.rate, err = number(q, "sample_rate", 0, 8000, 48000); err != nil {
		return p, err
	}
	if p.channels, err = number(q, "channels", 1, 1, 20); err != nil {
		return p, err
	}
	for name, value := range map[string]*bool{"multichannel": &p.multichannel, "interim_results": &p.interim, "vad_events": &p.vadEvents} {
		if *value, err = truth(q, name); err != nil {
			return p, err
		}
	}
	p.silence, p.model = silence, q.Get("model")
	if e := q.Get("endpointing"); e == "false" {
		p.silence = 0
	} else if e != "" && e != "true" {
		ms, err := number(q, "endpointing", 0, 1, 60_000)
		if err != nil {
			return p, err
		}
		p.silence = time.Duration(ms) * time.Millisecond
	}
	if q.Has("utterance_end_ms") {
		ms, err := number(q, "utterance_end_ms", 0, 1000, 60_000)
		p.utteranceEnd = time.Duration(ms) * time.Millisecond
		return p, err
	}
	return p, nil
}

// number reads a number in bounds; missing is what stands for none.
func number(q url.Values, name string, missing, least, most int) (int, error) {
	n := missing
	if v := q.Get(name); v != "" {
		var err error
		if n, err = strconv.Atoi(v); err != nil {
			return 0, fmt.Errorf("%s %q: no number", name, v)
		}
	}
	if n < least || n > most {
		return 0, fmt.Errorf("%s %d: not in %d to %d", name, n, least, most)
	}
	return n, nil
}

func truth(q url.Values, name string) (bool, error) {
	switch v := q.Get(name); v {
	case "true":
		return true, nil
	case "false", "":
		return false, nil
	default:
		return false, fmt.Errorf("%s %q: neither true nor false", name, v)
	}
}
