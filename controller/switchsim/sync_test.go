package switchsim

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"testing"
	"time"
)

// constant is a caller each of whose samples is 1000.
func constant() *Voice { return &Voice{Rate: 8000, PCM: []int16{1000}, Loop: true} }

// silentFrames are how many frames of a stream have nothing of the caller.
func silentFrames(pcm []byte, channels int) (n int) {
	for size := 320 * channels; len(pcm) >= size; pcm = pcm[size:] {
		if binary.LittleEndian.Uint16(pcm) == 0 {
			n++
		}
	}
	return n
}

// A playback takes two frames of what the caller says in each stream, if asked for, and nothing of what is
// played; the report says the same (F155).
func TestAudioSync(t *testing.T) {
	t.Parallel()
	for mix, channels := range map[string]int{"mono": 1, "stereo": 2} {
		for chunks, lost := range map[int]int{0: 0, 1: 2, 10: 20} { // 1 s in so many
			t.Run(fmt.Sprint(mix, chunks), func(t *testing.T) {
				t.Parallel()
				web := newWebServer(t)
				call, c := streaming(t, New(Config{Speed: 4}), CallSpec{
					Voice: constant(), Variables: map[string]string{"send_silence_when_idle": "-1"}, Faults: Faults{AudioSync: true},
				})
				c.api(streamCmd+" start "+web.url+"/x "+mix+" 8000", "+OK Success\n")
				c.until("mod_audio_stream::connect")
				c.execute("sleep", "200", "s")
				c.until("CHANNEL_EXECUTE_COMPLETE sleep _none_")
				for range chunks {
					c.execute("playback", chunk(t, "c.r8", noise(8000, time.Second/time.Duration(chunks))), "p")
				}
				for range chunks {
					c.until("CHANNEL_EXECUTE_COMPLETE playback FILE PLAYED")
				}
				c.execute("sleep", "200", "s")
				c.until("CHANNEL_EXECUTE_COMPLETE sleep _none_")
				c.api(streamCmd+" stop", "+OK Success\n")
				c.conn.Close()
				r := call.Wait().Streams[0]
				sent := web.received(t)
				sameAudio(t, &r, sent.audio)
				if got := silentFrames(sent.audio, channels); got > lost || got < lost*3/4 { // a thread that is late has two in one
					t.Errorf("%d frames of the caller were lost, want %d", got, lost)
				}
			})
		}
	}
}

// Chunks of a frame each leave nothing of the caller, and without the fault all of him arrives.
func TestShortChunksTakeAll(t *testing.T) {
	t.Parallel()
	for _, on := range []bool{false, true} {
		t.Run(fmt.Sprint(on), func(t *testing.T) {
			t.Parallel()
			web := newWebServer(t)
			call, c := streaming(t, New(Config{Speed: 2}), CallSpec{Voice: constant(), Faults: Faults{AudioSync: on}})
			c.api(streamCmd+" start "+web.url+"/x mono 8000", "+OK Success\n")
			c.until("mod_audio_stream::connect")
			file := chunk(t, "c.r8", noise(8000, 20*time.Millisecond))
			for range 25 {
				c.execute("playback", file, "p")
			}
			for range 25 {
				c.until("CHANNEL_EXECUTE_COMPLETE playback FILE PLAYED")
			}
			c.api(streamCmd+" stop", "+OK Success\n")
			c.conn.Close()
			r := call.Wait().Streams[0]
			sent := web.received(t)
			sameAudio(t, &r, sent.audio)
			if got := silentFrames(sent.audio, 1); on && got < 20 || !on && got > 0 {
				t.Errorf("%d frames of the caller were lost", got)
			}
		})
	}
}

// A file shorter than a frame lacks its begin, and an odd byte is none (F162).
func TestShortFiles(t *testing.T) {
	t.Parallel()
	call, c := answered(t, New(Config{Speed: 10}), CallSpec{})
	samples := []int{40, 80, 100, 159, 160, 161}
	for _, n := range samples {
		pcm := bytes.Repeat([]byte{0, 64}, n)
		c.execute("playback", chunk(t, "c.r8", append(pcm, 64)), "p")
		c.until("CHANNEL_EXECUTE_COMPLETE playback FILE PLAYED")
	}
	for i, h := range heardOf(call) {
		n := samples[i]
		first := max(0, 160-n)
		for k := range len(h.PCM) / 2 {
			loud := binary.LittleEndian.Uint16(h.PCM[2*k:]) != 0
			if want := k >= first && k < n; loud != want {
				t.Errorf("sample %d of %d is heard: %v, want %v", k, n, loud, want)
				break
			}
		}
	}
}
