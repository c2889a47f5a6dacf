// Command tapdeck takes the calls that a FreeSWITCH dialplan hands over with its
// socket action and leaves one WAV and one JSON record per call.
//
// The package owns the command line, the wiring of controller and sink (which
// never import each other: the few lines that join them are in join.go), reload,
// the admin server, and the drain. [program] is the program without a process, so
// that a test can run it; [daemon] is the daemon's parts on listeners that are
// given to it, so that serve, demo and the tests run the same code.
//
// A daemon starts one goroutine each for the sink, the event socket, the admin
// server, the recovery of what a crash left, the signals, the watch of the
// configuration file and systemd's watchdog, and waits for all of them.
package main
