package audiostream

import (
	"fmt"
	"regexp"
	"strings"
)

// Usage is what uuid_audio_stream says of itself.
const Usage = "<uuid> [start | stop | send_text | pause | resume | graceful-shutdown ] [wss-url | path] [mono | mixed | stereo] [8000 | 16000] [metadata]"

// Answers of uuid_audio_stream.
const (
	OK     = "+OK Success\n"
	Failed = "-ERR Operation Failed\n"
)

// Start is what start was given. Rate is 0 if it was no number, which is found out
// only when the WebSocket is being opened already (F37).
type Start struct {
	URL, Mix, Metadata string
	Rate               int
}

// Split splits the arguments of uuid_audio_stream: a channel's id, start or the
// like, and what that needs. ok is false if there are too few.
func Split(arguments string) (argv []string, ok bool) {
	argv = separate(arguments, 6)
	return argv, len(argv) >= 2 && (argv[1] != "start" || len(argv) >= 4)
}

// ParseStart reads the arguments of start. The refusal is the answer if the module
// refuses them, "" being an answer too.
func ParseStart(argv []string) (start Start, refusal string, ok bool) {
	start = Start{URL: argv[2], Mix: argv[3], Rate: 8000}
	if start.Mix != "mono" && start.Mix != "mixed" && start.Mix != "stereo" {
		return start, "", false
	}
	if len(argv) > 4 {
		start.Rate = parseRate(argv[4])
	}
	if len(argv) > 5 {
		start.Metadata = cut(argv[5], 8192)
	}
	if !isURL(start.URL) || start.Rate%8000 != 0 {
		return start, Failed, false
	}
	return start, "", true
}

func parseRate(s string) int {
	switch s {
	case "8k":
		return 8000
	case "16k":
		return 16000
	}
	return Number(s)
}

// isURL reports whether the module takes a URL: no _ and no IPv6 literal is in its host (F36).
func isURL(u string) bool {
	return len(u) < 512 && regexp.MustCompile(`^wss?://[0-9A-Za-z.-]+(:[0-9]*)?(/|$)`).MatchString(u)
}

// Number reads a number as C's atoi does: leading digits, else 0.
func Number(s string) (n int) {
	fmt.Sscanf(s, "%d", &n)
	return n
}

func cut(s string, n int) string {
	if len(s) > n {
		return s[:n]
	}
	return s
}

// separate splits at blanks into at most n parts, as FreeSWITCH does: quotes
// are eaten, a backslash is read once (F60).
func separate(line string, n int) []string {
	var parts []string
	for line = strings.TrimLeft(line, " "); line != ""; line = strings.TrimLeft(line, " ") {
		end := len(line)
		if len(parts) < n-1 {
			end = partEnd(line)
		}
		parts = append(parts, unescape(strings.TrimRight(line[:end], " ")))
		line = line[end:]
	}
	return parts
}

// partEnd finds the blank that ends the first part, outside of single quotes.
func partEnd(line string) int {
	quoted := false
	for i := range len(line) {
		switch line[i] {
		case '\'':
			quoted = !quoted && strings.IndexByte(line[i+1:], '\'') >= 0
		case ' ':
			if !quoted {
				return i
			}
		}
	}
	return len(line)
}

// unescape eats the quotes around a part and one level of backslashes.
func unescape(s string) string {
	if len(s) > 1 && s[0] == '\'' && s[len(s)-1] == '\'' {
		s = s[1 : len(s)-1]
	}
	if !strings.Contains(s, `\`) {
		return s
	}
	return strings.NewReplacer(`\n`, "\n", `\r`, "\r", `\t`, "\t", `\s`, " ", `\"`, `"`, `\'`, "'", `\\`, `\`).Replace(s)
}
