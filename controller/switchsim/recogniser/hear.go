package recogniser

import (
	"cmp"
	"encoding/binary"
	"slices"
	"time"
)

// Word is one that audio contains. Channel counts from 0.
type Word struct {
	Channel  int
	Word     string
	From, To time.Duration
}

// Hear lists the words that 16-bit little-endian PCM contains, whose channels are interleaved, by when they
// begin. rate is in Hz, 8000 or more.
func Hear(rate, channels int, pcm []byte) []Word {
	h := newHearing(rate, channels, false, false)
	h.add(pcm, nothing)
	h.finish(nothing)
	return h.words(rate)
}

// words are all that were heard and not cut.
func (h *hearing) words(rate int) []Word {
	var words []Word
	for n, c := range h.channels {
		for _, t := range c.words {
			words = append(words, Word{n, vocabulary[t.word].word, position(t.from, rate), position(t.to, rate)})
		}
	}
	slices.SortStableFunc(words, func(a, b Word) int { return cmp.Compare(a.From, b.From) })
	return words
}

func nothing(int, *channel) {}

// hearing listens to interleaved channels, each on its own.
type hearing struct {
	channels []*channel
	inputs   int // channels of the audio; channels has one only if they are mixed
	bytes    int // of a window of all inputs
	rest     []byte
	window   []int16
}

func newHearing(rate, inputs int, mixed, deaf bool) *hearing {
	h := &hearing{inputs: inputs, bytes: 2 * inputs * samples(windowLength, rate)}
	n := inputs
	if mixed {
		n = 1
	}
	for range n {
		c := &channel{}
		c.ear = newEar(rate, deaf, c.word)
		h.channels = append(h.channels, c)
	}
	return h
}

// add listens to more audio, of any length. after is called behind each window of each channel, so
// what comes of it does not depend on how the audio was cut into messages.
func (h *hearing) add(pcm []byte, after func(int, *channel)) {
	if len(h.rest) > 0 {
		n := min(h.bytes-len(h.rest), len(pcm))
		h.rest, pcm = append(h.rest, pcm[:n]...), pcm[n:]
		if len(h.rest) < h.bytes {
			return
		}
		h.listen(h.rest, after)
		h.rest = h.rest[:0]
	}
	for ; len(pcm) >= h.bytes; pcm = pcm[h.bytes:] {
		h.listen(pcm[:h.bytes], after)
	}
	h.rest = append(h.rest, pcm...)
}

// finish listens to what is left of the audio so far, and ends the words.
func (h *hearing) finish(after func(int, *channel)) {
	whole := len(h.rest) / (2 * h.inputs) * 2 * h.inputs
	if whole > 0 {
		h.listen(h.rest[:whole], nothing)
		h.rest = append(h.rest[:0], h.rest[whole:]...)
	}
	for n, c := range h.channels {
		c.ear.finish()
		after(n, c)
	}
}

func (h *hearing) listen(pcm []byte, after func(int, *channel)) {
	for n, c := range h.channels {
		h.window = h.window[:0]
		for at := 0; at < len(pcm); at += 2 * h.inputs {
			h.window = append(h.window, h.sample(pcm[at:], n))
		}
		c.ear.listen(h.window)
		after(n, c)
	}
}

// sample is that of a channel, or the mean of all.
func (h *hearing) sample(pcm []byte, n int) int16 {
	if len(h.channels) == h.inputs {
		return int16(binary.LittleEndian.Uint16(pcm[2*n:]))
	}
	sum := 0
	for i := range h.inputs {
		sum += int(int16(binary.LittleEndian.Uint16(pcm[2*i:])))
	}
	return int16(sum / h.inputs)
}

// channel is one speaker. Its positions are samples.
type channel struct {
	ear   *ear
	words []tone // complete ones that are in no final result
	// speaking says that words have come since the last end of an utterance; last is the end of the last.
	speaking bool
	last     int
	// done is the end of the last final result, shown that of the last result of any kind.
	done, shown int
}

func (c *channel) word(t tone) {
	c.words = append(c.words, t)
	c.speaking, c.last = true, t.to
}

// silentFor says that an utterance has ended so many samples ago, and that no other word begins before.
func (c *channel) silentFor(samples int) bool {
	return c.speaking && c.ear.resolved()-c.last >= samples
}

// talks says whether there are words that are in no final result.
func (c *channel) talks() bool {
	_, saying := c.ear.saying()
	return saying || len(c.words) > 0
}

// soFar are those words, with the one that is being said.
func (c *channel) soFar() []tone {
	if t, ok := c.ear.saying(); ok {
		return append(slices.Clip(c.words), t)
	}
	return c.words
}

// cut ends a final result at a position, and returns its words.
func (c *channel) cut(at int) []tone {
	words := c.words
	c.words, c.done, c.shown = nil, at, at
	return words
}
