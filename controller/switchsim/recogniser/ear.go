package recogniser

import (
	"math"
	"time"
)

const (
	// windowLength is what the ear listens to at a time, in so many blocks, to which it knows the ends of
	// tones.
	windowLength = 20 * time.Millisecond
	blocks       = 4
	// shortestWord lies between the tones that are a word and those that are too short.
	shortestWord = 47 * time.Millisecond
	// bridged is the silence that does not yet end a word: two lost frames are less.
	bridged = 40 * time.Millisecond
	// loud is the root mean square of a block that is not silent: about -40 dBFS.
	loud = 300
	// pure is the share of the energy that a word's frequency has: more than each of a key's two tones.
	pure = 0.65
	// noWord is a sound that is loud and not clear.
	noWord = -1
)

// tone is a stretch of one sound. from and to are samples since the channel's begin; it is none if they are
// equal.
type tone struct{ word, from, to int }

func (t tone) length() int { return t.to - t.from }

// ear finds the words of one channel.
type ear struct {
	rate  int
	deaf  bool       // words come on schedule, whatever is said
	waves []float64  // of each word, twice the cosine of a sample's angle
	at    int        // samples so far
	tone  tone       // the word that is being said
	blur  tone       // what is loud and not clear, up to at or to the silence before it
	heard func(tone) // is given each word that has been said
}

func newEar(rate int, deaf bool, heard func(tone)) *ear {
	e := &ear{rate: rate, deaf: deaf, heard: heard}
	for _, v := range vocabulary {
		e.waves = append(e.waves, 2*math.Cos(2*math.Pi*v.hz/float64(rate)))
	}
	return e
}

// listen hears the next window, or what there is of one.
func (e *ear) listen(window []int16) {
	word, from, to := e.classify(window)
	e.at += len(window)
	switch {
	case from == to:
		e.silence()
	case word == noWord:
		e.unclear(from, to)
	default:
		e.clear(word, from, to)
	}
	if e.at-e.tone.to >= samples(bridged, e.rate) {
		e.end()
	}
}

// finish hears the end of the audio, or of as much as there is now.
func (e *ear) finish() {
	e.silence()
	e.end()
}

// resolved is the position before which no word lies that is not complete.
func (e *ear) resolved() int {
	switch {
	case e.tone.length() > 0:
		return e.tone.from
	case e.blur.length() > 0 && e.brief(e.blur):
		return e.blur.from
	}
	return e.at
}

// saying is the word that is being said, if it is long enough to be one.
func (e *ear) saying() (tone, bool) { return e.tone, e.long(e.tone) }

func (e *ear) long(t tone) bool { return t.length() >= samples(shortestWord, e.rate) }

// brief says that something unclear is the edge of a tone.
func (e *ear) brief(blur tone) bool { return blur.length() <= samples(windowLength, e.rate) }

func (e *ear) silence() {
	if e.tone.length() > 0 && e.blur.from == e.tone.to && e.brief(e.blur) {
		e.tone.to = e.blur.to
	}
	e.blur = tone{}
}

func (e *ear) unclear(from, to int) {
	if e.blur.length() > 0 && e.blur.to == from {
		e.blur.to = to
		return
	}
	e.silence()
	e.blur = tone{noWord, from, to}
}

// clear is a stretch of a word. An unclear edge before it is a part of it, or, if another word came
// right before that, half of it.
func (e *ear) clear(word, from, to int) {
	if e.blur.length() > 0 && e.blur.to == from && e.brief(e.blur) {
		from = e.blur.from
		if e.tone.length() > 0 && e.tone.to == from && e.tone.word != word {
			from = (e.blur.from + e.blur.to) / 2
			e.tone.to = from
		}
	}
	e.blur = tone{}
	if e.tone.length() > 0 && e.tone.word == word && from-e.tone.to < samples(bridged, e.rate) {
		e.tone.to = to
		return
	}
	e.end()
	e.tone = tone{word, from, to}
}

// end is that of the word that was being said.
func (e *ear) end() {
	if e.long(e.tone) {
		e.heard(e.tone)
	}
	e.tone = tone{}
}

// classify returns where a window is loud, and the word that is said there.
func (e *ear) classify(window []int16) (word, from, to int) {
	if e.deaf {
		return e.scheduled(len(window))
	}
	from, to = e.loud(window)
	word = noWord
	if to-from >= samples(windowLength/2, e.rate) {
		word = e.recognise(window[from:to])
	}
	return word, e.at + from, e.at + to
}

// scheduled is what a deaf ear hears: a word of 300 ms every two seconds.
func (e *ear) scheduled(length int) (word, from, to int) {
	cycle := position(e.at, e.rate) % (2 * time.Second)
	if cycle < time.Second || cycle >= 1300*time.Millisecond {
		length = 0
	}
	return 0, e.at, e.at + length
}

// loud returns the begin of the first and the end of the last block that is not silent.
func (e *ear) loud(window []int16) (from, to int) {
	for i := range blocks {
		at, end := i*len(window)/blocks, (i+1)*len(window)/blocks
		sum := int64(0)
		for _, v := range window[at:end] {
			sum += int64(v) * int64(v)
		}
		if sum == 0 || sum < loud*loud*int64(end-at) {
			continue
		}
		if to == 0 {
			from = at
		}
		to = end
	}
	return from, to
}

// recognise returns the word whose frequency has nearly all of the energy. At most one has, and most often it
// is the one before.
func (e *ear) recognise(window []int16) int {
	energy := 0.0
	for _, v := range window {
		energy += float64(v) * float64(v)
	}
	least := pure * energy * float64(len(window)) / 2
	if e.tone.length() > 0 && power(window, e.waves[e.tone.word]) >= least {
		return e.tone.word
	}
	for word, wave := range e.waves {
		if power(window, wave) >= least {
			return word
		}
	}
	return noWord
}

// power is that of one frequency, by Goertzel: the square of its Fourier coefficient.
func power(window []int16, wave float64) float64 {
	s1, s2 := 0.0, 0.0
	for _, v := range window {
		s1, s2 = float64(v)+wave*s1-s2, s1
	}
	return s1*s1 + s2*s2 - wave*s1*s2
}
