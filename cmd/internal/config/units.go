package config

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// Size is a number of bytes.
type Size int64

// Units of a Size.
const (
	KiB Size = 1 << 10
	MiB Size = 1 << 20
	GiB Size = 1 << 30
	TiB Size = 1 << 40
)

type sizeUnit struct {
	name  string
	bytes Size
}

// sizeUnits lists the units, the largest first.
func sizeUnits() []sizeUnit {
	return []sizeUnit{
		{"TiB", TiB},
		{"TB", 1e12},
		{"GiB", GiB},
		{"GB", 1e9},
		{"MiB", MiB},
		{"MB", 1e6},
		{"KiB", KiB},
		{"kB", 1e3},
		{"B", 1},
	}
}

// String returns the size in the largest unit that needs no fraction.
func (s Size) String() string {
	for _, u := range sizeUnits() {
		if s != 0 && s%u.bytes == 0 {
			return strconv.FormatInt(int64(s/u.bytes), 10) + u.name
		}
	}
	return "0B"
}

// UnmarshalText reads a whole number and a unit, or 0.
func (s *Size) UnmarshalText(text []byte) error {
	unit := strings.TrimLeft(string(text), "0123456789")
	n, err := strconv.ParseInt(strings.TrimSuffix(string(text), unit), 10, 64)
	for _, u := range sizeUnits() {
		if err == nil && (unit == u.name || string(text) == "0") {
			if n > math.MaxInt64/int64(u.bytes) {
				return violated("the size is too large")
			}
			*s = Size(n) * u.bytes
			return nil
		}
	}
	return violated("a size is a whole number and a unit, of B, kB, MB, GB, TB (1000s) or KiB, MiB, GiB, TiB (1024s)", "such as 1GiB or 500MB")
}

// errNoUnit is of a duration that is a number alone; see field.needsUnit.
var errNoUnit = violated("a duration needs a unit")

func parseDuration(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	_, bare := time.ParseDuration(text + "s")
	switch {
	case strings.HasPrefix(text, "-"):
		return 0, violated("a duration can't be negative", "such as 10s")
	case err != nil && bare == nil && strings.Trim(text, "0123456789.") == "":
		return 0, errNoUnit
	case err != nil:
		return 0, violated("a duration is a number and a unit", "such as 500ms, 15s, 2m or 1h30m")
	case d%time.Millisecond != 0:
		return 0, violated("a duration is a whole number of milliseconds", "such as 10s or 250ms")
	}
	return d, nil
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
