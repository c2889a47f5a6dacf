// Package frametest has frames of the event socket for the tests of esl and of the packages
// below it: what a FreeSWITCH sent, and what tests make up. It is for tests alone.
package frametest

import (
	_ "embed"
	"fmt"
)

// Call is every byte that a FreeSWITCH sent in one call.
//
//go:embed call.bin
var Call string

// Event is an event as FreeSWITCH writes it in JSON.
//
//go:embed event.json
var Event string

// OKReply answers any command.
const OKReply = "Content-Type: command/reply\nReply-Text: +OK\n\n"

// CallHeaders are such as a call reads.
var CallHeaders = []string{
	"Unique-ID", "Control", "Socket-Mode", "Answer-State", "Caller-Caller-ID-Number", "Caller-Destination-Number", "variable_socket_path",
	"variable_tapdeck_*", "Application", "Application-UUID", "Application-Response", "DTMF-Digit", "Hangup-Cause",
}

// JSON is a text/event-json frame.
func JSON(body string) string { return event("json", body) }

// Plain is a text/event-plain frame.
func Plain(body string) string { return event("plain", body) }

func event(kind, body string) string {
	return fmt.Sprintf("Content-Length: %d\nContent-Type: text/event-%s\n\n%s", len(body), kind, body)
}
