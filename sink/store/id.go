package store

import (
	"regexp"

	"tapdeck/wav"
)

const uuid = `([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})`

var (
	callID   = regexp.MustCompile(`\A` + uuid + `\z`)
	callFile = regexp.MustCompile(`\A` + uuid + `(-[0-9]+)?\.`) // UUID.EXT or UUID-2.EXT
)

// CheckID says whether a call's ID is a UUID as FreeSWITCH writes it, in lower case, which
// is also what makes it safe in a path. The error is a *wav.FieldError.
func CheckID(id string) error {
	if callID.MatchString(id) {
		return nil
	}
	return &wav.FieldError{Field: "call", Value: id, Rule: "must be a UUID in lower case"}
}

// callOf returns the call that a file's name is for, or "" if the file is somebody else's.
func callOf(file string) string {
	if found := callFile.FindStringSubmatch(file); found != nil {
		return found[1]
	}
	return ""
}
