// Package eventsocket is what both event sockets of the simulated switch have in
// common: how commands are read and answered, which events a connection has
// subscribed to, and in which order replies and events leave it.
//
// It starts no goroutine. A Listener may be used by any number of them.
package eventsocket
