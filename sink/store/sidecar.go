package store

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"sync"

	"tapdeck/wav"
)

// Mark is a cue point to be.
type Mark struct {
	// Frame is its position, counted from the recording's first.
	Frame int64  `json:"frame"`
	Label string `json:"label"`
}

// sidecar is what is known of a running call: its record so far, and what Recover needs besides.
type sidecar struct {
	*plainRecord
	Marks []Mark `json:"marks,omitempty"`
}

// sidecarTexts holds buffers of a page: a call writes two or three sidecars.
var sidecarTexts = sync.Pool{New: func() any { return bytes.NewBuffer(make([]byte, 0, page)) }}

var blanks = bytes.Repeat([]byte(" "), page)

// withSidecar calls write with a sidecar's text, a page long, so that it can be replaced in one
// write that needs no further room on the disk. What does not fit is left out, see shorten; text
// that does not fit without all that is longer. The text is write's until it returns.
func withSidecar(record *Record, marks []Mark, write func(text []byte) error) error {
	if record.Transcript != nil {
		short := *record
		short.Transcript = record.Transcript.noted()
		record = &short
	}
	text := sidecar{record.plain(), marks}
	buf := sidecarTexts.Get().(*bytes.Buffer)
	defer sidecarTexts.Put(buf)
	for {
		buf.Reset()
		err := json.NewEncoder(buf).Encode(text)
		switch {
		case err != nil:
			return err
		case buf.Len() <= page:
			buf.Write(blanks[buf.Len():])
			return write(buf.Bytes())
		case !text.shorten():
			return write(buf.Bytes())
		}
	}
}

// shorten leaves out a part of what is needed least, and says whether there was anything: the last
// words beyond half a page, then the last marks, then the last gaps, which the WAV has as silence, then
// of the timeline, the digits, the prompts, what a bot has said and the words the last ones, and of the
// variables the longest, whichever takes the most room.
func (s *sidecar) shorten() bool {
	const perMoment, perDigit, perPrompt, perUtterance = 25, 45, 120, 60 // bytes, about
	variables := 0
	for name, value := range s.Variables {
		variables += len(name) + len(value)
	}
	timeline, digits, prompts, talk := perMoment*len(s.Timeline), perDigit*len(s.Digits), perPrompt*len(s.Prompts), 0
	if s.Agent != nil {
		talk = perUtterance * max(len(s.Agent.Utterances), len(s.Agent.ResponseMS))
	}
	words := s.Transcript.size()
	switch most := max(timeline, digits, prompts, talk, words, variables); {
	case words > page/2:
		s.Transcript.shorten()
	case len(s.Marks) > 0:
		s.Marks = s.Marks[:len(s.Marks)/2]
	case len(s.Gaps) > 0:
		s.Gaps = s.Gaps[:len(s.Gaps)/2]
	case most == 0:
		return false
	case most == variables:
		s.Variables, _ = withoutLong(s.Variables, variables/2)
	case most == digits:
		half := len(s.Digits) / 2
		s.Digits, s.DigitsDropped = s.Digits[:half], s.DigitsDropped+len(s.Digits)-half
	case most == talk:
		s.Agent.halve()
	case most == words:
		s.Transcript.shorten()
	case most == prompts:
		s.Prompts = s.Prompts[:len(s.Prompts)/2]
	default:
		s.Timeline = s.Timeline[:len(s.Timeline)/2]
	}
	return true
}

// readSidecar reads a record or a sidecar. What follows it was left by a failed write.
func readSidecar(path string) (record Record, marks []Mark, known bool) {
	f, err := os.Open(path)
	if err != nil {
		return Record{}, nil, false
	}
	defer f.Close()
	text := sidecar{plainRecord: &plainRecord{}}
	if json.NewDecoder(f).Decode(&text) != nil || CheckID(text.Call) != nil {
		return Record{}, nil, false
	}
	return Record(*text.plainRecord), text.Marks, true
}

func readRecord(path string) (record Record, known bool) {
	record, _, known = readSidecar(path)
	return record, known
}

// SaveSidecar keeps what is known of the running call, for Recover. It fills in record.WAV. With
// durable, it and the names of both files are on the disk when it returns.
func (p *Part) SaveSidecar(record *Record, durable bool) error {
	record.WAV = wavPath(p.name)
	err := withSidecar(record, nil, func(text []byte) error {
		return p.store.createFile(p.store.sidecar(p.name), text, durable, nil)
	})
	if err == nil && durable {
		err = p.store.syncNames(p.name)
	}
	return err
}

// UpdateSidecar replaces what is known of the running call, in one write, which a signal does
// not cut. It fills in record.WAV, and does nothing once Keep or Save has begun. With durable it
// is on the disk when it returns. ErrLocked says that a Recover has just opened the sidecar.
func (p *Part) UpdateSidecar(record *Record, marks []Mark, durable bool) error {
	p.ending.Lock()
	defer p.ending.Unlock()
	if p.ended {
		return nil
	}
	record.WAV = wavPath(p.name)
	return withSidecar(record, marks, func(text []byte) error {
		if len(text) > page { // the one that was written stays
			return nil
		}
		return p.replaceSidecar(text, durable)
	})
}

func (p *Part) replaceSidecar(text []byte, durable bool) error {
	f, err := p.store.disk.Open(p.store.sidecar(p.name))
	if err != nil {
		return err
	}
	if _, err = f.WriteAt(text, 0); err == nil && durable {
		err = f.Sync()
	}
	if errClose := f.Close(); err == nil {
		err = errClose
	}
	return err
}

// addMarks puts cue points where a sidecar has marks.
func addMarks(f File, marks []Mark) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	var cues []wav.Cue
	for _, m := range marks {
		cues = append(cues, wav.Cue(m))
	}
	if err := wav.AddCues(f, info.Size(), cues); err != nil {
		return fmt.Errorf("add cue points: %w", err)
	}
	return nil
}
