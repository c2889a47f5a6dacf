// Package sink is the server that mod_audio_stream streams calls to. It owns the tickets
// that pair a WebSocket with its call, the sockets and their limits, and each recording from
// Expect to Save. The audio's position in time is sink/track's, the files are sink/store's.
//
// A call's recording begins with Expect, whose URL the switch is told. Every socket that
// comes to this URL, one at a time, continues the same recording, also after the call has stopped
// its stream (Stopping) and starts it again (Starting). Finish publishes the WAV and Save the
// record.
//
// Goroutines: Serve runs the HTTP server's accept loop, and each connection is served by a
// goroutine, which reads the socket whatever the disk does. While a recording has something to
// write, another one makes its file and writes (sink/track's queue). Two more of Serve's measure
// the free space and, if the file system has no locks, touch the files of all recordings, to show
// that they are in use. Serve publishes what remains and returns when all of these have ended.
//
// Finish, Save, SaveRecord and Recover do the disk's work in a goroutine of their own, which
// they wait for. As a disk may hang for ever, they and the end of Serve wait for PublishTimeout.
// What hangs is no longer waited for then: it is an error, and goes on when the disk responds; a
// recording and its record are published late, or by Recover if the process has ended. A panic in
// a stream's goroutine ends that stream alone, and one while a recording is
// written, published or saved is an error of that recording.
//
// Reads: in the first second of a socket's audio every frame is read as it comes, so that its
// position in time is exact. After that reads are ReadInterval apart, and the kernel wakes nobody
// for a single frame (SO_RCVLOWAT), until the call says Stopping or the socket is to end.
// Between two reads the stream's goroutine checks its limits and, at least once a second, has
// the file's sizes brought up to date and what is new of the call written to the sidecar. With a
// SyncInterval it has the file synced as well, so often and at the end of every socket; the
// sidecar is synced each time that it is written, and the names of both once.
//
// Speech: WatchSpeech asks whether the caller has spoken and is quiet, or says nothing. It is
// answered by State in the pace of the reads.
//
// Logs: a line that strangers can cause carries a field "ratelog", which encoders ignore and
// whose string is the line's kind, for a logger that lets only so many of a kind through.
//
// The package never throws away audio that came unless a disk stalls for minutes, the audio has
// far more samples than its time, or the recording has reached MaxDuration; it never trusts what a
// stream says about itself for pairing, and never lets one call's disk wait on another's.
//
// F and a number, as in F41, here and in sink/track, is a fact of the switch in
// controller/switchsim/FACTS.md.
package sink
