// Package bot is simulated: bots on the loopback interface that speak the two wires of
// voice agents, for tests, demonstrations and load. No bot of it thinks; they say back what
// they heard, talk, or misbehave on request.
//
// It owns the bot's side of the wires, and it shares no code with controller/agent: the two
// check each other. What a daemon sent that the wire does not allow is in Session.Problems.
//
// Each connection has one goroutine that reads it and calls the behaviour's hooks, and one more while
// a behaviour's Run or a fault's Attack runs. Bot.Close returns when all have ended. Hooks are called one at
// a time, in the order in which messages came; methods of a Session may be called from any goroutine.
//
// A session keeps what it heard and what it was told, with times, up to a bound, so that a test can
// compare; with Options.Count it keeps only numbers, and hundreds of sessions are cheap.
package bot
