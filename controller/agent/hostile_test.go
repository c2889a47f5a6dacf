package agent

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tapdeck/controller/dialer"
	"tapdeck/controller/internal/dialertest"

	"github.com/coder/websocket"
	"go.uber.org/zap"
)

// A bot that sends marks without end and never reads what comes back is not read either, and is lost.
func TestMarksWithoutEnd(t *testing.T) {
	bubble(t, testConfig(FormatTwilio), func(b *botConn) {
		for {
			if b.ws.Write(context.Background(), websocket.MessageText, []byte(`{"event":"mark","mark":{"name":"`+strings.Repeat("m", 900)+`"}}`)) != nil {
				return
			}
		}
	}, func(b *bed) {
		b.mouth.set(func() { b.mouth.instant = true })
		b.await(Connected)
		if lost := b.await(Lost); !errors.Is(lost.Err, dialer.ErrNoWrite) {
			t.Errorf("lost by %v", lost.Err)
		}
		if n := len(b.notices.waiting); n > 2*readNotices {
			t.Errorf("%d notices wait", n)
		}
	})
}

// All that a bot can send wrong is counted, and the conversation goes on.
func TestWrongMessages(t *testing.T) {
	long := strings.Repeat("x", 500_000)
	for _, c := range []struct {
		name   string
		format Format
		binary bool
		bad    string
		kind   wrongKind
	}{
		{"no JSON", FormatTwilio, false, "hello", wrongJSON},
		{"long text", FormatTwilio, false, long, wrongJSON},
		{"deep JSON", FormatTwilio, false, strings.Repeat("[", 500_000), wrongJSON},
		{"unknown event", FormatTwilio, false, `{"event":"` + long + `"}`, wrongEvent},
		{"no base64", FormatTwilio, false, `{"event":"media","media":{"payload":"` + long + `!"}}`, wrongBase64},
		{"binary", FormatTwilio, true, long, wrongBinary},
		{"no JSON", FormatPCM, false, "\x00\xff", wrongJSON},
		{"deep JSON", FormatPCM, false, strings.Repeat(`{"event":`, 50_000), wrongJSON},
		{"odd bytes", FormatPCM, true, "abc", wrongOdd},
		{"a file", FormatPCM, false, `{"event":"play","file":"/etc/passwd"}`, wrongEvent},
		{"a transfer that is a command", FormatPCM, false, `{"event":"transfer","to":"system:reboot inline"}`, wrongMember},
		{"a long mark", FormatPCM, false, `{"event":"mark","name":"` + long + `"}`, wrongMark},
	} {
		t.Run(string(c.format)+" "+c.name, func(t *testing.T) {
			bubble(t, testConfig(c.format), func(b *botConn) {
				for range 3 {
					if c.binary {
						b.sayBinary([]byte(c.bad))
					} else {
						b.say(c.bad)
					}
				}
				b.say(map[Format]string{FormatTwilio: `{"event":"mark","mark":{"name":"n"}}`, FormatPCM: `{"event":"mark","name":"n"}`}[c.format])
				b.all()
			}, func(b *bed) {
				b.await(Connected)
				for range 3 {
					if e := b.await(BadMessage); e.Err == nil || len(e.Err.Error()) > 500 {
						t.Errorf("event %.500v", e.Err)
					}
				}
				elapse(10 * time.Second)
				b.mouth.set(func() {
					if st := b.State(); st.Wrong[string(c.kind)] != 3 || !st.Connected || len(b.mouth.marks) != 1 {
						t.Errorf("state %+v, %d marks", st, len(b.mouth.marks))
					}
				})
				checkWrongLines(t, b, 3)
			})
		})
	}
}

// checkWrongLines wants lines with a hint that the daemon's log can limit.
func checkWrongLines(t *testing.T, b *bed, n int) {
	t.Helper()
	lines := b.logs.FilterMessage("wrong message of an agent").All()
	if len(lines) != n {
		t.Errorf("%d lines, want %d", len(lines), n)
	}
	for _, l := range lines {
		limited := false
		for _, f := range l.Context {
			limited = limited || f.Key == "ratelog" && strings.HasPrefix(f.String, testID) // other calls' lines are not limited by it
		}
		if m := l.ContextMap(); m["hint"] == "" || m["cause"] == "" || !limited {
			t.Errorf("line %v, limited %v", m, limited)
		}
	}
}

