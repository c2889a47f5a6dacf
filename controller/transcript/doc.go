// Package transcript has a speech recogniser transcribe one recording, over a WebSocket that it dials.
//
// A [Session] brings a recording's audio, read from a [pcm.Ear], to the service in messages of up to 200 ms,
// and what the service says becomes [Segment] after segment, as News. Once the ear has ended, it asks for
// the last words and ends. How messages look is the matter of two codecs without input or output: deepgram
// (Deepgram's live transcription) and vosk (Vosk's server). How a service is dialled, what of it may be told,
// and how a connection ends and its bounds are kept, is package dialer's.
//
// Goroutines: one of the session, which dials, dials again after a loss, and pings; and for each connection
// one that reads and one that writes. All have ended once Done is closed, and when Stop returns, but for
// one that the ear holds up.
//
// Time. A service counts time by the audio that it was sent. What each connection was sent is remembered
// with its position in the recording until the service has answered it for good, so that its times are found on
// the recording's clock, whatever gaps there were. A second of silence stands for a gap, and is sent after
// 2 s without audio, so that the words before it become final; the remainder is skipped.
//
// Loss. Audio that was sent and not answered is kept, up to Service.Buffer, and sent again after a
// connection was lost; what has come meanwhile waits in the ear, which is given the same bound. Deepgram
// is sent what waits 1.25 times as fast as it was spoken, Vosk as fast as it answers. A lost service is dialled
// again Service.Reconnect times, counted anew after 30 s of a connection, with pauses from 0.2 to 5 s; one
// that refuses us (a wrong key, path or parameter), or whose messages of two connections are all wrong, is not.
// State's Missing is the audio that it has not answered for good: of the vosk wire message by message, of
// deepgram's by the times of its final results, with 2 s behind the last one, or by the length that it says it
// has heard at its end.
//
// Bounds. A message of the service is at most 1 MiB, and 4000 of them, or 8 MiB, are read in a second; wrong
// ones at most 100. A text is 4 KiB at most, and 1000 segments wait for the call. A service that takes no byte
// for 5 s, answers no ping for 20 s, leaves a minute of audio (times Config.Speed) without an answer or, of the
// vosk wire, answers nothing for 15 s with 10 s of audio before it, is lost.
//
// Logs:
//
//	info  transcriber connected            service, format, connects, took_ms
//	warn  transcriber lost                 service, err, hint, reconnect, reconnects, pause_ms
//	warn  wrong message of a transcriber   cause, err, hint; at most one a second of each call and cause
//	error transcription panicked           err, stack, hint
//
// No line, error or segment has the key in it, or 12 bytes of it, and the service's URL is shown without its
// query and user. The package logs no words, but for what a service itself puts into an error, and never holds up
// the recording.
package transcript
