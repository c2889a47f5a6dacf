package esl

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
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

// maxChannelID is what FreeSWITCH keeps of a channel's id, in bytes.
const maxChannelID = 256

// CheckChannelID says whether a channel's id, which need not be a UUID (F11), may be part of a
// command. Its error names the rule. Quotes, backslashes and ^^ at the beginning are FreeSWITCH's
// own in the arguments of commands (F96).
func CheckChannelID(id string) error {
	rule := ""
	switch {
	case id == "" || len(id) > maxChannelID || !utf8.ValidString(id):
		rule = "must be 1 to 256 bytes of UTF-8"
	case strings.ContainsFunc(id, func(r rune) bool { return r == ' ' || !unicode.IsPrint(r) }):
		rule = "must hold no blank and no control character"
	case strings.ContainsAny(id, `'\`) || strings.HasPrefix(id, "^^"):
		rule = "must hold no ' and no \\, and not begin with ^^, which FreeSWITCH takes for its own in commands"
	default:
		return nil
	}
	return fmt.Errorf("channel id (Unique-ID) %.80q: %s", id, rule)
}
