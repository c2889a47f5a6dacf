// Package track is the audio of one recording, on the call's time: it places what each
// socket brings, fills the time between two sockets with silence, measures levels, detects
// whether the caller speaks, and has the WAV written.
//
// Time: a recording's zero is the first sample of its first socket, and a position in it is the
// call's time since then. The start of the first socket's audio is the earliest that an arrival
// within its first second allows. A later socket's audio is held back for 100 ms, until its start
// is known, and the time before it is filled with silence, a Gap. Time for which the call itself
// has stopped its stream (see Stopped) is a gap of its own kind, and is not missing. Silence ends
// at the recording's greatest length, and what would come after it is dropped.
//
// So is time without frames on a live socket, from 200 ms on. Whether that was a pause or a stall
// of the network, or of the reader, shows only afterwards: after a stall all of the audio comes,
// in a burst. So audio that comes after such a time is held back until it comes evenly. A
// position is always found from the recording's zero, so that no number of gaps makes it drift;
// clocks that drift apart are corrected at each gap. A pause at the end of a socket that was
// closed in order is filled, too, up to the call's end; after a last socket that was not, nothing.
//
// Audio of which, for two seconds, far more or far less comes than time passes has another rate
// than the recording's. More than the time has room for is held back from the beginning of that
// and, if the stream is worth a restart, dropped until then (see WrongRate); else it is written
// as it comes. Times are those at which the caller saw the bytes; the package reads a clock only
// to say how long the disk took.
//
// Somebody who waits for the audio live (SetLive) gets it sooner, and the recording is as sure of
// its place as that permits: a later socket's audio is held back for 20 ms, and audio after a
// pause until a second frame comes in its turn, or for 100 ms. A network stall whose first frame
// comes 10 ms or more before the others is then taken for a pause: its time is silence, and what
// comes after it is late in the recording until the next gap, which is shorter by as much. A burst
// is recognised as one, and is held back for up to 100 ms more.
//
// Speech: of every 20 ms the caller's level is kept, and three loud ones within 200 ms are speech.
// Loud is above a fixed level, or above one that follows the noise floor of the last 4 s of the
// call, so that callers at -46 dBFS and lines with noise at -38 dBFS both work. What is steady is
// noise for it, unless it is very loud: noise that begins is taken for speech for less than 4 s,
// and a tone below -28 dBFS that lasts longer for noise. The silence of a Gap is not heard. Talk,
// if it is wanted, follows speech as it comes: it begins with three loud ones among four, and ends
// 240 ms after the last that was not alone, or when no frames come any more.
//
// Disks: what is to be written goes through a queue, so that whoever gives a Track its audio
// never waits for a disk. A goroutine makes the file and writes what waits, in turns, and ends
// when nothing is left; Finish waits for it. What waits is bounded, for a recording and for
// all that share a Room; audio beyond that is lost: it is silence, a Gap, and missing.
//
// A Track is for one goroutine at a time. The package never names, closes or removes a file, never
// throws away audio but what a stalled disk leaves no room for, too much of a wrong rate and what
// is beyond the greatest length, and never writes a sample that was not audio, but for the silence
// of a Gap. It allocates nothing per frame, but for what it holds back and what waits for a
// stalled disk.
package track
