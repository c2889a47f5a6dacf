package config

import (
	"fmt"
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

// sizeUnits lists the units, binary ones first and the largest first.
func sizeUnits() []sizeUnit {
	return []sizeUnit{
		{"TiB", TiB},
		{"GiB", GiB},
		{"MiB", MiB},
		{"KiB", KiB},
		{"TB", 1e12},
		{"GB", 1e9},
		{"MB", 1e6},
		{"kB", 1e3},
		{"B", 1},
	}
}

// String returns the size in the unit that needs the fewest digits and no fraction.
func (s Size) String() string {
	if s == 0 {
		return "0B"
	}
	best := ""
	for _, u := range sizeUnits() {
		text := fmt.Sprintf("%d%s", int64(s/u.bytes), u.name)
		if s%u.bytes == 0 && (best == "" || len(text) < len(best)) {
			best = text
		}
	}
	return best
}

func parseSize(text string) (Size, *fault) {
	if text == "0" {
		return 0, nil
	}
	digits := text[:len(text)-len(strings.TrimLeft(text, "0123456789"))]
	unit := text[len(digits):]
	n, err := strconv.ParseInt(digits, 10, 64)
	switch {
	case strings.HasPrefix(text, "-"):
		return 0, &fault{rule: "a size can't be negative"}
	case err != nil:
		return 0, &fault{rule: "a size is a whole number and a unit", hint: "such as 1GiB or 500MB"}
	case unit == "":
		return 0, &fault{rule: "a size needs a unit", hint: fmt.Sprintf("such as %sGiB, %sMiB or %sB", digits, digits, digits)}
	}
	for _, u := range sizeUnits() {
		if unit == u.name {
			if n > math.MaxInt64/int64(u.bytes) {
				return 0, &fault{rule: "the size is too large"}
			}
			return Size(n) * u.bytes, nil
		}
	}
	return 0, &fault{
		rule: "a size is a whole number and one of the units B, kB, MB, GB, TB (1000s) or KiB, MiB, GiB, TiB (1024s)",
		hint: sizeHint(digits, unit),
	}
}

func sizeHint(digits, unit string) string {
	for _, u := range sizeUnits() {
		if strings.EqualFold(strings.TrimSpace(unit), u.name) || strings.EqualFold(unit, u.name[:1]) {
			return "write " + digits + u.name
		}
	}
	return "such as 1GiB or 500MB"
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
