package esl

import (
	"fmt"
	"strings"

	"github.com/google/uuid"
)

// maxCommand bounds a whole command in bytes. FreeSWITCH cuts a command at
// 10 MiB and reads on as if the rest were the next one.
const maxCommand = 64 << 10

// check says whether the parts of a command, given by a caller, may be sent.
func check(parts ...string) error {
	size := 0
	for _, p := range parts {
		if strings.ContainsAny(p, "\r\n\x00") {
			return ErrUnsafe
		}
		size += len(p)
	}
	if strings.TrimSpace(parts[0]) == "" {
		return ErrUnsafe
	}
	if size > maxCommand {
		return fmt.Errorf("%w: %d bytes, at most %d", ErrTooLong, size, maxCommand)
	}
	return nil
}

// commandName is what logs and errors may say of a command: its first word,
// for an API command the second, too.
func commandName(line string) string {
	words := strings.Fields(line)
	n := 1
	if len(words) > 1 && (words[0] == "api" || words[0] == "bgapi") {
		n = 2
	}
	return strings.Join(words[:min(n, len(words))], " ")
}

// CheckUUID returns an error unless s is a UUID in its canonical form: 36
// characters, lower case, with hyphens.
func CheckUUID(s string) error {
	u, err := uuid.Parse(s)
	if err != nil || u.String() != s {
		return fmt.Errorf("check UUID: %.40q is not a canonical UUID", s)
	}
	return nil
}
