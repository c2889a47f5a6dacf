// Package recogniser is a simulated speech recogniser on the loopback interface that speaks the wires of
// Deepgram's live service and of the Vosk server, for tests, demonstrations and load.
//
// It really listens: words are tones. [Say] makes audio that says words at given times, a [Server]
// answers with the words that it finds in what comes, and [Hear] finds them in any other audio, as a
// recording. Positions are right to 20 ms, behind µ-law, too. A tone of 60 ms or more is a word, one of
// 40 ms or less is none; [Hum] is a tone that is never one.
//
// A Server owns the recogniser's side of the wires. It shares no code with controller/transcript: the two check
// each other. What a client sends that the wire does not allow is in Report.Problems. How a connection
// misbehaves is its [Fault], which may change while it runs.
//
// Each connection has one goroutine, which reads it, listens and answers, one that ends it with the server, and one
// more each to watch for idleness (deepgram), to send late answers and to flood. Server.Serve returns when all have ended.
//
// A Connection keeps what it was brought, up to a bound; with Server.Count it keeps numbers only, and is
// forgotten at its end: with Server.Deaf, too, hundreds of connections are cheap.
package recogniser
