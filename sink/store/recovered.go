package store

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"go.uber.org/zap"
)

// What was done about a file, for people.
const (
	// ActionPublished: repaired if needed, and published with its record; of a sidecar, the record.
	ActionPublished = "published"
	// ActionNoRecord: the WAV is published, its record could not be.
	ActionNoRecord = "published without its record"
	// ActionRemoved: all that was in it is published already.
	ActionRemoved = "removed, nothing in it was new"
	// ActionLive: nothing was done.
	ActionLive = "belongs to a running tapdeck"
	// ActionRecent: nothing was done. It may be what a crash left: see AliveFor.
	ActionRecent = "left for now: there are no file locks here, and a running tapdeck may have touched it within the last minute"
	// ActionLeft: it can't be understood, or can't be published.
	ActionLeft = "left as it is"
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
	// Err says why the file was left, or why there is no record, or, ErrNoVTT, that only its words
	// have no file.
	Err error

	call string // that it is for; "" if it is nobody's
}

// Published counts the recordings that were published.
func (r Recovery) Published() int { return r.count(ActionPublished) + r.count(ActionNoRecord) }

// Left counts the files that were left as they are.
func (r Recovery) Left() int { return r.count(ActionLeft) }

// Recent counts the files that may belong to a running process, or to one that died within
// AliveFor.
func (r Recovery) Recent() int { return r.count(ActionRecent) }

func (r Recovery) count(action string) (n int) {
	for _, f := range r.Files {
		if f.Action == action {
			n++
		}
	}
	return n
}

// left is what is said of a file that nothing came of.
func (d Recovered) left(action string, err error) Recovered {
	return Recovered{Part: d.Part, Action: action, Err: err, call: d.call}
}

// remove removes a file of which nothing is new.
func (d *Recovered) remove() error {
	d.Action = ActionRemoved
	return os.Remove(d.Part)
}

// String says it for people.
func (d Recovered) String() string {
	text := shortPath(d.Part) + ": " + d.Action
	if published := cmp.Or(d.WAV, d.Record); published != "" {
		text += " as " + shortPath(published)
	}
	if d.WAV != "" {
		text += fmt.Sprintf(", %.2f s", d.Audio.Seconds())
	}
	if d.Err != nil {
		text += ": " + d.Err.Error()
	}
	return text
}

// shortPath is a file with its folder.
func shortPath(path string) string {
	return filepath.Join(filepath.Base(filepath.Dir(path)), filepath.Base(path))
}

func (d Recovered) log(log *zap.Logger) {
	log = log.With(zap.String("file", cmp.Or(d.WAV, d.Record, d.Part)))
	if d.call != "" {
		log = log.With(zap.String("call", d.call))
	}
	switch {
	case errors.Is(d.Err, ErrNoVTT):
		log.Warn("recording recovered", zap.Int64("audio_ms", d.Audio.Milliseconds()), zap.NamedError("err", d.Err), zap.String("hint", HintNoVTT))
	case d.Err != nil:
		log.Warn("recording not recovered", zap.String("cause", d.Action), zap.NamedError("err", d.Err),
			zap.String("hint", "nothing in the file is lost: correct what err says and run tapdeck repair on the directory, or move the file away"))
	case d.Action == ActionPublished:
		log.Warn("recording recovered", zap.Int64("audio_ms", d.Audio.Milliseconds()), zap.String("hint", hintRecovered))
	default:
		log.Debug("recording skipped", zap.String("cause", d.Action))
	}
}
