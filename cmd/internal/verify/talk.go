package verify

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"tapdeck/cmd/internal/callview"
	"tapdeck/controller"
	"tapdeck/controller/agent"
	"tapdeck/controller/pcm"
	"tapdeck/controller/switchsim"
	"tapdeck/controller/switchsim/audio"
	"tapdeck/controller/switchsim/bot"
)

// Talk is what a comparison of a simulated call's conversation has found. Samples are those that were
// compared and equal.
type Talk struct {
	Record callview.Record
	// Bot is what the bot heard of the caller, Caller what the caller heard of the bot, and Right
	// the right channel of a stereo stream, which holds what the caller heard; 0 if it is not stereo.
	Bot, Caller, Right int
	// From is where in the recording the bot began to hear, in samples.
	From int
	// Spoken is what the caller heard of the bot.
	Spoken []Spoken
	// Resampled says that the bot's wire and the call have different rates, so that no samples can
	// be compared but those of the recording.
	Resampled bool
}

// Spoken is what the caller heard of the bot at one go: without a pause and, since a clear cuts it,
// between two clears.
type Spoken struct {
	// Began and Ended are when the caller heard its begin and its end.
	Began, Ended time.Time
	// Cleared is when the bot cleared it, in the middle; zero if it was heard whole.
	Cleared time.Time
}

// SessionOf is the session that a bot has had with a call of this channel UUID, or nil.
func SessionOf(b *bot.Bot, channel string) *bot.Session {
	for _, s := range b.Sessions() {
		if IsOf(s, channel) {
			return s
		}
	}
	return nil
}

// IsOf says whether a session is with the call of this channel UUID.
func IsOf(s *bot.Session, channel string) bool {
	c, id := s.Call(), controller.CallID(channel)
	return c.Call == id || c.CallSID == agent.CallSID(id)
}

// Conversation compares a call's recording as Recording does and, sample by sample, what the bot
// heard with what the caller said, what the caller heard with what the bot said, and the right
// channel of a stereo stream with what the caller heard: all after µ-law where that was on the way. The
// call must have said nothing but zeros before and after the conversation.
func Conversation(dir string, r switchsim.Report, s *bot.Session) (t Talk, err error) {
	if t.Record, _, err = Recording(dir, r); err != nil {
		return t, err
	}
	if s == nil {
		return t, errors.New("the bot had no session with this call")
	}
	if problems := s.Problems(); len(problems) > 0 {
		return t, fmt.Errorf("the bot was sent what its wire does not allow: %s", problems[0])
	}
	t.Resampled = s.Call().Rate != t.Record.SampleRate || s.Rate() != callRate
	if t.Right, err = rightHeard(r); err != nil || t.Resampled {
		return t, err
	}
	return t, errors.Join(t.botHeard(dir, s), t.callerHeard(r, s))
}

// callRate is the rate, in Hz, of a call whose codec never changes.
const callRate = 8000

// botHeard compares what the bot heard with the recording, which has been found to be what was said.
func (t *Talk) botHeard(dir string, s *bot.Session) error {
	f, said, err := callview.ReadWAV(filepath.Join(dir, t.Record.WAV))
	if err != nil {
		return err
	}
	said = channel(said, f.Channels, 0)
	if s.Call().CallSID != "" { // the twilio wire
		said = pcm.AppendLinear(nil, pcm.AppendULaw(nil, said))
	}
	heard := s.Heard()
	from := indexSample(said, heard)
	switch {
	case len(heard) == 0:
		return errors.New("the bot heard nothing")
	case from < 0:
		return fmt.Errorf("the %d bytes that the bot heard are not what was said into the call", len(heard))
	case !silent(said[:from]) || !silent(said[from+len(heard):]):
		return fmt.Errorf("the bot heard %d bytes of what was said, from byte %d on, and not every word", len(heard), from)
	}
	t.From, t.Bot = from/2, len(heard)/2
	return nil
}

// channel is one of interleaved 16-bit samples' channels.
func channel(pcm []byte, channels, n int) []byte {
	if channels == 1 {
		return pcm
	}
	one := make([]byte, 0, len(pcm)/channels)
	for frame := range slices.Chunk(pcm, 2*channels) {
		one = append(one, frame[2*n:2*n+2]...)
	}
	return one
}

