package esl

import (
	"fmt"
	"strings"

	"github.com/google/uuid"
)

// maxCommand bounds a whole command in bytes. FreeSWITCH cuts a command at
// 10 MiB and reads on as if the rest were the next one (F12).
const maxCommand = 64 << 10

// check says whether the parts of a command, given by a caller, may be sent.
func check(parts ...string) error {
	all := strings.Join(parts, " ")
	switch {
	case strings.ContainsAny(all, "\r\n\x00"), strings.TrimSpace(parts[0]) == "":
		return ErrUnsafe
	case len(all) > maxCommand:
		return fmt.Errorf("%w: %d bytes, at most %d", ErrTooLong, len(all), maxCommand)
	}
	return nil
}

// firstWord is what logs and errors may say of a command.
func firstWord(command string) string { return strings.Fields(command)[0] }

// CheckUUID returns an error unless s is a UUID in its canonical form: 36
// characters, lower case, with hyphens.
func CheckUUID(s string) error {
	u, err := uuid.Parse(s)
	if err != nil || u.String() != s {
		return fmt.Errorf("check UUID: %.40q is not a canonical UUID", s)
	}
	return nil
}
