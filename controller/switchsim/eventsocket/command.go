package eventsocket

import (
	"bufio"
	"errors"
	"io"
	"strconv"
	"strings"

	"tapdeck/controller/switchsim/capture"
)

// Command is one command of a controller: its line, and the header lines and
// body that may follow.
type Command struct {
	Line    string
	Body    string
	headers []capture.Header
}

// Word splits the line into its first word, in lower case, and the rest.
func (c *Command) Word() (word, rest string) {
	word, rest, _ = strings.Cut(c.Line, " ")
	return strings.ToLower(word), strings.TrimSpace(rest)
}

// Label is the command in one line: a sendmsg is "execute APPLICATION DATA" or
// "hangup CAUSE".
func (c *Command) Label() string {
	if word, _ := c.Word(); word != "sendmsg" {
		return c.Line
	}
	what := c.Get("execute-app-name") + c.Get("hangup-cause") + " " + c.Get("execute-app-arg")
	return strings.TrimSpace(c.Get("call-command") + " " + what)
}

// Get returns a header of the command; the case of its name does not matter.
func (c *Command) Get(name string) string {
	for _, h := range c.headers {
		if strings.EqualFold(h.Name, name) {
			return h.Value
		}
	}
	return ""
}

var errCommand = errors.New("command is too long")

const maxCommand = 64 << 10

// ReadCommand reads up to an empty line; lines end in LF or CRLF, and empty
// lines before a command are skipped (F12).
func ReadCommand(r *bufio.Reader) (*Command, error) {
	c := &Command{}
	for size := 0; ; {
		line, err := r.ReadString('\n')
		if err != nil {
			return nil, err
		}
		if size += len(line); size > maxCommand {
			return nil, errCommand
		}
		line = strings.TrimRight(line, "\r\n")
		switch {
		case line == "" && c.Line == "":
			continue
		case line == "":
			return c, c.readBody(r)
		case c.Line == "":
			c.Line = line
		default:
			name, value, _ := strings.Cut(line, ":")
			c.headers = append(c.headers, capture.Header{Name: strings.TrimSpace(name), Value: strings.TrimLeft(value, " ")})
		}
	}
}

func (c *Command) readBody(r *bufio.Reader) error {
	n, err := strconv.Atoi(c.Get("Content-Length"))
	if err != nil || n <= 0 {
		return nil
	}
	if n > maxCommand {
		return errCommand
	}
	body := make([]byte, n)
	_, err = io.ReadFull(r, body)
	c.Body = string(body)
	return err
}

// CommandReply is the usual answer.
func CommandReply(text string) string {
	return "Content-Type: command/reply\nReply-Text: " + text + "\n\n"
}

// APIReply is the answer to api (F14).
func APIReply(body string) string {
	if body == "" {
		body = "-ERR no reply\n"
	}
	return "Content-Type: api/response\nContent-Length: " + strconv.Itoa(len(body)) + "\n\n" + body
}

// JobReply is the answer to bgapi (F15).
func JobReply(job string) string { return CommandReply("+OK Job-UUID: " + job + "\nJob-UUID: " + job) }

// Answers of the event socket that are needed more than once.
const (
	NotFound   = "-ERR command not found"
	NoKeywords = "-ERR no keywords supplied"
	Goodbye    = "Disconnected, goodbye.\nSee you at ClueCon! http://www.cluecon.com/\n"
)
