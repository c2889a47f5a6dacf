package config

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

func parseDuration(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	switch {
	case err != nil:
		return 0, refusedDuration(text)
	case d < 0:
		return 0, violated("a duration can't be negative")
	case d%time.Millisecond != 0:
		return 0, violated("a duration is a whole number of milliseconds")
	}
	return d, nil
}

func refusedDuration(text string) error {
	if n, err := strconv.ParseFloat(text, 64); err == nil && isDecimal(text) {
		switch {
		case n < 0:
			return violated("a duration can't be negative, and needs a unit")
		case n >= 100 && n == float64(int64(n)):
			return violated("a duration needs a unit", fmt.Sprintf("write %sms or %ss", text, text))
		}
		return violated("a duration needs a unit", "write "+text+"s")
	}
	if tight := strings.ToLower(strings.Join(strings.Fields(text), "")); tight != text {
		if _, err := time.ParseDuration(tight); err == nil {
			return violated("a duration is a number and a unit, with no blank and in lower case", "write "+tight)
		}
	}
	return violated("a duration is a number and a unit", "such as 500ms, 15s, 2m or 1h30m")
}

// formatDuration writes d as a person would: 500ms, 15s, 1h30m.
func formatDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
