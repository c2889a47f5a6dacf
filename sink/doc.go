// Package sink is the server that mod_audio_stream streams calls to. It owns the
// tickets that pair a WebSocket with its call, the streams, each recording's
// timeline, and the files: one WAV and one JSON record per call.
//
// A call's recording begins with Expect, whose URL the switch is told. Every socket
// that comes to this URL, one at a time, continues the same recording; silence fills
// the time between two sockets. Finish publishes the WAV and Save the record.
//
//	DATE/UUID.wav        published: complete, synced, renamed
//	DATE/UUID.json       the call's record
//	DATE/UUID.wav.part   running: playable at any moment, at most 1 s behind
//	DATE/UUID.json.part  what is known of a running call, for Recover
//
// A .wav.part is locked (flock) by the process that writes it, so that Recover and
// RecoverDir leave a running recording alone, also another process's. A name that is
// taken is never overwritten: UUID-2 is the next, for the WAV and the record alike. A
// record is written into the sidecar, to 4 KiB of room that was kept there for it, and is
// then renamed: a call makes two files and removes none, as a file system's cost of a
// new file grows with the number of those just removed (ext4 passes over their inodes
// for minutes). What can't be renamed is there for Recover. A record that has no sidecar
// or is too long for it is written to a DATE/UUID.json.new of its own first.
//
// Goroutines: Serve runs the HTTP server's accept loop in one, and each connection
// is served by one, which is the only one of a stream: it reads the socket and writes
// the file, with no queue between. Serve returns when all of them have ended. Finish and
// Save do the disk's work in a goroutine of their own, which they wait for, and so does
// the end of Serve for its streams: for PublishTimeout, as a disk may hang for ever. What
// hangs is left then, with an error, and ends when the disk answers; its .part is for
// Recover. A panic in a stream's goroutine ends that stream alone.
//
// Reads: in the first second of a socket's audio every frame is read as it comes, so
// that its place in time is exact. After that reads are ReadInterval apart, and the
// kernel wakes nobody for a single frame (SO_RCVLOWAT), until the call says Stopping
// or the socket is to end. Between two reads the stream's goroutine brings its file's
// sizes up to date, at least once a second, and looks at its limits.
//
// Time: a recording's zero is the first sample of its first socket. A later socket's
// audio is held back for 100 ms, until its own beginning is known, and what lies
// between is filled with silence, a Gap of the record. After the last socket nothing
// is filled: the file ends with the audio.
//
// The package never throws away audio that came, never writes a byte to a WAV that
// was not audio (but for the silence that the record tells of), never trusts what a
// stream says about itself for pairing, and never lets one call's disk wait on
// another's.
package sink
