// Package recogniser finds words in audio, for tests: words are tones. [Say] makes audio that says words at
// given times, and [Hear] finds them in any audio, as a recording. Positions are right to 20 ms, behind
// µ-law, too. A tone of 60 ms or more is a word, one of 40 ms or less is none; [Hum] is a tone that is never
// one.
//
// It starts no goroutine.
package recogniser
