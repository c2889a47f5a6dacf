package switchsim

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tapdeck/controller/switchsim/audio"
)

// noise is so much audio at a rate as no other call has it.
func noise(rate int, d time.Duration) []byte {
	var pcm []byte
	for range int(d.Seconds() * float64(rate)) {
		pcm = binary.LittleEndian.AppendUint16(pcm, uint16(rand.Uint32()))
	}
	return pcm
}

// chunk writes a file and returns its path.
func chunk(t *testing.T, name string, pcm []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, pcm, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// heardOf is what the caller has heard when the frame that is on its way has come.
func heardOf(call *Call) []Heard {
	for until := call.now() + 2; call.now() < until; {
		call.pause(time.Millisecond)
	}
	return call.Heard()
}

// companded is what is left of samples behind mu-law, in whole frames.
func companded(pcm []byte) []byte {
	out := bytes.Clone(pcm)
	audio.Companded(out)
	for len(out)%320 != 0 {
		out = append(out, 0)
	}
	return out
}

// Chunks that are queued are heard without a gap, each as it is in its file (F130).
func TestChunksAreGapless(t *testing.T) {
	t.Parallel()
	call, c := answered(t, New(Config{Speed: 10}), CallSpec{})
	c.wants("event plain PLAYBACK_START PLAYBACK_STOP", "+OK event listener enabled plain")
	c.execute("sleep", "600000", "wait") // until all is queued
	c.until("CHANNEL_EXECUTE sleep ")
	var want []byte
	for i, ms := range []int{20, 100, 60, 150, 1000} {
		pcm := noise(8000, time.Duration(ms)*time.Millisecond)
		want = append(want, companded(pcm)...)
		c.execute("playback", chunk(t, "c.r8", pcm), itoa(i))
	}
	c.api("uuid_break "+callID, "+OK\n")
	c.until("CHANNEL_EXECUTE_COMPLETE sleep _none_")
	for i, ms := range []int{20, 100, 60, 150, 1000} {
		if d := cmp.Diff([]string{"CHANNEL_EXECUTE " + itoa(i), "PLAYBACK_START", "PLAYBACK_STOP"}, labelsUntil(c, "PLAYBACK_STOP")); d != "" {
			t.Error(d)
		}
		h := c.until("CHANNEL_EXECUTE_COMPLETE playback FILE PLAYED").headers
		if got := h["variable_playback_last_offset_pos"]; got != itoa(8*ms) || h["variable_playback_samples"] != got {
			t.Errorf("chunk %d: offset %q, samples %q, want %d", i, got, h["variable_playback_samples"], 8*ms)
		}
	}
	heard := heardOf(call)
	next := heard[0].From
	var got []byte
	for i, h := range heard {
		if h.From != next || h.Rate != 8000 {
			t.Errorf("chunk %d begins in frame %d at %d Hz, want frame %d", i, h.From, h.Rate, next)
		}
		next += int64(len(h.PCM) / 320)
		got = append(got, h.PCM...)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%d bytes were heard, not the %d of the chunks", len(got), len(want))
	}
	var pieces []byte
	for from, upTo := int64(0), heard[0].From; from < next; upTo += 7 {
		stretch, n := call.HeardFrom(from)
		for _, h := range stretch {
			pieces = append(pieces, h.PCM[:min(len(h.PCM), max(0, int(upTo-h.From)*320))]...)
		}
		from = min(n, upTo)
	}
	if !bytes.Equal(pieces, want) {
		t.Errorf("%d bytes were heard in pieces", len(pieces))
	}
	call.Hangup()
	c.conn.Close()
	r := call.Wait()
	pcm, rate := r.HeardPCM()
	at := int(heard[0].From) * 320
	if rate != 8000 || !bytes.Equal(pcm[at:at+len(want)], want) || len(bytes.Trim(pcm[:at], "\x00")) > 0 {
		t.Errorf("%d bytes at %d Hz are not what was heard", len(pcm), rate)
	}
}

// What a file's name says counts, not what is in it (F132).
func TestNamesOfFiles(t *testing.T) {
	t.Parallel()
	_, c := answered(t, New(Config{Speed: 20, TempDir: t.TempDir()}), CallSpec{})
	half := func(rate int) []byte { return noise(rate, 500*time.Millisecond) }
	wav := append([]byte("RIFF....WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\x80\x3e\x00\x00\x02\x00\x10\x00data\x40\x01\x00\x00"), make([]byte, 320)...)
	for _, tc := range []struct {
		name    string
		data    []byte
		samples string // "": FILE NOT FOUND
	}{
		{"x.r8", half(8000), "4000"},
		{"x.r16", half(16000), "4000"},
		{"x.r24", half(24000), "2666"},
		{"x.r32", half(32000), "2000"},
		{"x.r48", half(48000), ""},
		{"x.pcmu", half(8000), ""},
		{"x.mp3", half(8000), ""},
		{"x.wav", wav, "160"},
		{"x.wav", half(8000), ""},
		{"x.r8", nil, "0"},
	} {
		want := "FILE PLAYED"
		if tc.samples == "" {
			want = "FILE NOT FOUND"
		}
		c.execute("playback", chunk(t, tc.name, tc.data), "p")
		m := c.until("CHANNEL_EXECUTE_COMPLETE")
		if got := m.headers["Application-Response"]; got != want {
			t.Errorf("%s: %s, want %s", tc.name, got, want)
		}
		if got := m.headers["variable_playback_last_offset_pos"]; want == "FILE PLAYED" && got != tc.samples {
			t.Errorf("%s: %s samples, want %s", tc.name, got, tc.samples)
		}
	}
	c.execute("playback", filepath.Join(t.TempDir(), "lost.r8"), "p")
	c.until("CHANNEL_EXECUTE_COMPLETE playback FILE NOT FOUND")
}

// A file is opened when its turn comes, not when it is named (F65).
func TestFileIsOpenedAtItsTurn(t *testing.T) {
	t.Parallel()
	call, c := answered(t, New(Config{Speed: 10}), CallSpec{})
	c.execute("playback", "silence_stream://-1", "1")
	c.until("CHANNEL_EXECUTE playback ")
	late, gone := filepath.Join(t.TempDir(), "late.r8"), chunk(t, "gone.r8", noise(8000, time.Second))
	c.execute("playback", late, "2")
	c.execute("playback", gone, "3")
	if err := os.WriteFile(late, make([]byte, 640), 0o600); err != nil {
		t.Fatal(err)
	}
	os.Remove(gone)
	c.api("uuid_break "+callID, "+OK\n")
	for _, want := range []string{"1 FILE PLAYED", "2 FILE PLAYED", "3 FILE NOT FOUND"} {
		m := c.until("CHANNEL_EXECUTE_COMPLETE")
		if got := m.headers["Application-UUID"] + " " + m.headers["Application-Response"]; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	heard := heardOf(call)
	if len(heard) != 2 || len(heard[1].PCM) != 640 {
		t.Fatalf("%d stretches were heard, want 2", len(heard))
	}
	if gap := heard[1].From - heard[0].From - int64(len(heard[0].PCM)/320); gap != 1 {
		t.Errorf("%d frames passed after the break, want 1 (F122)", gap)
	}
}

// A break ends what plays at the next frame and loses what is queued without an event, other
// commands too; what is sent right after it is heard whole (F131).
func TestBreakOfAll(t *testing.T) {
	t.Parallel()
	spec := CallSpec{}
	playing := notePlaying(&spec)
	call, c := answered(t, New(Config{Speed: 4}), spec)
	c.wants("event plain PLAYBACK_STOP", "+OK event listener enabled plain")
	c.api("uuid_break "+callID+" all", "+OK\n") // of nothing: no effect
	long, next := noise(8000, 10*time.Second), noise(8000, 100*time.Millisecond)
	c.execute("playback", chunk(t, "long.r8", long), "long")
	c.execute("playback", chunk(t, "lost.r8", next), "lost")
	c.execute("set", "lost=1", "lost")
	c.wants("sendmsg\ncall-command: hangup", "+OK")
	<-playing
	for call.Report().Played[0].From+15 > call.now() {
		call.pause(time.Millisecond)
	}
	c.api("uuid_break "+callID+" all", "+OK\n")
	after := call.now()
	c.execute("playback", chunk(t, "next.r8", next), "next")
	if got := c.until("PLAYBACK_STOP").headers["Playback-Status"]; got != "break" {
		t.Errorf("Playback-Status %s", got)
	}
	m := c.until("CHANNEL_EXECUTE_COMPLETE playback FILE PLAYED")
	if id := m.headers["Application-UUID"]; id != "long" {
		t.Errorf("%s was complete, want long", id)
	}
	if d := cmp.Diff([]string{"CHANNEL_EXECUTE next", "PLAYBACK_STOP", "CHANNEL_EXECUTE_COMPLETE next"}, labelsUntil(c, "CHANNEL_EXECUTE_COMPLETE next")); d != "" {
		t.Error(d)
	}
	heard := heardOf(call)
	if len(heard) != 2 || !bytes.Equal(heard[1].PCM, companded(next)) {
		t.Fatalf("%d stretches were heard, want the long one and the next", len(heard))
	}
	got := heard[0].PCM
	if offset := m.headers["variable_playback_last_offset_pos"]; offset != itoa(len(got)/2) || !bytes.Equal(got, companded(long[:len(got)])) {
		t.Errorf("offset %s of %d samples that were heard", offset, len(got)/2)
	}
	if end := heard[0].From + int64(len(got)/320); end > after+2 { // acts at the next frame, and one is on its way
		t.Errorf("heard to frame %d, the break came by frame %d", end, after)
	}
	c.wants("getvar lost", "-ERR command not found")
}

// While the caller holds the call, what plays runs on unheard, and nothing tells (F70).
func TestHeldPlayback(t *testing.T) {
	t.Parallel()
	call, c := answered(t, New(Config{Speed: 2}), CallSpec{Leg: Leg{Holds: []Hold{{From: time.Second, To: 2 * time.Second}}}})
	pcm, before := noise(8000, 3*time.Second), call.now()
	c.execute("playback", chunk(t, "c.r8", pcm), "1")
	if got := c.until("CHANNEL_EXECUTE_COMPLETE playback FILE PLAYED").headers["variable_playback_last_offset_pos"]; got != "24000" {
		t.Errorf("offset %s, want 24000", got)
	}
	heard := heardOf(call)
	if heard[0].From < before+2 { // begins at the next frame, and is on its way for another one
		t.Errorf("heard from frame %d on, commanded in frame %d", heard[0].From, before)
	}
	if len(heard) != 2 || heard[1].From != 100 || heard[0].From+int64(len(heard[0].PCM)/320) != 50 {
		t.Fatalf("%d stretches were heard, want one before frame 50 and one from frame 100 on", len(heard))
	}
	if skipped := int(100-heard[0].From) * 320; !bytes.Equal(heard[1].PCM, companded(pcm[skipped:])) {
		t.Error("after the hold the file goes on elsewhere than its time says")
	}
}

// A stream with both directions has on its right what is played, to the frame in which it is heard
// and as it is in the file, without mu-law.
func TestRightChannelIsWhatIsHeard(t *testing.T) {
	t.Parallel()
	web := newWebServer(t)
	call, c := streaming(t, New(Config{Speed: 10}), CallSpec{Variables: map[string]string{"send_silence_when_idle": "-1"}})
	c.api(streamCmd+" start "+web.url+" stereo 8000", "+OK Success\n")
	c.until("mod_audio_stream::connect")
	c.execute("sleep", "600000", "wait") // until all is queued
	c.until("CHANNEL_EXECUTE sleep ")
	var want []byte
	for i := range 20 {
		pcm := noise(8000, 60*time.Millisecond)
		want = append(want, pcm...)
		c.execute("playback", chunk(t, "c.r8", pcm), itoa(i))
	}
	c.api("uuid_break "+callID, "+OK\n")
	for range 20 {
		c.until("CHANNEL_EXECUTE_COMPLETE playback FILE PLAYED")
	}
	said := noise(8000, 200*time.Millisecond)
	frame := call.Say(8000, said)
	c.execute("sleep", "500", "s")
	c.until("CHANNEL_EXECUTE_COMPLETE sleep _none_")
	c.api(streamCmd+" stop", "+OK Success\n")
	sent := web.received(t)
	r := call.Report().Streams[0]
	sameAudio(t, &r, sent.audio)
	var left, right []byte
	for at := 0; at+4 <= len(sent.audio); at += 4 {
		left, right = append(left, sent.audio[at:at+2]...), append(right, sent.audio[at+2:at+4]...)
	}
	first := (int(heardOf(call)[0].From)*160 - int(r.Offset)) * 2
	if got := right[first:][:len(want)]; !bytes.Equal(got, want) {
		t.Errorf("the right channel differs from what was played, from sample %d on", first/2)
	}
	at := (int(frame)*160 - int(r.Offset)) * 2
	if !bytes.Equal(left[at:][:len(said)], said) {
		t.Errorf("the left channel does not have what the caller said, from sample %d on", at/2)
	}
}

// A break with all drops a playback also in the frame before it begins (F150): none of it is played.
func TestBreakBeforeItBegins(t *testing.T) {
	t.Parallel()
	spec := CallSpec{}
	playing := notePlaying(&spec)
	call, c := answered(t, New(Config{Speed: 0.2}), spec) // a frame is 100 ms
	c.execute("playback", chunk(t, "long.r8", noise(8000, 10*time.Second)), "long")
	<-playing
	c.api("uuid_break "+callID+" all", "+OK\n")
	c.execute("playback", chunk(t, "next.r8", noise(8000, 100*time.Millisecond)), "next")
	for id := ""; id != "long"; {
		id = c.until("CHANNEL_EXECUTE_COMPLETE").headers["Application-UUID"]
	}
	c.api("uuid_break "+callID+" all", "+OK\n") // before the EXECUTE of next
	c.execute("playback", chunk(t, "last.r8", noise(8000, 40*time.Millisecond)), "last")
	for id := ""; id != "last"; {
		id = c.until("CHANNEL_EXECUTE_COMPLETE").headers["Application-UUID"]
	}
	for _, h := range heardOf(call)[1:] {
		if strings.Contains(h.Source, "next") && len(h.PCM) > 320 {
			t.Errorf("%d bytes of what was dropped were heard", len(h.PCM))
		}
	}
}
