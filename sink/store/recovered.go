package store

import (
	"fmt"
	"path/filepath"
	"time"

	"go.uber.org/zap"
)

// What was done about a file.
const (
	// ActionPublished: repaired if needed, and published with its record.
	ActionPublished = "published"
	// ActionRecord: the WAV was published already; now its record is.
	ActionRecord = "record published"
	// ActionRemoved: all that was in it is published already.
	ActionRemoved = "removed"
	// ActionLive: a running tapdeck writes it; nothing was done.
	ActionLive = "live"
	// ActionNoRecord: the WAV is published, its record could not be.
	ActionNoRecord = "published without its record"
	// ActionLeft: it can't be understood, and is as it was, or can't be published.
	ActionLeft = "left"
)

// Recovery is what was found and done, in the order of the files' paths.
type Recovery struct{ Files []Recovered }

// Recovered is one .part file, or one that a record was being written to.
type Recovered struct {
	// Part is the file's path.
	Part string
	// Action is one of the Action constants.
	Action string
	// WAV and Record are the paths of what was published, empty if nothing was.
	WAV, Record string
	// Audio is the length of the WAV.
	Audio time.Duration
	// Err says why the file was left, or why there is no record.
	Err error
}

// Published counts the recordings that were published.
func (r Recovery) Published() int {
	return r.count(ActionPublished) + r.count(ActionRecord) + r.count(ActionNoRecord)
}

// Left counts the files that were left as they are.
func (r Recovery) Left() int { return r.count(ActionLeft) }

func (r Recovery) count(action string) int {
	n := 0
	for _, f := range r.Files {
		if f.Action == action {
			n++
		}
	}
	return n
}

// String says it for people.
func (d Recovered) String() string {
	part := shortPath(d.Part)
	switch d.Action {
	case ActionPublished:
		return fmt.Sprintf("%s: published as %s, %.2f s", part, shortPath(d.WAV), d.Audio.Seconds())
	case ActionNoRecord:
		return fmt.Sprintf("%s: published as %s, %.2f s, without its record: %v", part, shortPath(d.WAV), d.Audio.Seconds(), d.Err)
	case ActionRecord:
		return fmt.Sprintf("%s: published as %s", part, shortPath(d.Record))
	case ActionRemoved:
		return part + ": removed, nothing in it was new"
	case ActionLive:
		return part + ": belongs to a running tapdeck"
	}
	return fmt.Sprintf("%s: left as it is: %v", part, d.Err)
}

// shortPath is a file with its folder.
func shortPath(path string) string {
	return filepath.Join(filepath.Base(filepath.Dir(path)), filepath.Base(path))
}

func (d Recovered) log(log *zap.Logger) {
	path := d.Part
	if d.WAV != "" {
		path = d.WAV
	}
	fields := []zap.Field{zap.String("file", path)}
	if id := callOf(filepath.Base(d.Part)); id != "" {
		fields = append(fields, zap.String("call", id))
	}
	switch d.Action {
	case ActionNoRecord:
		log.Warn("record not recovered", append(fields, zap.NamedError("err", d.Err),
			zap.String("hint", "the WAV is published; see the disk, then run tapdeck repair on the directory"))...)
	case ActionLeft:
		log.Warn("recording not recovered", append(fields, zap.NamedError("err", d.Err),
			zap.String("hint", "nothing in the file is lost: correct what err says and run tapdeck repair on the directory, or move the file away"))...)
	case ActionPublished, ActionRecord:
		log.Info("recording recovered", append(fields, zap.Int64("audio_ms", d.Audio.Milliseconds()))...)
	default:
		log.Debug("recording skipped", append(fields, zap.String("cause", d.Action))...)
	}
}
