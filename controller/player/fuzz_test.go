package player_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"tapdeck/controller/player"
)

// Whatever an event says, only a usable name with our tag comes into a command, and once.
func FuzzNamed(f *testing.F) {
	f.Add(`{"audioDataType":"raw","sampleRate":8000,"tapdeck":"0-1","file":"/tmp/x_0.tmp.r8"}`)
	f.Add(`{"tapdeck":"0-1","file":"/tmp/x\nEvent-UUID: 7"}`)
	f.Add(`{"tapdeck":"0-1","file":"/tmp/${x}","FILE":"/tmp/y"}`)
	f.Add(`{"tapdeck":["0-1"],"file":{}}`)
	f.Fuzz(func(t *testing.T, body string) {
		b := stream(t)
		b.say(20*ms, 0)
		b.Named(body, b.now)
		b.advance(0)
		b.Named(body, b.now)
		b.advance(0)
		if len(b.plays) > 1 {
			t.Fatalf("%q is played", b.plays)
		}
		for _, file := range b.plays {
			if file == "" || strings.ContainsAny(file, "\r\n\x00") || strings.Contains(file, "${") || !strings.Contains(body, "0-1") && !strings.Contains(body, `\u`) {
				t.Errorf("%q makes %q", body, file)
			}
		}
	})
}

// Any sequence of what bots and switches do leaves the player whole: bounds hold, marks come in order, once.
func FuzzOperations(f *testing.F) {
	f.Add([]byte("PPPPMAN0CAPPN1M0101AA"), false)
	f.Add([]byte("pMpMFA0A1A2CAPPA34AEPX"), true)
	f.Add([]byte("PMANANJWAPANALMNLUANLFNL0"), false)
	f.Fuzz(func(t *testing.T, ops []byte, files bool) {
		c := player.Config{Method: player.MethodStream, Limit: time.Second}
		if files {
			c.Method, c.Directory = player.MethodFiles, t.TempDir()
		}
		b := newBed(t, c)
		var queued, called int
		for _, op := range ops[:min(len(ops), 500)] {
			switch {
			case op == 'M':
				n := queued
				queued++
				b.Mark(func(bool) {
					if n != called {
						t.Errorf("mark %d comes after %d", n, called)
					}
					called++
				})
			case op == 'F':
				n := new(int)
				b.File("x.wav", func(player.Played) {
					if *n++; *n > 1 {
						t.Error("a file is done twice")
					}
				})
			default:
				b.operate(op)
			}
			b.check()
		}
		b.Close()
		if called != queued {
			t.Errorf("%d of %d marks came", called, queued)
		}
		if files && len(b.files()) > 0 {
			t.Errorf("files %v", b.files())
		}
	})
}

func (b *bed) operate(op byte) {
	switch {
	case op == 'P':
		b.Player.Play(numbered(300*ms, 0), 8000)
	case op == 'p':
		b.Player.Play(numbered(7*ms, 0), 8000)
	case op == 'r':
		b.Player.Play(numbered(9*ms, 0), 24000)
	case op == 'C':
		b.Clear()
	case op == 'D':
		b.during = b.Clear
	case op == 'A':
		b.advance(17 * ms)
	case op == 'W':
		b.advance(time.Second)
	case op == 'N' && len(b.sent) > 0:
		b.name(len(b.sent) - 1)
	case op == 'J' && len(b.sent) > 0:
		b.refuse(len(b.sent) - 1)
	case op == 'L':
		b.done(len(b.plays)-1, "FILE NOT FOUND", 0)
	case op == 'U':
		b.Connected(b.now)
	case op == 'd':
		b.down = player.ErrNoStream
	case op == 'u':
		b.down = nil
	case op == 'X':
		b.Close()
	case op == 'E':
		b.done(len(b.plays)-1, "PLAYBACK ERROR", 0)
	case op >= '0' && op <= '9':
		b.Completed(player.Completion{ID: strconv.Itoa(len(b.plays) - 1 - int(op-'0')), Played: player.Played{Response: "FILE PLAYED", Heard: ms * time.Duration(op)}, At: b.now})
	}
}

func (b *bed) check() {
	b.t.Helper()
	s := b.State()
	given := b.Given()
	var with time.Duration
	for _, d := range given {
		with = max(with, d)
	}
	if len(given) > 3 || len(given) == 3 && with >= 60*ms {
		b.t.Errorf("the switch has %v", given)
	}
	if s.Queued > 4*time.Second || s.Queued < 0 || s.Playing != (len(given) > 0) {
		b.t.Errorf("state %+v", s)
	}
}
