package player_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"tapdeck/controller/player"
)

func stream(t *testing.T) *bed {
	return newBed(t, player.Config{Method: player.MethodStream})
}

// A chunk goes over the stream, and is played once the module has said what it is called.
func TestStream(t *testing.T) {
	b := stream(t)
	b.say(time.Second, 0)
	b.wantSent(1)
	first := b.sent[0]
	if d := first.Data; first.Type != "streamAudio" || d.Kind != "raw" || d.Rate != 8000 || !bytes.Equal(d.Audio, numbered(40*ms, 0)) {
		t.Errorf("sent %+v", first)
	}
	b.wantPlays(0)
	b.advance(10 * ms)
	b.wantSent(1)
	b.name(0)
	b.wantPlays(1)
	if b.plays[0] != "/tmp/x_0.tmp.r8" {
		t.Errorf("%s is played", b.plays[0])
	}
	b.wantSent(2)
	b.name(1)
	b.wantPlays(2)
	b.wantState(player.State{Playing: true, Queued: time.Second})
	b.say(time.Second, 8000)
	b.wantSent(2) // two are enough
	b.played(0, 40*ms)
	b.wantSent(3)
}

func TestStreamAt16kHz(t *testing.T) {
	b := newBed(t, player.Config{Method: player.MethodStream, Rate: 16000})
	b.Player.Play(make([]byte, 640), 16000)
	b.advance(0)
	if d := b.sent[0].Data; d.Rate != 16000 || len(d.Audio) != 640 {
		t.Errorf("sent %d bytes at %d Hz", len(d.Audio), d.Rate)
	}
}

func (b *bed) wantSent(want int) {
	b.t.Helper()
	if len(b.sent) != want {
		b.t.Fatalf("%d messages, want %d", len(b.sent), want)
	}
}

// Only the module's word for what waits for it comes into a command.
func TestForeignNames(t *testing.T) {
	b := stream(t)
	b.say(20*ms, 0)
	old := b.sent[0].Data.Tag
	b.Clear()
	b.say(20*ms, 0)
	tag := b.sent[1].Data.Tag
	for _, body := range []string{
		"", "null", "{", "[]", `"x"`, `{"file":"/tmp/a.r8"}`, `{"file":"/tmp/a.r8","tapdeck":""}`, `{"file":"/tmp/a.r8","tapdeck":7}`,
		`{"file":"/tmp/a.r8","tapdeck":"` + old + `"}`, `{"file":"/tmp/a.r8","tapdeck":"0-99"}`, `{"file":["/tmp/a.r8"],"tapdeck":"` + tag + `"}`,
		`{"file":"/tmp/a.r8","tapdeck":"` + tag + ` "}`, strings.Repeat("[", 100_000),
	} {
		b.Named(body, b.now)
		b.advance(0)
	}
	b.wantPlays(0)
	b.name(1)
	b.name(1)
	b.wantPlays(1)
	b.played(0, 20*ms)
	b.name(1)
	b.wantPlays(1)
}

// The module's own member comes behind one of the same name that the message had: the last counts (F167).
func TestTheLastFileCounts(t *testing.T) {
	b := stream(t)
	b.say(20*ms, 0)
	b.Named(`{"file":"/etc/passwd","tapdeck":"`+b.sent[0].Data.Tag+`","file":"/tmp/x_0.tmp.r8"}`, b.now)
	b.advance(0)
	b.wantPlays(1)
	if b.plays[0] != "/tmp/x_0.tmp.r8" {
		t.Errorf("%s is played", b.plays[0])
	}
}

// A name that would be more than a name in a command is none; a call's id may be a stranger's.
func TestUnusableNames(t *testing.T) {
	for _, file := range []string{"", "/tmp/a\nexecute-app-name: system", "/tmp/a\r", "/tmp/\x00", "/tmp/${system(reboot)}_0.tmp.r8", "/tmp/\u0085", strings.Repeat("x", 5000)} {
		b := stream(t)
		b.say(20*ms, 0)
		b.nameIt(b.sent[0].Data.Tag, file)
		b.wantPlays(0)
		b.wantLog("bot's audio not named by mod_audio_stream")
		b.wantState(player.State{Lost: 20 * ms})
	}
}

func TestUnusableNameWithDirectory(t *testing.T) {
	b := newBed(t, player.Config{Method: player.MethodStream, Directory: t.TempDir()})
	b.say(20*ms, 0)
	b.nameIt(b.sent[0].Data.Tag, "${x}")
	b.wantLengths(20 * ms)
}

// A chunk that is not named is lost, and nothing else: the module may only be slow, and FreeSWITCH stand still
// for seconds. After three in a row nothing is hoped for any more.
func TestUnnamed(t *testing.T) {
	b := stream(t)
	b.say(3*time.Second, 0)
	b.mark("a")
	b.advance(999 * ms)
	b.wantState(player.State{Queued: 3 * time.Second, Marks: 1})
	b.advance(ms)
	b.wantLog("bot's audio not named by mod_audio_stream")
	b.wantState(player.State{Queued: 2960 * ms, Marks: 1, Lost: 40 * ms})
	b.name(0) // too late
	b.wantPlays(0)
	b.advance(3999 * ms)
	b.wantState(player.State{Queued: 2960 * ms, Marks: 1, Lost: 40 * ms})
	b.advance(ms)
	b.advance(time.Second)
	if lost := b.State(); !lost.Mute || lost.Lost != 120*ms {
		t.Errorf("%+v", lost)
	}
	b.name(len(b.sent) - 1)
	b.wantPlays(1)
	if b.State().Mute {
		t.Error("still mute")
	}
}

