package agent

// Mouth is what the caller hears: the call's player. Its methods may be called from any
// goroutine, and none waits.
type Mouth interface {
	// Play queues 16-bit little-endian mono PCM at 8000, 16000 or 24000 Hz. It copies pcm.
	Play(pcm []byte, rate int)
	// Mark has done called once, when all that was queued before it has been heard, or at once
	// with cleared if it never will be.
	Mark(done func(cleared bool))
	// Clear drops all that has not been heard.
	Clear()
}
