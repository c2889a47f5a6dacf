// Package pcm is the arithmetic of telephone audio: 16-bit little-endian linear PCM of one channel,
// between the rates of calls and bots ([Resampler]), to and from µ-law ([AppendULaw],
// [AppendLinear]), and between bytes and time ([Duration], [Bytes]). [Ear] is how a recording's audio is
// read while it grows.
//
// It starts no goroutine, keeps no audio but what a filter needs, and allocates nothing if dst has
// room. A frame, here, is one sample of two bytes; callers pass whole samples.
package pcm