// A message that is too big ends the connection, and in the end the conversation.
func TestTooBigMessage(t *testing.T) {
	c := testConfig(FormatTwilio)
	c.Reconnect = 1
	bubble(t, c, func(b *botConn) {
		_ = b.ws.Write(context.Background(), websocket.MessageText, make([]byte, 10<<20))
	}, func(b *bed) {
		b.await(Connected)
		b.await(BadMessage)
		b.await(Lost)
		b.await(Connected)
		b.await(BadMessage)
		if e := b.await(Failed); !errors.Is(e.Err, websocket.ErrMessageTooBig) || e.Text != hintTooBig {
			t.Errorf("failed: %v (%s)", e.Err, e.Text)
		}
		if st := b.State(); st.Wrong[string(wrongSize)] != 2 {
			t.Errorf("state %+v", st)
		}
	})
}

// So does one in fragments, although the caller's audio is being sent: the library closes before it says why.
func TestTooBigInFragments(t *testing.T) {
	c := testConfig(FormatPCM)
	c.Reconnect = 0
	for range 20 {
		bubble(t, c, func(b *botConn) {
			b.skip(3)
			var reading sync.WaitGroup
			reading.Go(func() { b.all() })
			w, err := b.ws.Writer(context.Background(), websocket.MessageBinary)
			for err == nil {
				_, err = w.Write(make([]byte, 10_000))
			}
			reading.Wait()
		}, func(b *bed) {
			b.await(Connected)
			b.ear.Add(make([]byte, 60*16000))
			b.await(BadMessage)
			if e := b.await(Failed); !errors.Is(e.Err, websocket.ErrMessageTooBig) || e.Text != hintTooBig {
				t.Errorf("failed: %v (%s)", e.Err, e.Text)
			}
			if st := b.State(); st.Wrong[string(wrongSize)] != 1 {
				t.Errorf("state %+v", st)
			}
		})
	}
}

// Whoever floods us is read slowly: nonsense, clears and requests a hundred times in a second.
func TestFloodIsReadSlowly(t *testing.T) {
	for message, count := range map[string]func(*bed) int{
		`nonsense`:                         func(b *bed) int { return b.State().Wrong[string(wrongJSON)] },
		`{"event":"clear"}`:                func(b *bed) int { return b.State().Clears },
		`{"event":"hangup"}`:               func(b *bed) int { return b.State().Wrong[string(wrongTooMany)] + len(b.Events()) },
		`{"event":"dtmf","digits":"1"}`:    func(b *bed) int { return b.State().Wrong[string(wrongTooMany)] + len(b.Events()) },
		`{"event":"transfer","to":"5000"}`: func(b *bed) int { return b.State().Wrong[string(wrongTooMany)] + len(b.Events()) },
	} {
		t.Run(message, func(t *testing.T) {
			var quiet atomic.Bool
			bubble(t, testConfig(FormatPCM), func(b *botConn) {
				for !quiet.Load() && b.ws.Write(context.Background(), websocket.MessageText, []byte(message)) == nil {
				}
				b.all()
			}, func(b *bed) {
				b.await(Connected)
				elapse(9*time.Second + 500*time.Millisecond)
				if n := count(b); n < 900 || n > 1100 {
					t.Errorf("%d messages were read in 10 s", n)
				}
				if !b.State().Connected {
					t.Error("the bot is gone")
				}
				quiet.Store(true) // else it would be read as fast as it floods, and fake time would stand still
				elapse(time.Minute)
			})
		})
	}
}

// Digits that the switch would need minutes for are refused, and the bot may send more later.
func TestDigitsAreBounded(t *testing.T) {
	const most, pauses = `{"event":"dtmf","digits":"12345678901234567890123456789012"}`, `{"event":"dtmf","digits":"WWWWWWWWWWWWWWWWWWWW"}`
	bubble(t, testConfig(FormatPCM), func(b *botConn) {
		for range 20 {
			b.say(most)
		}
		elapse(time.Second)
		b.say(pauses)
		elapse(19 * time.Second)
		b.say(pauses)
		b.say(`{"event":"dtmf","digits":"1"}`)
		elapse(601 * time.Millisecond)
		b.say(`{"event":"dtmf","digits":"1"}`)
		b.all()
	}, func(b *bed) {
		b.await(Connected)
		b.await(SendDigits)
		for range 20 {
			if e := b.await(BadMessage); !strings.Contains(e.Err.Error(), "would take longer than 20s") {
				t.Errorf("wrong: %v", e.Err)
			}
		}
		b.await(SendDigits)
		b.await(BadMessage)
		b.await(SendDigits)
		if st := b.State(); st.Wrong[string(wrongTooMany)] != 21 || !st.Connected {
			t.Errorf("state %+v", st)
		}
	})
}

