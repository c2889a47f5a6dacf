// Package track is the audio of one recording, on the call's time: it places what each
// socket brings, fills the time between two sockets with silence, measures levels, detects
// whether the caller speaks, and has the WAV written.
//
// Time: a recording's zero is the first sample of its first socket. The start of a
// socket's audio is the earliest that an arrival within its first second allows. A later
// socket's audio is held back for 100 ms, until its start is known, and the time before it
// is filled with silence, a Gap. After the last socket nothing is filled: the file ends
// with the audio. Times are those at which the caller saw the bytes; the package reads no
// clock.
//
// Disks: what is to be written goes through a queue, so that whoever gives a Track its audio
// never waits for a disk. A goroutine makes the file and writes what waits, in turns, and ends
// when nothing is left; Finish waits for it. What waits is bounded, for a recording and for
// all that share a Room; audio beyond that is lost: it is silence, a Gap, and missing.
//
// A Track is for one goroutine at a time. The package never names, closes or removes a file, and
// never writes a sample that was not audio, but for the silence of a Gap. It allocates nothing
// per frame, but for what it holds back.
package track
