// Package transcribe has a speech recogniser transcribe a finished recording, with the daemon's own session
// (controller/transcript).
//
// A [Recording] is a WAV file. Run reads it from the disk as the service accepts its audio, in constant
// memory, and hands the words on as they become final. While they are handed on, no more is read, so that none are
// lost to a slow terminal.
//
// It starts no goroutines beside those of the session, which have ended when Run returns, but for one that a
// disk holds up. It writes nothing, and the key is in no error.
package transcribe
