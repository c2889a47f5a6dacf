// Package sink is the server that mod_audio_stream streams calls to. It owns the tickets
// that pair a WebSocket with its call, the sockets and their limits, and each recording from
// Expect to Save. The audio's position in time is sink/track's, the files are sink/store's.
//
// A call's recording begins with Expect, whose URL the switch is told. Every socket that
// comes to this URL, one at a time, continues the same recording. Finish publishes the WAV
// and Save the record.
//
// Goroutines: Serve runs the HTTP server's accept loop, and each connection is served
// by a goroutine, which reads the socket whatever the disk does. Another one, while there is
// something to write, makes the file and writes (sink/track's queue); one of Serve's measures
// the free space. Serve returns when all but the writers have ended. Finish and Save do the
// disk's work in a goroutine of their own, which they wait for, and so does the end of Serve
// for its streams: for PublishTimeout, as a disk may hang for ever. What hangs is abandoned
// then, with an error, and ends when the disk responds; its .part is for Recover. Serve has one
// goroutine more, which touches the files of all recordings so often if the file system has no
// locks, to show that they are in use. A panic in a
// stream's goroutine ends that stream alone, and one while a recording is published or saved is
// an error of that recording.
//
// Reads: in the first second of a socket's audio every frame is read as it comes, so that its
// position in time is exact. After that reads are ReadInterval apart, and the kernel wakes nobody
// for a single frame (SO_RCVLOWAT), until the call says Stopping or the socket is to end.
// Between two reads the stream's goroutine brings its file's sizes up to date, at least once a
// second, writes what is new of the call to the sidecar, and checks its limits. With a SyncInterval it syncs the file as well, so often, at the end
// of every socket, and once at the beginning its sidecar and the names of both.
//
// Logs: a line that strangers can cause carries a field "ratelog", which encoders ignore and
// whose string is the line's kind, for a logger that lets only so many of a kind through.
//
// The package never throws away audio that came unless a disk stalls for minutes, never trusts what a stream says about itself
// for pairing, and never lets one call's disk wait on another's.
//
// F and a number, as in F41, here and in sink/track, is a fact of the switch in
// controller/switchsim/FACTS.md.
package sink
