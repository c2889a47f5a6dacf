package track

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"math"
	"slices"

	"tapdeck/wav"
)

// Sound is what a record says of the audio.
type Sound struct {
	// AudioMS is the length of the WAV, the silence of its gaps included.
	AudioMS int64 `json:"audio_ms"`
	// MissingMS is how much less audio came than the time from the first sample (or,
	// if none came, the first socket) to the end of the call would give, whatever the
	// reason, and how much of what came was lost to the disk: gaps of every kind are in it, but
	// for a GapStopped and the audio that a GapWrongRate has. Below a frame and 60 ms, and 100
	// ppm that two clocks may differ by, it is 0.
	MissingMS int64 `json:"missing_ms"`
	// LargestPauseMS is the longest time without audio on a live socket. With coalesced
	// reads, a pause shorter than the read interval is inferred from missing samples.
	LargestPauseMS int64 `json:"largest_pause_ms"`
	Gaps           []Gap `json:"gaps"`
	// Connections counts the sockets.
	Connections int `json:"connections"`
	// Bytes of PCM received.
	Bytes int64 `json:"bytes"`
	// RMSDBFS and PeakDBFS are of the audio received, silence of gaps left out; -100
	// is no signal at all.
	RMSDBFS  float64 `json:"rms_dbfs"`
	PeakDBFS float64 `json:"peak_dbfs"`
	// DigitalSilence says that no sample of the caller was anything but 0 or -1.
	DigitalSilence bool `json:"digital_silence"`
}

// Gap is a stretch of a recording that has no audio of the caller, filled with silence; but
// see GapWrongRate. At most 1,000 are listed.
type Gap struct {
	// AtMS is where it begins, in ms from the recording's first sample.
	AtMS int64 `json:"at_ms"`
	// MS is how long it is.
	MS int64 `json:"ms"`
	// Reason is one of the Gap constants.
	Reason string `json:"reason"`
}

// What Gap.Reason says.
const (
	// GapReconnect is the time between two sockets.
	GapReconnect = "reconnect"
	// GapStopped is time for which the call had stopped its stream, up to the first audio after
	// it, or to the first socket if that brings none. It is not missing.
	GapStopped = "stopped"
	// GapNoFrames is time without frames on a socket that was up: the call was held, or its
	// stream paused.
	GapNoFrames = "no_frames"
	// GapWrongRate is a stretch in which audio came at another rate than the recording's, as
	// after a change of the call's codec. Of more audio than time the beginning is there, as
	// much as the time has room for; what less audio than time has left is silence.
	GapWrongRate = "wrong_rate"
	// GapDisk is audio that came and was not kept: the disk stalled until there was no more
	// room for what waited.
	GapDisk = "disk"
)

// NoSound is the Sound of a recording without audio, after so many sockets.
func NoSound(connections int) Sound {
	return Sound{RMSDBFS: FloorDBFS, PeakDBFS: FloorDBFS, Connections: connections}
}

// Sound returns what is known of the audio now.
func (t *Track) Sound() Sound {
	s := Sound{
		AudioMS:        t.format.Duration(t.written).Milliseconds(),
		MissingMS:      (t.missing() + t.format.Duration(t.lost)).Milliseconds(),
		LargestPauseMS: t.pause.Milliseconds(),
		Gaps:           slices.Clone(t.gaps), // which grow in place
		Connections:    t.sockets,
		Bytes:          t.received * int64(t.format.FrameBytes()),
	}
	s.setLevels(t.sum())
	return s
}

// GapCount returns how many gaps a Sound would list now.
func (t *Track) GapCount() int { return len(t.gaps) }

func (s *Sound) setLevels(e energy) {
	s.RMSDBFS, s.PeakDBFS, s.DigitalSilence = round2(e.rmsDBFS()), round2(e.peakDBFS()), e.caller.digitalSilence()
}

// Measure fills in what the audio of a WAV itself says: its length, levels and silence.
// It returns the SHA-256 of the PCM in hex, and an error if f can't be read or ctx is done.
func (s *Sound) Measure(ctx context.Context, f io.ReaderAt, h wav.Header) (sha string, err error) {
	level, sum := newLevelMeter(h.Format), sha256.New()
	buf := make([]byte, 32<<10-32<<10%h.Format.FrameBytes())
	pcm := io.NewSectionReader(f, h.DataOffset, h.DataBytes)
	for {
		if ctx.Err() != nil {
			return "", context.Cause(ctx)
		}
		n, err := io.ReadFull(pcm, buf)
		sum.Write(buf[:n])
		level.measure(buf[:n-n%h.Format.FrameBytes()])
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			break
		}
		if err != nil {
			return "", fmt.Errorf("read recording: %w", err)
		}
	}
	s.setLevels(level.sum())
	s.AudioMS, s.Bytes = h.Format.Duration(h.Frames()).Milliseconds(), h.DataBytes
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// round2 rounds to two places; the zero that comes out has no sign.
func round2(v float64) float64 { return math.Round(v*100)/100 + 0 }
