// Package audiostream is a simulated mod_audio_stream: the WebSocket client that
// uuid_audio_stream starts, its frames, its closes and its events, byte for byte
// and second for second as FACTS.md has them (F35 to F64).
//
// It owns the WebSocket protocol from the client's side, with a frame codec of its
// own: one that it shared with the server under test would share its errors. What it
// needs of the call that it streams is a Channel.
//
// Goroutines: Stream.Run is one per stream, its caller's, and reads the WebSocket.
// One per Clock, alive while streams are, sends the audio of all of them.
package audiostream
