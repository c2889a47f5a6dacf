package store

import (
	"crypto/sha256"
	"encoding/hex"
	"path/filepath"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"tapdeck/wav"
)

const uuid = `([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})`

var (
	callID    = regexp.MustCompile(`\A` + uuid + `\z`)
	anyCaseID = regexp.MustCompile(`(?i)\A` + uuid + `\z`)
	callFile  = regexp.MustCompile(`\A` + uuid + `(-[0-9]+)?\.(wav|json|vtt)(\.part|\.new)?\z`) // UUID.wav, UUID-2.json.part
	fileName  = regexp.MustCompile(`\A[a-z0-9_][a-z0-9_.-]*\z`)
	numbered  = regexp.MustCompile(`-[0-9]+\z`)
)

const (
	maxID = 256 // bytes, as FreeSWITCH has it
	// maxName is what a call's name in the directory may have in bytes: with -1000.json.part
	// less than any file system permits (eCryptfs: 143).
	maxName = 128
)

// CheckID says whether a call may have this ID: up to 256 bytes of text without blanks and
// control characters, and a UUID in lower case if it is one. The error is a *wav.FieldError.
func CheckID(id string) error {
	rule := ""
	switch {
	case id == "" || len(id) > maxID || !utf8.ValidString(id):
		rule = "must be 1 to 256 bytes of UTF-8"
	case strings.ContainsFunc(id, func(r rune) bool { return r == ' ' || !unicode.IsPrint(r) }):
		rule = "must hold no blank and no control character"
	case anyCaseID.MatchString(id) && !IsUUID(id):
		rule = "must be in lower case, as it is a UUID"
	default:
		return nil
	}
	return &wav.FieldError{Field: "call", Value: id, Rule: rule}
}

// Name returns the name that the files of a call begin with, which is also its place in a
// URL. A UUID is its own name. In others each byte that is no small letter of ASCII, digit, dot
// or minus is an underscore with two hexadecimal digits, so that no name depends on the case of
// its letters. So is what would hide a file or look like an option at the beginning, and the
// minus of a number at the end: UUID-2 is a call's second recording. A name beyond 128 bytes is
// cut and ends in two underscores with a hash; its call is in the record alone.
func Name(id string) string {
	if IsUUID(id) {
		return id
	}
	number := numbered.FindStringIndex(id)
	var b strings.Builder
	for i := range len(id) {
		c := id[i]
		plain := 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || i > 0 && (c == '.' || c == '-')
		if plain && (number == nil || i != number[0]) {
			b.WriteByte(c)
		} else {
			b.WriteString("_" + hex.EncodeToString([]byte{c}))
		}
	}
	if b.Len() <= maxName {
		return b.String()
	}
	hash := sha256.Sum256([]byte(id))
	end := "__" + hex.EncodeToString(hash[:16])
	return b.String()[:maxName-len(end)] + end
}

// IsUUID says whether a call's ID is a UUID in lower case.
func IsUUID(id string) bool { return callID.MatchString(id) }

// IsName says whether Name could have made this.
func IsName(name string) bool { return len(name) <= maxName && fileName.MatchString(name) }

// callOf returns the call that a file's name is for by itself, as that of a UUID is, or "".
func callOf(file string) string {
	if found := callFile.FindStringSubmatch(file); found != nil {
		return found[1]
	}
	return ""
}

// stemOf returns the Name of the call whose recording or record, first or later, has a name.
func stemOf(name string) string {
	base := filepath.Base(name)
	if found := callFile.FindStringSubmatch(base + wavExt); found != nil {
		return found[1]
	}
	return numbered.ReplaceAllString(base, "")
}

// owner returns the call that a file is for, or "" if it is somebody else's: its name says so,
// or, if the call's ID is no UUID, a record beside it.
func (s *Store) owner(file string) string {
	if id := callOf(filepath.Base(file)); id != "" {
		return id
	}
	for _, ext := range []string{wavExt + partExt, jsonExt + partExt, jsonExt + newExt, vttExt + newExt} {
		name, ok := strings.CutSuffix(file, ext)
		if !ok {
			continue
		}
		for _, path := range []string{s.sidecar(name), s.path(name) + jsonExt} {
			if record, known := readRecord(path); known && Name(record.Call) == stemOf(name) {
				return record.Call
			}
		}
	}
	return ""
}