// The end of a conversation is told even if nobody has fetched the events before.
func TestEndFindsRoom(t *testing.T) {
	bubble(t, testConfig(FormatPCM), func(b *botConn) {
		b.skip(1)
		for range 70 {
			b.say(`{"event":"dtmf","digits":"1"}`)
			b.say(`{"event":"clear"}`)
		}
		b.ws.Close(websocket.StatusNormalClosure, "")
	}, func(b *bed) {
		elapse(time.Minute)
		var last Event
		n := 0
		for len(b.Events()) > 0 {
			last = <-b.Events()
			n++
		}
		if last.Kind != Ended || n > maxEvents {
			t.Errorf("%d events, the last %q", n, last.Kind)
		}
	})
}

// What was made of the mouth or the ear by others ends this conversation only.
func TestPanicEndsTheConversation(t *testing.T) {
	bubble(t, testConfig(FormatPCM), func(b *botConn) {
		elapse(time.Second) // in which the mouth is made to panic
		b.sayBinary(frame(1))
		b.all()
	}, func(b *bed) {
		b.mouth.set(func() { b.mouth.panics = true })
		b.await(Connected)
		if e := b.await(Failed); !errors.Is(e.Err, errPanic) || e.Text != hintReport || b.lines("agent panicked") != 1 {
			t.Errorf("failed: %v (%s)", e.Err, e.Text)
		}
	})
}

func TestStop(t *testing.T) {
	silent := func(w http.ResponseWriter, r *http.Request, _ int) { elapse(time.Minute) }
	stuck := func(w http.ResponseWriter, r *http.Request, _ int) {
		if ws, err := websocket.Accept(w, r, nil); err == nil {
			elapse(time.Minute)
			ws.CloseNow()
		}
	}
	for name, c := range map[string]struct {
		bot   func(http.ResponseWriter, *http.Request, int)
		after time.Duration
		most  time.Duration
	}{
		"while it connects":        {silent, time.Second, 0},
		"before it connects again": {func(w http.ResponseWriter, _ *http.Request, _ int) { http.Error(w, "", 500) }, 50 * time.Millisecond, 0},
		"a bot that reads nothing": {stuck, time.Second, stopTimeout},
	} {
		t.Run(name, func(t *testing.T) {
			bubbleHTTP(t, testConfig(FormatTwilio), c.bot, func(b *bed) {
				b.ear.Add(make([]byte, 320*400))
				elapse(c.after)
				began := time.Now()
				b.Stop("test over")
				b.Stop("again")
				if took := time.Since(began); took > c.most {
					t.Errorf("it took %v, want %v at most", took, c.most)
				}
				select {
				case <-b.done:
				default:
					t.Error("goroutines still run")
				}
				elapse(time.Hour)
				b.Digit("1", 0)
				b.BargeIn(0)
				for len(b.Events()) > 0 {
					if e := <-b.Events(); e.Kind == Failed || e.Kind == Ended {
						t.Errorf("event %q after a stop", e.Kind)
					}
				}
			})
		})
	}
}

// The end of the context is a stop.
func TestContextEnds(t *testing.T) {
	told := make(chan []map[string]any, 1)
	synctest.Test(t, func(t *testing.T) {
		n := dialertest.NewNetwork()
		srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ws, err := websocket.Accept(w, r, nil)
			if err != nil {
				t.Error(err)
				return
			}
			b := &botConn{t: t, ws: ws}
			told <- b.all()
		})}
		go srv.Serve(n)
		ctx, cancel := context.WithCancelCause(t.Context())
		s := start(ctx, testConfig(FormatPCM), dialertest.NewEar(1), &testMouth{}, zap.NewNop(), nil, n.Dial)
		<-s.Events()
		cancel(errors.New("shutdown"))
		<-s.done
		srv.Close()
	})
	all := <-told
	if last := all[len(all)-1]; last["event"] != "stop" || last["reason"] != "shutdown" {
		t.Errorf("the bot was told %v", all)
	}
}
