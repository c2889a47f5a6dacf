// Package agent is one call's conversation with a bot, over a WebSocket that we dial.
//
// A [Session] brings the caller's audio, read from a [pcm.Ear], to the bot in frames of 20 ms, and what
// the bot says to a [Mouth]. What the bot asks of the call (hang-up, transfer, digits) comes
// as an [Event]; the session does nothing to the call itself. How messages look on the wire is
// the matter of two codecs without input or output: twilio (Twilio Media Streams, so that a bot
// written for it runs unchanged) and pcm (binary 16-bit audio and short JSON messages, of
// which [PCMSchema] is the JSON schema). How a bot is dialled, what of it may be told, and how a connection
// ends and its bounds are kept, is package dialer's.
//
// Goroutines: one of the session, which dials, dials again after a loss, and pings; and for each
// connection one that reads and one that writes. All have ended when [Session.Stop] returns, but
// for one that the mouth or the ear holds up for longer than a second.
//
// Time. What the bot is told is on the recording's clock: audio that never came is sent as silence, up to
// 10 s for each gap, and so is audio that a slow bot has missed, up to 1 s. Beyond that
// the clock jumps. A connection begins with the audio that is there, at its position.
//
// Bounds. A message of the bot is at most 1 MiB, and 4000 of them, or 8 MiB, are read in a second.
// Wrong messages, and clears, are read at most 100 in a second, pings and pongs 800, small fragments
// as many as messages; digits to the caller's side take at most 20 s. A bot that sends nothing
// but pings, pongs and fragments for 5 s is lost. One that does not read what it is told is not read
// either; one that takes no byte for 5 s, or answers no ping for 20 s, is lost. A lost bot is dialled
// again Config.Reconnect times, unless it has asked for the end of the call, counted anew after 30 s of a connection, with pauses from 0.2 to 5 s.
// What it had said is heard to its end; its marks are forgotten, since the new connection knows none
// of them.
//
// Logs:
//
//	info  agent connected           bot, format, connects, took_ms; stream_sid (twilio)
//	warn  agent lost                bot, err, hint, reconnect, reconnects, pause_ms
//	warn  wrong message of an agent cause, err, hint; at most one a second of each call and cause
//	error agent panicked            err, stack, hint
//
// The bot's URL is logged without its query and user, and no line and no error has a token in it, or
// 12 bytes of one, that the bot has copied; a request with one is refused. A bot that is lost for good
// is no line but an event with its error and hint, for whoever ends the call.
package agent
