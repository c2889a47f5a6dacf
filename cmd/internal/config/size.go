package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
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

// Form says how a size is written.
func (Size) Form() string { return "a size" }

// UnmarshalText reads a whole number and a unit, or 0.
func (s *Size) UnmarshalText(text []byte) error {
	if string(text) == "0" {
		*s = 0
		return nil
	}
	unit := strings.TrimLeft(string(text), "0123456789")
	digits := strings.TrimSuffix(string(text), unit)
	n, err := strconv.ParseInt(digits, 10, 64)
	switch {
	case strings.HasPrefix(unit, "-"):
		return violated("a size can't be negative")
	case err != nil:
		return violated("a size is a whole number and a unit", "such as 1GiB or 500MB")
	case unit == "":
		return violated("a size needs a unit", fmt.Sprintf("such as %sGiB, %sMiB or %sB", digits, digits, digits))
	}
	for _, u := range sizeUnits() {
		if unit == u.name && n > math.MaxInt64/int64(u.bytes) {
			return violated("the size is too large")
		}
		if unit == u.name {
			*s = Size(n) * u.bytes
			return nil
		}
	}
	return violated("a size is a whole number and one of the units B, kB, MB, GB, TB (1000s) or KiB, MiB, GiB, TiB (1024s)", sizeHint(digits, unit))
}

func sizeHint(digits, unit string) string {
	for _, u := range sizeUnits() {
		if strings.EqualFold(strings.TrimSpace(unit), u.name) || strings.EqualFold(unit, u.name[:1]) {
			return "write " + digits + u.name
		}
	}
	return "such as 1GiB or 500MB"
}
