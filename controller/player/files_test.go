package player_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"tapdeck/controller/player"

	"go.uber.org/zap"
)

func TestFilesAreOurs(t *testing.T) {
	b := newBed(t, player.Config{})
	b.say(1040*ms, 0)
	b.File("/prompts/x.wav", nil)
	name := regexp.MustCompile(`^tapdeck-call_2f1-[0-9a-f]{8}-1\.r8$`)
	if !name.MatchString(filepath.Base(b.plays[0])) || filepath.Dir(b.plays[0]) != b.dir {
		t.Errorf("file %s", b.plays[0])
	}
	b.played(0, 40*ms)
	b.played(1, 1000*ms)
	if f := b.files(); len(f) != 0 {
		t.Errorf("files %v", f)
	}
}

// FreeSWITCH may run as another user than tapdeck, whose umask may be narrow.
func TestFilesAreReadable(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0o077))
	b := newBed(t, player.Config{Rate: 16000, Method: player.MethodFiles, Directory: t.TempDir()})
	b.Player.Play(make([]byte, 640), 16000)
	b.advance(0)
	if info, err := os.Stat(b.plays[0]); err != nil || info.Mode() != 0o644 || !strings.HasSuffix(b.plays[0], ".r16") {
		t.Errorf("%v, %v", info, err)
	}
}

// Nothing that means something to a file system, or in a command, comes into a name, whatever the call's id is.
func TestFileNames(t *testing.T) {
	for _, id := range []string{"", "../../etc/passwd", "a b\nc", "${system(reboot)}", strings.Repeat("ü", 128), "%41@host", "-x"} {
		dir := t.TempDir()
		sw := &bed{t: t}
		p := player.New(player.Config{Rate: 8000, Method: player.MethodFiles, Directory: dir, Call: id}, byHand{sw}, zap.NewNop(), nil)
		p.Play(numbered(20*ms, 0), 8000)
		if err := p.Advance(time.Now()); err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(sw.plays[0])
		if !regexp.MustCompile(`^tapdeck-[A-Za-z0-9_-]+\.r8$`).MatchString(name) || len(name) > 140 || filepath.Dir(sw.plays[0]) != dir {
			t.Errorf("%q makes %q", id, name)
		}
		p.Close()
	}
}

// A directory that can't be written costs the audio at the pace at which it would be heard, and no more.
func TestUnwritten(t *testing.T) {
	b := newBed(t, player.Config{})
	if err := os.Remove(b.dir); err != nil {
		t.Fatal(err)
	}
	b.say(time.Second, 0)
	b.mark("a")
	b.wantLog("chunk not written")
	b.wantState(player.State{Queued: 960 * ms, Lost: 40 * ms, Marks: 1})
	if err := os.Mkdir(b.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	b.advance(39 * ms)
	b.wantPlays(0)
	b.advance(ms)
	b.wantLengths(40*ms, 920*ms)
	b.played(0, 40*ms)
	b.played(1, 920*ms)
	b.wantMarks("a")
}

// What a dead process has left goes: nothing else does, whatever it is called.
func TestSweep(t *testing.T) {
	dir := t.TempDir()
	old := time.Now().Add(-time.Hour)
	ours := []string{"tapdeck-a-0123abcd-1.r8", "tapdeck-_2f--0123abcd-42.r16"}
	others := []string{
		"tapdeck-new-0123abcd-1.r8", "tapdeck-b-0123abcd-1.wav", "prompt.r8", "tapdeck-greeting.r8", "tapdeck-a-0123abcd-1.r8.bak",
		"my-tapdeck-a-0123abcd-1.r8", "tapdeck-a-0123abcd-.r8", "tapdeck-a-0123ABCD-1.r8", "tapdeck-a b-0123abcd-1.r8",
	}
	for _, name := range append(ours, others...) {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if name != others[0] {
			if err := os.Chtimes(path, old, old); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "tapdeck-d-0123abcd-1.r8"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(dir, "prompt.r8"), filepath.Join(dir, "tapdeck-l-0123abcd-1.r8")); err != nil {
		t.Fatal(err)
	}
	if n, err := player.Sweep(dir, time.Minute); n != len(ours) || err != nil {
		t.Errorf("%d files, %v", n, err)
	}
	if left, _ := os.ReadDir(dir); len(left) != len(others)+2 {
		t.Errorf("%v are left", left)
	}
	if _, err := player.Sweep(filepath.Join(dir, "missing"), 0); err == nil {
		t.Error("a directory that is not there is no error")
	}
}

// What a player leaves is known again, whatever the call's id is.
func TestSweepKnowsEveryName(t *testing.T) {
	for _, id := range []string{"", "a b\nc", strings.Repeat("ü", 128), "-x", "0b3e7a52-6a4c-4a55-9b6e-111111111111"} {
		dir := t.TempDir()
		p := player.New(player.Config{Rate: 16000, Method: player.MethodFiles, Directory: dir, Call: id}, byHand{&bed{t: t}}, zap.NewNop(), nil)
		p.Play(numbered(40*ms, 0), 16000)
		if err := p.Advance(time.Now()); err != nil {
			t.Fatal(err)
		}
		if n, err := player.Sweep(dir, -time.Hour); n != 1 || err != nil {
			t.Errorf("%q: %d files, %v", id, n, err)
		}
		p.Close()
	}
}
