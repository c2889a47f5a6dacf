// Package fio is a client of FreeSWITCH's event socket on top of go-eventsocket. All
// that exists because of that library is here, behind [Open] and the methods of [Link];
// a client of our own would be one other package with the same few methods.
//
// The library ends the whole process on input that it does not know, and leaves
// goroutines behind at the end of a connection. So it never sees the switch itself: it
// dials a loopback listener that we open for this one connection, with a one-time secret,
// and gets there only whole frames that it survives, a reply only while a command waits
// for one, and at the very end one disconnect notice that nobody else can make. What is clean
// after that serves another link ([Spares]).
//
//	FreeSWITCH ──▶ outer ──▶ guard ──▶ inner ──▶ library ──▶ pump ──▶ Options.Deliver
//	FreeSWITCH ◀── outer ◀──────────── inner ◀── library ◀─────────── Link.Send
//
// The guard forwards, drops or closes; it never rewrites a value (but for the length of
// a trimmed event). What it drops are frames that the library does not survive, and the
// headers of events and replies that no handler reads (Options.Listed): they cost the library
// several times the time and the memory (.github/decisions/the-guard.md has figures).
//
// Goroutines: Open waits for the one that the library's handshake needs. A Link has three
// (switch to library, library to switch, the pump), and one of the library's, which a spare
// keeps. Close waits for all the others, but for the pump of a library that ended by itself.
package fio
