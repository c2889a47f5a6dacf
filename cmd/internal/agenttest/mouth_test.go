package agenttest

import (
	"bytes"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"tapdeck/controller/switchsim/bot"
)

// Marks come back when their audio has been heard, in order; a clear gives back all at once.
func TestMouth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, begin := &mouth{}, time.Now()
		defer m.close()
		var got []string
		mark := func(name string) {
			m.Mark(func(cleared bool) { got = append(got, fmt.Sprintf("%s %v %v", name, time.Since(begin), cleared)) })
		}
		mark("empty")
		m.Play(make([]byte, 1600), 8000)
		mark("a")
		mark("b")
		m.Play(make([]byte, 4800), 24000)
		mark("c")
		time.Sleep(300 * time.Millisecond)
		m.Play(make([]byte, 32000), 16000)
		mark("d")
		time.Sleep(250 * time.Millisecond)
		m.Clear()
		synctest.Wait()
		want := []string{"empty 0s false", "a 100ms false", "b 100ms false", "c 200ms false", "d 550ms true"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if h := m.state(); h.dropped != 750*time.Millisecond || h.audio != 1200*time.Millisecond || h.longest != time.Second || h.ahead != time.Second || h.waiting != 3 || h.back != 5 {
			t.Errorf("%+v", h)
		}
	})
}

// The caller says his words in real time, from when he is told to, and nothing else.
func TestEar(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEar(8000)
		defer func() { e.Close(); e.Close() }() // as an pcm.Ear may be
		words := bot.Tone(8000, 440, 50*time.Millisecond)
		time.Sleep(95 * time.Millisecond)
		if end := e.say(words); end.Sub(e.began) != 130*time.Millisecond {
			t.Errorf("the end is at %v", end.Sub(e.began))
		}
		time.Sleep(105 * time.Millisecond)
		<-e.Ready()
		var heard []byte
		for p := make([]byte, 320); ; {
			s, err := e.Read(p)
			if err != nil || s.Bytes == 0 {
				break
			}
			if at := time.Duration(len(heard)) * time.Second / 16000; s.At != at {
				t.Errorf("at %v, want %v", s.At, at)
			}
			heard = append(heard, p[:s.Bytes]...)
		}
		want := append(append(make([]byte, 1280), words...), make([]byte, 3200-1280-len(words))...)
		if !bytes.Equal(heard, want) {
			t.Errorf("%d bytes that are not the %d that were said", len(heard), len(want))
		}
	})
}
