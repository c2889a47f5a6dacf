// Package doctor asks a real FreeSWITCH, over its inbound event socket, whether
// what tapdeck needs is there, and says for everything that is not what to do. It
// can also prove the whole path with one call: a tone that the switch itself says
// into a call must be found in that call's recording. Where plans have bots, a bot of the doctor's own, with
// the daemon's own parts, has the switch play one too. Bots of plans are connected with, and told nothing;
// services that transcribe hear a moment of silence.
//
// It owns the checks, their words, and the search for the tone. It starts no
// goroutine beside those of the connections that it dials, and those of its own bot and daemon, which
// have ended when their check has. It changes nothing on the
// switch but for the calls that it places if it is asked to: one to the number and, where plans have bots, one of
// its own. Every question has a timeout. What
// FreeSWITCH can't tell is reported as unknown, never guessed, and what follows from a
// failure that was reported already is not reported again. The password is in no finding
// and in no error.
package doctor
