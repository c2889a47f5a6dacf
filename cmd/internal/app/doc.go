// Package app is the daemon: it joins controller and sink, which never import each
// other, and runs them as one process.
//
// A [Process] runs the daemon from its configuration to its last recording, under the
// process's signals and its service manager. A [Daemon] is the parts alone, on listeners
// that are given to it, so that serve, demo and the tests run the same code.
//
// A Daemon starts one goroutine each for the calls, the sink, the admin server, the
// recovery of what a crash left, and the sweep of the player's directory. A Process starts one each for the daemon, the watch of
// the configuration file, each SIGHUP and systemd's watchdog, and two for the sink's
// certificate, if there is one. Each waits for all of its own before its Run returns. The log
// goes through a logqueue, for whose reader nobody waits.
package app
