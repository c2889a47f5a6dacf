package switchsim

import (
	"bytes"
	"fmt"
	"testing"
	"time"
)

// TestAudio: what arrives is what the report says, in every mix and rate,
// with everything that makes audio interesting.
func TestAudio(t *testing.T) {
	for _, tc := range []struct {
		mix          string
		rate, buffer int
		voice        *Voice
	}{
		{"mono", 8000, 20, ToneVoice(8000, 440, 0.5)},
		{"mono", 16000, 20, ToneVoice(8000, 440, 0.5)},
		{"mono", 8000, 100, ToneVoice(16000, 440, 0.5)},
		{"mixed", 8000, 20, ToneVoice(8000, 440, 0.9)},
		{"stereo", 8000, 20, ToneVoice(8000, 440, 0.5)},
		{"stereo", 16000, 60, ToneVoice(16000, 440, 0.5)},
		{"mono", 8000, 20, nil},
		{"mono", 8000, 20, &Voice{Rate: 8000, PCM: []int16{1, 2, 3, 4, 5}, Loop: true}},
		{"mono", 8000, 20, &Voice{Rate: 8000, PCM: make([]int16, 1000)}},
	} {
		t.Run(fmt.Sprint(tc.mix, tc.rate, tc.buffer), func(t *testing.T) {
			t.Parallel()
			web := newWebServer(t)
			call, c := streaming(t, New(Config{Speed: 20}), CallSpec{Voice: tc.voice, Variables: map[string]string{"STREAM_BUFFER_SIZE": fmt.Sprint(tc.buffer), "send_silence_when_idle": "-1"}})
			c.api(fmt.Sprintf("%s start %s/x %s %d", streamCmd, web.url, tc.mix, tc.rate), "+OK Success\n")
			c.until("mod_audio_stream::connect")
			c.execute("playback", "tone_stream://%(300,100,800)", "t")
			c.execute("playback", "prompt.wav", "p")
			c.until("CHANNEL_EXECUTE_COMPLETE playback FILE PLAYED")
			c.until("CHANNEL_EXECUTE_COMPLETE playback FILE PLAYED")
			c.api(streamCmd+" pause", "+OK Success\n")
			c.execute("sleep", "200", "s")
			c.until("CHANNEL_EXECUTE_COMPLETE sleep _none_")
			c.api(streamCmd+" resume", "+OK Success\n")
			c.execute("sleep", "200", "s")
			c.until("CHANNEL_EXECUTE_COMPLETE sleep _none_")
			c.api(streamCmd+" stop", "+OK Success\n")
			c.conn.Close()
			r := call.Wait().Streams[0]
			sent := web.received(t)
			sameAudio(t, &r, sent.audio)
			if least := 3 * tc.rate * 2; len(sent.audio) < least {
				t.Errorf("%d bytes arrived, want %d", len(sent.audio), least)
			}
			if unit := tc.rate / 1000 * tc.buffer; r.Samples%int64(unit) != 0 {
				t.Errorf("%d samples are no whole buffers of %d", r.Samples, unit)
			}
			if len(r.Parts) != 2 || r.Channels != len(sent.audio)/2/int(r.Samples) {
				t.Errorf("parts %v, channels %d", r.Parts, r.Channels)
			}
		})
	}
}

// TestIdleMix: a mix with both directions has no frames while nothing plays.
func TestIdleMix(t *testing.T) {
	t.Parallel()
	for _, mix := range []string{"mono", "mixed", "stereo"} {
		t.Run(mix, func(t *testing.T) {
			t.Parallel()
			web := newWebServer(t)
			call, c := streaming(t, New(Config{Speed: 20}), CallSpec{Voice: ToneVoice(8000, 440, 0.5)})
			c.api(streamCmd+" start "+web.url+"/x "+mix+" 8000", "+OK Success\n")
			c.until("mod_audio_stream::connect")
			for _, file := range []string{"silence_stream://400", "silence_stream://400"} {
				c.execute("playback", file, "p")
				c.until("CHANNEL_EXECUTE_COMPLETE playback FILE PLAYED")
				c.execute("sleep", "2000", "s")
				c.until("CHANNEL_EXECUTE_COMPLETE sleep _none_")
			}
			c.api(streamCmd+" stop", "+OK Success\n")
			c.conn.Close()
			r := call.Wait().Streams[0]
			sameAudio(t, &r, web.received(t).audio)
			if all := r.Samples > 8000*4; all != (mix == "mono") {
				t.Errorf("%d samples in %v", r.Samples, r.Parts)
			}
		})
	}
}

// sameAudio wants what arrived to be what was sent. On a machine too slow to
// take it all within the second that the module waits, the end is missing, and
// the report says so.
func sameAudio(t *testing.T, r *StreamReport, got []byte) {
	t.Helper()
	pcm := r.PCM()
	if r.Unsent > 0 && bytes.HasPrefix(pcm, got) {
		t.Logf("%d of %d bytes in time", len(got), len(pcm))
		return
	}
	if !bytes.Equal(pcm, got) {
		t.Errorf("%d bytes arrived, %d reported, %+v", len(got), len(pcm), r.Parts)
	}
}

func TestRealTime(t *testing.T) {
	t.Parallel()
	web := newWebServer(t)
	call, c := streaming(t, New(Config{}), CallSpec{Voice: ToneVoice(8000, 440, 0.5)})
	c.api(streamCmd+" start "+web.url+" mono 8000", "+OK Success\n")
	c.until("mod_audio_stream::connect")
	c.execute("sleep", "1000", "s")
	c.until("CHANNEL_EXECUTE_COMPLETE sleep _none_")
	c.api(streamCmd+" stop", "+OK Success\n")
	c.conn.Close()
	r := call.Wait().Streams[0]
	if got := time.Duration(r.Samples) * time.Second / 8000; got < time.Second || got > 3*time.Second/2 {
		t.Errorf("%v of audio in a second", got)
	}
}

// TestOddUUID: a channel may be called anything.
func TestOddUUID(t *testing.T) {
	_, c := place(t, New(Config{}), CallSpec{UUID: "../x"})
	c.command("connect")
	c.wants("getvar uuid", "../x")
}
