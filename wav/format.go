// Package wav owns the recording's file: a streaming writer of 16-bit PCM whose
// file is playable at every moment, a reader of headers, and a repair of files
// whose writer was killed. It also decodes the WAV files of other programs.
//
// A file that can't reach 4 GiB has the plain header of 44 bytes: fmt at 12, data at 36. One
// that may has a JUNK chunk of 28 bytes before fmt, which becomes ds64 and the file RF64, in
// place, when it outgrows 4 GiB. Cue points follow the audio.
//
// The package starts no goroutines, never opens, closes or renames a file, never removes
// audio, and never holds more than one buffer of audio in memory, but for the files that it
// is given in memory.
package wav

import (
	"errors"
	"fmt"
	"time"
)

// Errors that callers branch on. Errors of the file itself (syscall.ENOSPC and so
// on) are wrapped as they come.
var (
	// ErrNotWAV says that a file isn't a WAV file, or not one that this package understands.
	ErrNotWAV = errors.New("not a WAV file")
	// ErrFormat says that a WAV file doesn't hold 16-bit PCM of a format that
	// Format.Validate accepts; of Decode, that it doesn't hold what becomes that either.
	ErrFormat = errors.New("not 16-bit PCM")
	// ErrUnknownFormat says that a damaged header no longer holds the format of the
	// audio; a Repair with a fallback format can rebuild it.
	ErrUnknownFormat = errors.New("format of the audio is unknown")
	// ErrTooLarge says that a file of more than 4 GiB has no room in its header for
	// its size.
	ErrTooLarge = errors.New("no room in the header for a size above 4 GiB")
	// ErrFinished is returned by a Writer that has been finished.
	ErrFinished = errors.New("writer is finished")
)

const (
	sampleBytes   = 2
	minSampleRate = 1000
	maxSampleRate = 384000
	maxChannels   = 8
)

// Format is the format of 16-bit little-endian PCM. A frame is one sample of every
// channel.
type Format struct {
	// SampleRate is in Hz, 1000 to 384000.
	SampleRate int
	// Channels is 1 to 8.
	Channels int
}

// FieldError names a field whose value breaks a rule: of a Format, or of a structure of
// those who write recordings.
type FieldError struct {
	Field string
	Value any
	Rule  string
}

func (e *FieldError) Error() string {
	return fmt.Sprintf("%s %v: %s", e.Field, e.Value, e.Rule)
}

// Validate reports every field that is out of range, joined, each a *FieldError.
func (f Format) Validate() error {
	return errors.Join(
		inRange("sample rate", f.SampleRate, minSampleRate, maxSampleRate, " Hz"),
		inRange("channels", f.Channels, 1, maxChannels, ""),
	)
}

func inRange(field string, v, low, high int, unit string) error {
	if v >= low && v <= high {
		return nil
	}
	return &FieldError{Field: field, Value: v, Rule: fmt.Sprintf("must be %d to %d%s", low, high, unit)}
}

// FrameBytes returns the bytes of one frame.
func (f Format) FrameBytes() int { return f.Channels * sampleBytes }

// ByteRate returns the bytes of one second.
func (f Format) ByteRate() int { return f.SampleRate * f.FrameBytes() }

// Duration returns the time that a number of frames takes, rounded down to the
// nanosecond.
func (f Format) Duration(frames int64) time.Duration {
	rate := int64(f.SampleRate)
	return time.Duration(frames/rate)*time.Second +
		time.Duration(frames%rate)*time.Second/time.Duration(rate)
}

// Frames returns the number of whole frames in d.
func (f Format) Frames(d time.Duration) int64 {
	rate := int64(f.SampleRate)
	return int64(d/time.Second)*rate + int64(d%time.Second)*rate/int64(time.Second)
}

// whole returns the bytes of the whole frames in n bytes.
func (f Format) whole(n int64) int64 { return n - n%int64(f.FrameBytes()) }
