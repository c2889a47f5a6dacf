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
// Taps: any number of readers may read a recording while it grows, from any moment on. A Tap gives
// what is added to the WAV from there, audio and silence in their order, so that its reader's
// clock is the recording's; only what a stalled disk has no room for is silence in the WAV, and
// audio for a tap. The stream's goroutine copies it into a ring of each and wakes the readers once
// for all that was read in one go; it runs none of their code and never waits for one. A reader
// that is slow loses the oldest audio of its own ring. Reads of the socket are as close as the
// least latency that the open taps of that recording ask for: opening one wakes a stream that
// waits, and closing the last one lets it wait again.
//
// With a tap that waits for no more than 40 ms, audio whose place is in doubt is held back no
// longer than an ear can bear: see sink/track. In ordinary operation a frame can be read as soon
// as it has come, and at the beginning of a later socket and after a hold of the call 20 ms later.
//
// Text: Send writes to the switch over the live socket, by a goroutine that exists while something
// waits, of which there is 1 MiB at most. A switch that reads nothing of it for 4 s is the end of
// its stream; neither its audio nor whoever calls Send waits for it. Only a pong that falls due in
// the first 50 ms of such a stall does, for as long as the stall lasts, while the kernel keeps the
// audio.
//
// Speech: WatchSpeech asks whether the caller has spoken and is quiet, or says nothing. It is
// answered by State in the pace of the reads. While a tap is open, State's Talk says whether the
// caller speaks now: known 60 to 80 ms after he began, and 240 ms after he ceased.
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
