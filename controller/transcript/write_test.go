package transcript

import (
	"bytes"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// heardAtOnce is what the service has been sent before time goes on.
func (b *testbed) heardAtOnce() time.Duration {
	synctest.Wait()
	return b.server.Connections()[0].Report().Audio
}

// Two seconds of audio are sent at once, what is beyond no faster than the greatest speed.
func TestBurst(t *testing.T) {
	bubble(t, FormatDeepgram, 1, func(b *testbed) {
		b.ear.Add(said(2 * time.Second))
		b.start()
		if heard := b.heardAtOnce(); heard != 2*time.Second {
			b.Errorf("%v of 2 s were sent at once", heard)
		}
		b.ear.Add(said(20 * time.Second))
		if heard := b.heardAtOnce(); heard > 3*time.Second {
			b.Errorf("%v were sent at once", heard)
		}
		b.wait()
	})
}

// Two seconds after the latest audio all of it has been sent, however little came last, and silence behind it.
func TestSilenceOfAPause(t *testing.T) {
	eachFormat(t, 1, func(b *testbed) {
		audio := said(1040*ms, word(500*ms, "one")) // 40 ms of it are too little for a message
		b.start()
		b.ear.Live(audio)
		if heard := b.heardAtOnce(); heard != time.Second {
			b.Errorf("%v were sent as they came", heard)
		}
		time.Sleep(pauseTime)
		if heard := b.heardAtOnce(); heard != 1040*ms+gapSilence {
			b.Errorf("%v were sent, want %v", heard, 1040*ms+gapSilence)
		}
		if sent := b.server.Connections()[0].Audio(); !bytes.HasPrefix(sent, audio) {
			b.Error("the silence is not behind the audio")
		}
		b.wait()
	})
}

// Deepgram asks for a KeepAlive every 3 to 5 s while there is no audio.
func TestKeepAlive(t *testing.T) {
	bubble(t, FormatDeepgram, 1, func(b *testbed) {
		b.start()
		synctest.Wait()
		last, n := time.Now(), 0
		time.Sleep(30 * time.Second)
		b.ear.Live(said(time.Second))
		time.Sleep(30 * time.Second)
		for _, m := range b.server.Connections()[0].Messages() {
			if d := m.At.Sub(last); d > 5*time.Second || m.Text != "" && d < 3*time.Second {
				b.Errorf("%q after %v", m.Text, d)
			}
			if last = m.At; m.Text == `{"type":"KeepAlive"}` {
				n++
			}
		}
		if n < 10 {
			b.Errorf("%d in a minute", n)
		}
		b.wait()
	})
}

// behindWire is a wire whose service has always left too much unanswered.
type behindWire struct{ wire }

func (behindWire) idle() []byte                       { return nil }
func (behindWire) unanswered() (int64, time.Duration) { return 1, 0 }

// A service that is behind is waited for as long as it answers something.
func TestProgressIsWaitedFor(t *testing.T) {
	bubble(t, FormatVosk, 1, func(b *testbed) {
		c := b.connected()
		c.wire = behindWire{c.wire}
		began := time.Now()
		for n := range 5 {
			time.AfterFunc(time.Duration(n+1)*10*time.Second, func() { signal(c.progress) })
		}
		err := c.awaitAnswer()
		if waited := time.Since(began); !errors.Is(err, errNoAnswer) || waited != 50*time.Second+answerTimeout {
			b.Errorf("after %v: %v", waited, err)
		}
	})
}
