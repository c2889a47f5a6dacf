// Command tapdeck takes the calls that a FreeSWITCH dialplan hands over with its
// socket action and leaves one JSON record per call, UUID.json, and, if its plan streams, one WAV,
// UUID.wav, and, if its plan transcribes, what was said, UUID.vtt.
//
// The package is the command line alone: one file a command, each with its flags and what
// it prints. [program] is the program without a process, so that a test can run it. What
// the commands do lies in the packages below cmd/internal; the daemon is cmd/internal/app.
package main
