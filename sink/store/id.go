package store

import (
	"strconv"
	"strings"

	"tapdeck/wav"
)

const idLength = 36

// CheckID says whether a call's ID is a UUID as FreeSWITCH writes it, in lower case, which
// is also what makes it safe in a path. The error is a *wav.FieldError.
func CheckID(id string) error {
	ok := len(id) == idLength
	for i := 0; ok && i < len(id); i++ {
		switch i {
		case 8, 13, 18, 23:
			ok = id[i] == '-'
		default:
			ok = strings.IndexByte("0123456789abcdef", id[i]) >= 0
		}
	}
	if ok {
		return nil
	}
	return &wav.FieldError{Field: "call", Value: id, Rule: "must be a UUID in lower case"}
}

// callOf returns the call that a file's name is for, UUID.EXT or UUID-2.EXT, or "" if the
// file is somebody else's.
func callOf(file string) string {
	stem, _, found := strings.Cut(file, ".")
	if !found || len(stem) < idLength || CheckID(stem[:idLength]) != nil {
		return ""
	}
	if number := stem[idLength:]; number != "" {
		if _, err := strconv.ParseUint(number[1:], 10, 64); err != nil || number[0] != '-' {
			return ""
		}
	}
	return stem[:idLength]
}
