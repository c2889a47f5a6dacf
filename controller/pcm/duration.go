package pcm

import "time"

// Duration is how long so many bytes of audio last at rate Hz, rounded down to a nanosecond.
func Duration(bytes, rate int) time.Duration {
	return time.Duration(bytes/2) * time.Second / time.Duration(rate)
}

// Bytes is how many bytes of audio last d at rate Hz, to the nearest whole sample, so that it
// undoes Duration at every rate.
func Bytes(d time.Duration, rate int) int {
	return 2 * int((d*time.Duration(rate)+time.Second/2)/time.Second)
}
