package switchsim

import (
	"bytes"
	"testing"
	"time"

	"tapdeck/controller/switchsim/fault"
)

// A session that stalls is late for good: what plays goes on where it was, and the next follows it.
func TestStall(t *testing.T) {
	t.Parallel()
	call, c := answered(t, New(Config{Speed: 10}), CallSpec{Faults: Faults{Stall: Stall{After: 10 * time.Second, For: 400 * time.Millisecond}}})
	first, second := noise(8000, 12*time.Second), noise(8000, 100*time.Millisecond)
	c.execute("playback", chunk(t, "1.r8", first), "1")
	c.execute("playback", chunk(t, "2.r8", second), "2")
	for range 2 {
		c.until("CHANNEL_EXECUTE_COMPLETE playback FILE PLAYED")
	}
	if got := c.command("getvar playback_last_offset_pos").outer.Get("Reply-Text"); got != "800" {
		t.Errorf("offset %s of the second, want 800", got)
	}
	heard := heardOf(call)
	if len(heard) != 3 {
		t.Fatalf("%d stretches were heard, want 3", len(heard))
	}
	begin := heard[0].From
	if heard[1].From != 521 || heard[2].From != begin+600+20 || heard[1].At.Sub(heard[0].At) != time.Duration(521-begin)*FrameDuration/10 {
		t.Errorf("began in frames %d, %d and %d, want 521 and %d for the later ones", begin, heard[1].From, heard[2].From, begin+620)
	}
	if got := append(heard[0].PCM, heard[1].PCM...); !bytes.Equal(got, companded(first)) || !bytes.Equal(heard[2].PCM, companded(second)) {
		t.Error("something of the audio was not heard")
	}
}

// The module's event is late, or none; a file is gone; a playback is complete late, and the next one
// is heard in time all the same.
func TestPlaybackFaults(t *testing.T) {
	t.Parallel()
	t.Run("no play", func(t *testing.T) {
		t.Parallel()
		w := newRawServer(t)
		_, c := streaming(t, New(Config{Speed: 20}), CallSpec{Faults: Faults{NoPlay: true}})
		c.api(streamCmd+" start "+w.url+" mono 8000", "+OK Success\n")
		w.upgrade(w.accept())
		w.streamAudio(`"audioDataType":"raw","sampleRate":8000`, []byte{1, 0})
		c.until("mod_audio_stream::json")
	})
	t.Run("late play", func(t *testing.T) {
		t.Parallel()
		w := newRawServer(t)
		_, c := streaming(t, New(Config{Speed: 20}), CallSpec{Faults: Faults{LatePlay: 50 * time.Millisecond}})
		c.api(streamCmd+" start "+w.url+" mono 8000", "+OK Success\n")
		w.upgrade(w.accept())
		began := time.Now()
		w.streamAudio(`"audioDataType":"raw","sampleRate":8000`, []byte{1, 0})
		if c.until("mod_audio_stream::play"); time.Since(began) < 50*time.Millisecond {
			t.Error("the event was in time")
		}
	})
	t.Run("lost file", func(t *testing.T) {
		t.Parallel()
		_, c := answered(t, New(Config{Speed: 20}), CallSpec{Faults: Faults{LoseFile: 2}})
		for _, want := range []string{"FILE PLAYED", "FILE NOT FOUND", "FILE PLAYED"} {
			c.execute("playback", chunk(t, "c.r8", make([]byte, 320)), "1")
			c.until("CHANNEL_EXECUTE_COMPLETE playback " + want)
		}
	})
	t.Run("late complete", func(t *testing.T) {
		t.Parallel()
		call, c := answered(t, New(Config{}), CallSpec{Faults: Faults{LateComplete: 50 * time.Millisecond}})
		c.execute("playback", chunk(t, "c.r8", make([]byte, 3200)), "1")
		c.execute("playback", chunk(t, "c.r8", make([]byte, 3200)), "2")
		m := c.until("CHANNEL_EXECUTE_COMPLETE playback FILE PLAYED")
		heard := call.Heard()
		if late := m.at.Sub(heard[0].At) - 180*time.Millisecond; late < 50*time.Millisecond {
			t.Errorf("complete after %v, want 50 ms at least", late)
		}
		c.until("CHANNEL_EXECUTE_COMPLETE playback FILE PLAYED")
		if heard = heardOf(call); heard[1].From != heard[0].From+10 {
			t.Errorf("began in frames %d and %d", heard[0].From, heard[1].From)
		}
	})
	t.Run("hold", func(t *testing.T) {
		t.Parallel()
		call, c := answered(t, New(Config{Speed: 20}), CallSpec{Faults: Faults{Hold: fault.Hold{After: time.Second, For: 500 * time.Millisecond}}})
		c.execute("playback", chunk(t, "c.r8", make([]byte, 32000)), "1")
		c.until("CHANNEL_EXECUTE_COMPLETE playback FILE PLAYED")
		if heard := heardOf(call); len(heard) != 2 {
			t.Errorf("%d stretches were heard, want those before and after the hold", len(heard))
		}
	})
	t.Run("event first", func(t *testing.T) {
		t.Parallel()
		_, c := answered(t, New(Config{Speed: 20}), CallSpec{Faults: Faults{EventFirst: "playback"}})
		c.execute("playback", chunk(t, "c.r8", make([]byte, 320)), "1")
		if len(c.events) == 0 || !c.events[0].is("CHANNEL_EXECUTE playback ") {
			t.Error("the reply came first")
		}
	})
}
