// Package agenttest proves a bot: it plays the daemon's side of one conversation, with the daemon's own session
// (controller/agent), and says for everything that the bot gets wrong what to do.
//
// It owns the course of the conversation, the caller (who says a recording in real time) and what he hears
// (played in real time, so that marks come back when they would in a call). It starts one goroutine, the caller's
// clock, beside those of the session, and both have ended when Examine returns, but for a timer's function. Tokens are in no finding.
package agenttest
