package switchsim

import (
	"bufio"
	"errors"
	"io"
	"strconv"
	"strings"
)

// command is one command of a controller: its line, and the header lines and
// body that may follow.
type command struct {
	line    string
	headers []header
	body    string
}

// word splits the line into its first word, in lower case, and the rest.
func (c *command) word() (word, rest string) {
	word, rest, _ = strings.Cut(c.line, " ")
	return strings.ToLower(word), strings.TrimSpace(rest)
}

// label is the command in one line, as Report.Commands shows it.
func (c *command) label() string {
	if word, _ := c.word(); word != "sendmsg" {
		return c.line
	}
	what := c.get("execute-app-name") + c.get("hangup-cause") + " " + c.get("execute-app-arg")
	return strings.TrimSpace(c.get("call-command") + " " + what)
}

func (c *command) get(name string) string {
	for _, h := range c.headers {
		if strings.EqualFold(h.name, name) {
			return h.value
		}
	}
	return ""
}

var errCommand = errors.New("command is too long")

const maxCommand = 64 << 10

// readCommand reads up to an empty line; lines end in LF or CRLF, and empty
// lines before a command are skipped.
func readCommand(r *bufio.Reader) (*command, error) {
	c := &command{}
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
		case line == "" && c.line == "":
			continue
		case line == "":
			return c, c.readBody(r)
		case c.line == "":
			c.line = line
		default:
			name, value, _ := strings.Cut(line, ":")
			c.headers = append(c.headers, header{strings.TrimSpace(name), strings.TrimSpace(value)})
		}
	}
}

func (c *command) readBody(r *bufio.Reader) error {
	n, err := strconv.Atoi(c.get("Content-Length"))
	if err != nil || n <= 0 {
		return nil
	}
	if n > maxCommand {
		return errCommand
	}
	body := make([]byte, n)
	_, err = io.ReadFull(r, body)
	c.body = string(body)
	return err
}

// commandReply is the usual answer.
func commandReply(text string) string {
	return "Content-Type: command/reply\nReply-Text: " + text + "\n\n"
}

// apiReply is the answer to api.
func apiReply(body string) string {
	if body == "" {
		body = "-ERR no reply\n"
	}
	return "Content-Type: api/response\nContent-Length: " + strconv.Itoa(len(body)) + "\n\n" + body
}

// Answers of the event socket that are needed more than once.
const (
	replyNotFound = "-ERR command not found"
	replyKeywords = "-ERR no keywords supplied"
	noticeGoodbye = "Disconnected, goodbye.\nSee you at ClueCon! http://www.cluecon.com/\n"
)

// disconnectNotice is the notice before the end of a socket that controls a
// channel.
func disconnectNotice(uuid string) string {
	return "Content-Type: text/disconnect-notice\nControlled-Session-UUID: " + uuid +
		"\nContent-Disposition: disconnect\nContent-Length: " + strconv.Itoa(len(noticeGoodbye)) + "\n\n" + noticeGoodbye
}

// lingerNotice says that the channel is gone but the socket stays.
func lingerNotice(uuid, channel string, seconds int) string {
	return "Content-Type: text/disconnect-notice\nControlled-Session-UUID: " + uuid +
		"\nContent-Disposition: linger\nChannel-Name: " + channel +
		"\nLinger-Time: " + strconv.Itoa(seconds) + "\nContent-Length: 0\n\n"
}
