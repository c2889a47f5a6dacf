// Package dialer is the client side of a WebSocket to a service of somebody else's: a bot, a recogniser.
//
// It owns what is the same whatever is said there. A [Target] is dialled, at an address that was judged
// right before, by [CheckAddress] or whatever else permits it; a [Secret] is read; what the target may
// have written is hidden or cut before it is told ([Target.Hide], [Target.Clip], [Target.Redact]); and an
// error gets a hint in the words of the configuration ([Target.Hint], which wants the error as it was before
// Redact). A [Conn] is one WebSocket to the target, from the handshake to the first cause of its end; a
// [FrameCounter] sees the frames that the library handles without a word, and a [Pace] has the target pay for
// all that it sends. A [Backoff] says when to dial again.
//
// Goroutines: [Conn.Serve] has one that reads and one that writes, as its caller says, and pings meanwhile;
// they have ended when it returns. Nothing else outlives a call: when Dial or Open returns an error, the
// connection below is closed. What is read and written, and which end is a normal one, is the caller's matter.
//
// Bounds. An attempt lasts ConnectTimeout at most, its answer has a header of 16 KiB at most. A message is
// 1 MiB at most. A target is lost that takes no byte for 5 s, answers no ping for 20 s, or sends nothing but
// pings, pongs and fragments for 5 s. In a second, 4000 messages or 8 MiB are read, 800 pings and pongs, or
// 100 messages of those that come seldom. Of a text of the target's, 1 KiB is looked at, and 80 bytes are
// told, or 200 of the reason of a refusal. A secret has 4 KiB at most. Pauses between attempts last from 0.2
// to 6 s.
//
// It never follows a redirect, dials again by itself, or logs; no error of it has the query or the user of a URL in it,
// nor, after Redact, 12 bytes of a secret. It knows nothing of calls, of audio, and of what a message means.
package dialer
