package agent

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
)

// A bot that closes as one does ends the conversation; so it is not lost.
func TestBotEnds(t *testing.T) {
	for _, status := range []websocket.StatusCode{websocket.StatusNormalClosure, websocket.StatusGoingAway, websocket.StatusNoStatusRcvd} {
		t.Run(fmt.Sprint(int(status)), func(t *testing.T) {
			bubble(t, testConfig(FormatPCM), func(b *botConn) {
				b.skip(1)
				b.ws.Close(status, "")
			}, func(b *bed) {
				b.await(Connected)
				b.await(Ended)
			})
		})
	}
}

// So is one that closes while the caller's audio is being sent, which the close may have fail first.
func TestBotEndsInTheMiddle(t *testing.T) {
	for range 50 {
		bubble(t, testConfig(FormatPCM), func(b *botConn) {
			b.skip(3)
			b.ws.Close(websocket.StatusNormalClosure, "")
		}, func(b *bed) {
			b.await(Connected)
			b.ear.Add(make([]byte, 60*16000))
			b.await(Ended)
		})
	}
}

// What a bot has sent before it closed, and was gone, is heard, though nothing can be written to it any more.
func TestBotIsGoneBeforeItIsRead(t *testing.T) {
	bubble(t, testConfig(FormatPCM), func(b *botConn) {
		for range 10 {
			b.sayBinary(make([]byte, 4000)) // more than what is read at once
		}
		_ = b.ws.Close(websocket.StatusNormalClosure, "") // which waits for 5 s
	}, func(b *bed) {
		held := make(chan struct{})
		b.mouth.set(func() { b.mouth.held = held })
		b.await(Connected)
		elapse(6 * time.Second)
		b.ear.Add(frame(1)) // finds the bot gone
		elapse(2 * time.Second)
		close(held)
		b.await(Ended)
		if n := len(b.mouth.played); n != 10*4000 {
			t.Errorf("%d bytes were played", n)
		}
	})
}

// A bot that has asked for the end of the conversation need not come back.
func TestNoReconnectAfterARequest(t *testing.T) {
	for _, m := range []string{`{"event":"hangup"}`, `{"event":"transfer","to":"5000"}`} {
		bubble(t, testConfig(FormatPCM), func(b *botConn) {
			b.say(m)
			b.die()
		}, func(b *bed) {
			b.await(Connected)
			<-b.Events()
			<-b.done
			if b.State().Connects != 1 || b.lines("agent lost") != 0 || len(b.Events()) != 0 {
				t.Errorf("%s: %+v, %d events", m, b.State(), len(b.Events()))
			}
		})
	}
}

// A lost bot is dialled again, with pauses that grow; each time it is told all from the begin.
func TestReconnect(t *testing.T) {
	c := testConfig(FormatTwilio)
	c.Reconnect = 6
	var sids []string
	bubble(t, c, func(b *botConn) {
		b.skip(1)
		start, _ := b.hear()
		sids = append(sids, start["start"].(map[string]any)["streamSid"].(string))
		b.say(`{"event":"mark","mark":{"name":"forgotten"}}`)
		if start["sequenceNumber"] != "1" {
			t.Errorf("start has the number %v", start["sequenceNumber"])
		}
		if b.n == 2 {
			if m, _ := b.hear(); m["event"] != "dtmf" {
				t.Errorf("the bot was told %v, want the digit of before", m)
			}
		}
		b.die()
	}, func(b *bed) {
		var lost Event
		for i, pause := range []time.Duration{0, 200, 400, 800, 1600, 3200} {
			pause *= time.Millisecond
			if took := b.await(Connected).At.Sub(lost.At); i > 0 && (took < pause || took > pause*6/5) {
				t.Errorf("dialled again after %v, want about %v", took, pause)
			}
			lost = b.await(Lost)
			if lost.Text != hintCrash {
				t.Errorf("hint %q of %v", lost.Text, lost.Err)
			}
			if i == 0 {
				b.Speech(true, 0) // means nothing later
				b.Digit("1", 0)
			}
			b.mouth.flush(false) // marks of a connection that is over
		}
		if took := b.await(Connected).At.Sub(lost.At); took < 5*time.Second || took > 6*time.Second {
			t.Errorf("dialled again after %v, want about 5 s", took)
		}
		b.await(Failed)
		if st := b.State(); st.Connects != 7 || st.Reconnects != 6 || b.lines("agent connected") != 7 || b.lines("agent lost") != 6 {
			t.Errorf("state %+v, %d lines", st, b.lines("agent lost"))
		}
	})
	if len(sids) != 7 || sids[0] == sids[1] {
		t.Errorf("stream SIDs %v", sids)
	}
}

func elapse(d time.Duration) { <-time.After(d) }

// The attempts are counted anew after a connection that lasted.
func TestReconnectsAreCountedAnew(t *testing.T) {
	c := testConfig(FormatPCM)
	c.Reconnect = 1
	bubble(t, c, func(b *botConn) {
		b.skip(1)
		if b.n <= 3 {
			elapse(30 * time.Second)
		}
		b.die()
	}, func(b *bed) {
		for range 3 {
			b.await(Connected)
			b.await(Lost)
		}
		b.await(Connected)
		b.await(Failed)
	})
}

// A bot may be silent for as long as it likes, and so may the caller.
func TestIdleBotStays(t *testing.T) {
	bubble(t, testConfig(FormatTwilio), func(b *botConn) { b.all() }, func(b *bed) {
		b.await(Connected)
		elapse(6 * time.Hour)
		b.ear.Add(frame(1))
		synctest.Wait()
		if st := b.State(); !st.Connected || st.Frames != 1 {
			t.Errorf("state %+v", st)
		}
	})
}

// A host that is gone without a word answers no ping.
func TestDeadHostIsLost(t *testing.T) {
	bubble(t, testConfig(FormatTwilio), func(b *botConn) {
		b.skip(2)
		<-time.After(time.Hour) // and reads nothing: no pong
	}, func(b *bed) {
		began := b.await(Connected).At
		lost := b.await(Lost)
		if took := lost.At.Sub(began); took != 30*time.Second || lost.Err.Error() != "the bot has not answered a ping for 20 s" || lost.Text != hintSlow {
			t.Errorf("lost after %v: %v (%s)", took, lost.Err, lost.Text)
		}
	})
}

// A bot that reads nothing is lost once the network takes nothing more.
func TestSlowBotIsLost(t *testing.T) {
	bubble(t, testConfig(FormatTwilio), func(b *botConn) { elapse(time.Hour) }, func(b *bed) {
		b.await(Connected)
		b.ear.Add(make([]byte, 320*400)) // 400 messages of about 340 bytes: more than the pipe takes
		began := time.Now()
		lost := b.await(Lost)
		if took := time.Since(began); took != 5*time.Second || lost.Err.Error() != "the bot has read nothing for 5 s" {
			t.Errorf("lost after %v: %v", took, lost.Err)
		}
	})
}
