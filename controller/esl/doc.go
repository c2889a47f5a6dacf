// Package esl owns the event socket: the listener that FreeSWITCH's socket
// action connects to, the guard that reads every byte of the switch before the
// ESL library does, and the connection that a call's handler works with.
//
// The library (github.com/fiorix/go-eventsocket) ends the whole process on
// input it does not know, and leaves goroutines behind at the end of a
// connection. So it never sees the switch itself: it dials a loopback listener
// of this package with a one-time secret, and gets there only whole frames that
// it survives, a reply only while a command waits for one, and at the very end
// one disconnect notice that nobody else can make.
//
//	FreeSWITCH ──▶ outer ──▶ guard ──▶ inner ──▶ library ──▶ pump ──▶ Conn.Events
//	FreeSWITCH ◀── outer ◀──────────── inner ◀── library ◀────────── Conn.Command
//
// The guard forwards, drops or closes; it never rewrites a value (but for the length of
// what it leaves of a frame). What it drops are frames and header lines that the library
// refuses, and the headers of events and replies that no handler reads (Config.Headers):
// the library would take three times as long for an event, and nine times the memory.
//
// Goroutines: Server.Serve runs in its caller's and starts one that accepts the
// library's loopback connections, a short one for each of their handshakes, and one
// for each connection, in which the handler runs. A connection has three more of ours (switch to library, library to switch, the pump) and one of the
// library. Serve returns when all of them have ended.
//
// The package never logs or returns a password, a secret or a command's
// arguments, never starts a process, and never touches a file.
package esl