// A module that has named some is waited for longer: FreeSWITCH may stand still for a moment.
func TestUnnamedForAMoment(t *testing.T) {
	b := stream(t)
	b.say(40*ms, 0)
	b.name(0)
	b.say(40*ms, 320)
	b.advance(time.Second)
	b.advance(3999 * ms)
	b.name(1)
	b.wantPlays(2)
	b.wantState(player.State{Playing: true, Queued: 80 * ms})
	b.say(40*ms, 640)
	b.played(0, 40*ms)
	b.advance(time.Second)
	b.advance(4 * time.Second)
	b.wantLog("bot's audio not named by mod_audio_stream")
}

// With a directory, chunks are files from there on, and nothing is lost.
func TestUnnamedWithDirectory(t *testing.T) {
	b := newBed(t, player.Config{Method: player.MethodStream, Directory: t.TempDir()})
	b.say(time.Second, 0)
	b.advance(time.Second)
	b.wantLengths(40*ms, 960*ms)
	b.name(0)
	b.wantPlays(2)
	b.played(0, 40*ms)
	b.played(1, 960*ms)
	sent := len(b.sent)
	b.say(time.Second, 0)
	b.wantLengths(40*ms, 960*ms)
	b.wantSent(sent)
}

// refuse says what an old module would of message n, and advances.
func (b *bed) refuse(n int) {
	b.t.Helper()
	body, err := json.Marshal(b.sent[n])
	if err != nil {
		b.t.Fatal(err)
	}
	b.Unnamed(string(body))
	b.advance(0)
}

// A module that takes the audio for any text says so at once, and need not be waited for.
func TestRefused(t *testing.T) {
	b := stream(t)
	b.say(3*time.Second, 0)
	b.mark("a")
	for _, body := range []string{"", "{}", `{"type":"streamAudio","data":{}}`, strings.Repeat("x", 1<<20)} {
		b.Unnamed(body)
		b.advance(0)
	}
	b.wantMarks("")
	b.refuse(0)
	b.wantLog("bot's audio not named by mod_audio_stream")
	b.wantState(player.State{Queued: 2960 * ms, Marks: 1, Lost: 40 * ms})
	b.wantSent(1)
	b.say(40*ms, 0)
	b.advance(999 * ms)
	b.wantSent(1) // not more often than an old module's silence would have it
	b.advance(ms)
	b.wantSent(2)
	b.refuse(0) // of before
	b.wantState(player.State{Lost: 40 * ms, Queued: 3 * time.Second, Marks: 1})
	b.name(1)
	b.wantPlays(1)
	b.refuse(1)
	b.wantPlays(1)
}

func TestRefusedWithDirectory(t *testing.T) {
	b := newBed(t, player.Config{Method: player.MethodStream, Directory: t.TempDir()})
	b.say(time.Second, 0)
	b.refuse(0)
	b.wantSent(1)
	b.wantLengths(40*ms, 960*ms)
	b.wantState(player.State{Playing: true, Queued: time.Second})
}

// Without a live stream nothing is lost: it is sent once there is one.
func TestNoStream(t *testing.T) {
	b := stream(t)
	b.down = player.ErrNoStream
	b.say(40*ms, 0)
	b.mark("a")
	for range 30 {
		b.advance(500 * ms)
	}
	b.wantMarks("")
	b.wantSent(0)
	b.down = nil
	b.Connected(b.now)
	b.advance(0)
	b.wantSent(1)
	b.name(0)
	b.wantPlays(1)
}

// A stream that was dropped while it named a chunk takes it along.
func TestStreamComesBack(t *testing.T) {
	b := stream(t)
	b.say(40*ms, 0)
	b.down = player.ErrNoStream
	b.advance(time.Second)
	b.wantState(player.State{Queued: 40 * ms})
	b.down = nil
	b.Connected(b.now)
	b.advance(0)
	b.wantSent(2)
	if !bytes.Equal(b.sent[0].Data.Audio, b.sent[1].Data.Audio) || b.sent[0].Data.Tag == b.sent[1].Data.Tag {
		t.Error("it is not sent again under a name of its own")
	}
	b.name(0) // the first one's file is gone
	b.wantPlays(0)
	b.name(1)
	b.wantPlays(1)
	b.Connected(b.now)
	b.advance(0)
	b.wantSent(2)
}

// A stream is back of which nobody has told: it is tried.
func TestStreamComesBackUntold(t *testing.T) {
	b := stream(t)
	b.down = player.ErrNoStream
	b.say(40*ms, 0)
	b.down = nil
	b.advance(999 * ms)
	b.wantSent(0)
	b.advance(ms)
	b.wantSent(1)
}

// What there is no room for is sent a moment later.
func TestSendError(t *testing.T) {
	b := stream(t)
	b.down = errGone
	b.say(40*ms, 0)
	b.advance(time.Second)
	b.wantSent(0)
	b.down = nil
	b.advance(100 * ms)
	b.wantSent(1)
	b.name(0)
	b.wantPlays(1)
	b.wantState(player.State{Playing: true, Queued: 40 * ms})
}

func TestClearWhileItIsNamed(t *testing.T) {
	b := stream(t)
	b.say(time.Second, 0)
	b.Clear()
	b.advance(0)
	b.name(0)
	b.wantPlays(0)
	if b.breaks != 0 {
		t.Errorf("%d breaks", b.breaks)
	}
	b.say(20*ms, 0)
	b.name(1)
	b.wantPlays(1)
}
