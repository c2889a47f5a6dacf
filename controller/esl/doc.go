// Package esl owns the event socket: the listener that FreeSWITCH's socket action
// connects to, who is admitted there, and the connection that a call's handler works with.
//
// It reads the switch's frames within bounds (internal/frame), and leaves the protocol
// to a client library behind a guard (internal/fio), which alone imports that library.
// Events and replies are trimmed to the headers that Config.Headers lists.
//
// Goroutines: Server.Serve runs in its caller's and starts one for each connection, in
// which the handler runs, and one for each that is only kept open or turned away; those of
// internal/fio come on top. Serve returns when all of them have ended. Close does so for a
// dialled connection.
//
// No connection of a call is ended in a way that leaves the call with nobody in control
// (release.go): the switch is told to go on with its dialplan, whoever ends the connection and
// why, and however early. A call that something else has taken over is left alone.
//
// The package never logs or returns a password, a secret or a command's arguments,
// never starts a process, and never touches a file.
//
// F and a number, as in F12, here and in internal, is a fact of the switch in
// controller/switchsim/FACTS.md.
package esl
