package doctor

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"

	"tapdeck/cmd/internal/apptest"
)

// peer plays an inbound event socket byte for byte. answer gives the reply to a
// command ("auth …", "event …", "api …"); silence keeps it waiting, hangUp closes.
type peer struct {
	t      *testing.T
	greet  string
	answer func(command string) string

	mu       sync.Mutex
	commands []string
}

// asked are the API commands so far, without their "api ".
func (p *peer) asked() (list []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.commands {
		if api, is := strings.CutPrefix(c, "api "); is {
			list = append(list, api)
		}
	}
	return list
}

func (p *peer) say(command string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.commands = append(p.commands, command)
	return p.answer(command)
}

// Replies of a peer that are none.
const (
	silence = "\x00silence"
	hangUp  = "\x00goodbye"
)

const (
	authRequest = "Content-Type: auth/request\n\n"
	accepted    = "Content-Type: command/reply\nReply-Text: +OK accepted\n\n"
	rejection   = "Content-Type: text/rude-rejection\nContent-Length: 24\n\nAccess Denied, go away.\n"
)

// serve serves one connection until the end of the test and returns its address.
func (p *peer) serve() string {
	p.t.Helper()
	ln := apptest.ListenAnywhere(p.t)
	done := make(chan struct{})
	go func() {
		defer close(done)
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		p.talk(conn)
	}()
	p.t.Cleanup(func() {
		_ = ln.Close()
		<-done
	})
	return ln.Addr().String()
}

// talk ends with the connection: the doctor always closes its own.
func (p *peer) talk(conn net.Conn) {
	greet := p.greet
	if greet == "" {
		greet = authRequest
	}
	if _, err := conn.Write([]byte(greet)); err != nil || greet == rejection {
		return
	}
	r := bufio.NewReader(conn)
	quiet := false
	for {
		command, err := readBlock(r)
		if err != nil {
			return
		}
		reply := silence
		if !quiet {
			reply = p.reply(command)
		}
		switch reply {
		case silence:
			quiet = true
		case hangUp:
			return
		default:
			if _, err := conn.Write([]byte(reply)); err != nil {
				return
			}
		}
	}
}

func readBlock(r *bufio.Reader) (string, error) {
	var b strings.Builder
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return "", err
		}
		if line = strings.TrimRight(line, "\r\n"); line == "" {
			return strings.TrimSpace(b.String()), nil
		}
		b.WriteString(line + "\n")
	}
}

// reply is what the peer's answer looks like on the wire.
func (p *peer) reply(command string) string {
	line, rest, _ := strings.Cut(command, "\n")
	api, is := strings.CutPrefix(line, "bgapi ")
	if !is {
		text := p.say(line)
		switch {
		case text == silence, text == hangUp, strings.Contains(text, "\n\n"):
			return text
		}
		return "Content-Type: command/reply\nReply-Text: " + text + "\n\n"
	}
	job := strings.TrimPrefix(rest, "Job-UUID: ")
	text := p.say("api " + api)
	if text == silence || text == hangUp {
		return text
	}
	event, err := json.Marshal(map[string]string{"Event-Name": "BACKGROUND_JOB", "Job-UUID": job, "_body": text})
	if err != nil {
		p.t.Error(err)
	}
	return fmt.Sprintf("Content-Type: command/reply\nReply-Text: +OK Job-UUID: %s\nJob-UUID: %[1]s\n\nContent-Length: %d\nContent-Type: text/event-json\n\n%s", job, len(event), event)
}

// healthy is what a switch answers if all is there; its dialplan is the setup's.
func healthyAnswers(t *testing.T) func(command string) string {
	t.Helper()
	name := machineName(t)
	return func(command string) string {
		api, _ := strings.CutPrefix(command, "api ")
		switch word, _, _ := strings.Cut(api, " "); word {
		case "auth":
			return "+OK accepted"
		case "event":
			return "+OK event listener enabled json"
		case "module_exists", "file_exists":
			return "true"
		case "version":
			return "1.10.12-release\n"
		case "show":
			return `{"row_count":1,"rows":[{"name":"uuid_audio_stream"}]}`
		case "global_getvar":
			return "/sounds"
		case "xml_locate":
			return `<section name="dialplan"><context name="default"><extension name="tapdeck"><condition field="destination_number" expression="^9999$">` +
				`<action application="socket" data="127.0.0.1:8084 async full"></action></condition></extension></context></section>`
		case "hostname":
			return name
		case "strepoch":
			return fmt.Sprint(now())
		case "fsctl":
			return "+OK limit: 2000\n"
		}
		return "-ERR " + api + " Command not found!\n"
	}
}