// indexSample is bytes.Index at whole samples.
func indexSample(all, part []byte) int {
	for from := 0; ; from++ {
		at := bytes.Index(all[from:], part)
		if from += at; at < 0 || from%2 == 0 {
			return max(from, at)
		}
	}
}

// rightHeard compares the right channel of stereo streams with what the caller heard, and returns how
// many samples it has.
func rightHeard(r switchsim.Report) (samples int, err error) {
	heard, rate := r.HeardPCM()
	for i := range r.Streams {
		s := &r.Streams[i]
		if s.Channels != 2 || s.Rate != rate {
			continue
		}
		right := channel(s.PCM(), 2, 1)
		audio.Companded(right)
		for _, p := range s.Parts {
			size := 2 * rate / 50 * int(p.Count)
			from := min(2*rate/50*int(p.From), len(heard))
			want := heard[from:min(from+size, len(heard))] // the stream may outlive the call by a frame
			if !bytes.Equal(right[:len(want)], want) {
				return samples, fmt.Errorf("the right channel of the stream is not what the caller heard, from %v on", pcm.Duration(from+commonPrefix(right, want), rate))
			}
			right = right[size:]
			samples += len(want) / 2
		}
	}
	return samples, nil
}

// callerHeard compares what the caller heard of the bot with what it said.
func (t *Talk) callerHeard(r switchsim.Report, s *bot.Session) error {
	words := wordsOf(s)
	for _, h := range r.Heard() {
		if !strings.HasSuffix(h.Source, ".r8") && !strings.HasSuffix(h.Source, ".r16") {
			continue
		}
		for len(words) > 1 && !bytes.HasPrefix(words[0].pcm, h.PCM) {
			if err := t.cut(words[0]); err != nil {
				return err
			}
			words = words[1:]
		}
		if !bytes.HasPrefix(words[0].pcm, h.PCM) {
			return fmt.Errorf("the caller heard %d bytes, %v after he was answered, that the bot did not say then", len(h.PCM), h.At.Sub(r.AnsweredAt))
		}
		words[0].pcm = words[0].pcm[len(h.PCM):]
		words[0].heard = true
		t.Caller += len(h.PCM) / 2
		t.hear(h, r.FrameAt(h.From+int64(len(h.PCM)*50/2/h.Rate)))
	}
	for _, w := range words[:len(words)-1] {
		if err := t.cut(w); err != nil {
			return err
		}
	}
	if left := len(words[len(words)-1].pcm); left > 0 {
		return fmt.Errorf("the caller did not hear the last %v of what the bot said", pcm.Duration(left, callRate))
	}
	return nil
}

// hear notes that a stretch was heard until a time.
func (t *Talk) hear(h switchsim.Heard, until time.Time) {
	last := len(t.Spoken) - 1
	if last >= 0 && t.Spoken[last].Cleared.IsZero() && !h.At.After(t.Spoken[last].Ended.Add(sameBreath)) {
		t.Spoken[last].Ended = until
		return
	}
	t.Spoken = append(t.Spoken, Spoken{Began: h.At, Ended: until})
}

// sameBreath is a pause that is none: what a late chunk leaves.
const sameBreath = 200 * time.Millisecond

// cut notes that the rest of words was cleared, if some of them had been heard: until then.
func (t *Talk) cut(w words) error {
	if !w.heard || len(w.pcm) == 0 {
		return nil
	}
	last := &t.Spoken[len(t.Spoken)-1]
	if last.Cleared = w.cleared; w.cleared.Sub(last.Ended) > sameBreath {
		return fmt.Errorf("the caller did not hear %v of what the bot said, which cleared it only %v later", pcm.Duration(len(w.pcm), callRate), w.cleared.Sub(last.Ended).Round(time.Millisecond))
	}
	return nil
}

// words are what a bot said until a clear.
type words struct {
	pcm     []byte
	heard   bool
	cleared time.Time
}

// wordsOf is what a bot said, cut at its clears; the last is not cleared.
func wordsOf(s *bot.Session) []words {
	said, all := s.Said(), make([]words, 1)
	audio.Companded(said) // by the switch
	for _, sent := range s.Sent() {
		last := &all[len(all)-1]
		switch sent.Kind {
		case bot.KindMedia:
			last.pcm, said = append(last.pcm, said[:sent.Bytes]...), said[sent.Bytes:]
		case bot.KindClear:
			last.cleared = sent.At
			all = append(all, words{})
		}
	}
	return all
}
