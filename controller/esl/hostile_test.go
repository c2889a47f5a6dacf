package esl

import (
	"context"
	"errors"
	"strings"
	"testing"

	"tapdeck/controller/esl/internal/frametest"
)

// hostileFrame is one frame that ends the library's process or its reader.
type hostileFrame struct {
	name, text string
	closes     bool // while a command waits; otherwise it is dropped
}

// hostileFrames are frames that the library does not survive, one of each kind.
func hostileFrames() []hostileFrame {
	reply := func(text string) string { return "Content-Type: command/reply\n" + text + "\n" }
	api := func(length, body string) string { return "Content-Type: api/response\n" + length + "\n" + body }
	return []hostileFrame{
		{"log/data", "Content-Type: log/data\nContent-Length: 3\n\nlog", false},
		{"xml event", "Content-Type: text/event-xml\nContent-Length: 8\n\n<event/>", false},
		{"rude rejection", "Content-Type: text/rude-rejection\nContent-Length: 3\n\nno\n", false},
		{"auth request", "Content-Type: auth/request\n\n", false},
		{"unknown type", "Content-Type: x\n\n", false},
		{"type in other case", "content-type: TEXT/EVENT-JSON\nContent-Length: 2\n\n{}", false},
		{"no type", "Reply-Text: +OK\n\n", true},
		{"blank type", "Content-Type: \nReply-Text: +OK\n\n", true},
		{"blank type before a good one", "Content-Type:\nContent-Type: command/reply\nReply-Text: +OK\n\n", true},
		{"reply without text", reply(""), true},
		{"reply with empty text", reply("Reply-Text: \n"), true},
		{"reply of one byte", reply("Reply-Text: 1\n"), true},
		{"reply -E", reply("Reply-Text: -E\n"), true},
		{"reply -ERR", reply("Reply-Text: -ERR\n"), true},
		{"negative length", "Content-Type: command/reply\nReply-Text: +OK\nContent-Length: -5\n\n", true},
		{"length that is no number", "Content-Type: command/reply\nReply-Text: +OK\nContent-Length: five\n\n", true},
		{"api without body", api("", ""), false},
		{"api of one byte", api("Content-Length: 1\n", "x"), false},
		{"api -ERR", api("Content-Length: 4\n", "-ERR"), false},
		{"JSON null", frametest.JSON(`null`), false},
		{"JSON array", frametest.JSON(`[{"a":"b"}]`), false},
		{"JSON number", frametest.JSON(`5`), false},
		{"JSON cut off", frametest.JSON(`{"a":"b`), false},
		{"JSON empty body", frametest.JSON(``), false},
		{"JSON number out of range", frametest.JSON(`{"a":1e400}`), false},
		{"JSON empty key", frametest.JSON(`{"":"b"}`), false},
		{"JSON _body of a number", frametest.JSON(`{"_body":5}`), false},
		{"JSON _body of an array", frametest.JSON(`{"_body":["a"]}`), false},
		{"JSON escaped _body", frametest.JSON(`{"\u005fbody":{}}`), false},
		{"plain event without end", frametest.Plain("Event-Name: X\n"), false},
		{"plain event, bad name", frametest.Plain("variable_a[0]: X\n\n"), false},
		{"plain event, negative length", frametest.Plain("A: b\nContent-Length: -1\n\n"), false},
		{"plain event, long length", frametest.Plain("A: b\nContent-Length: 10\n\nx"), false},
		{"plain event, blank first", frametest.Plain(" A: b\n\n"), false},
		{"blank lines", "\n\r\n\n", false},
		{"names that textproto refuses", "Content-Type: text/event-json\nvariable_(a): x\nvariable_b[1]/@: y\nvariable_\xc3\xa4: z\nno colon\nContent-Length: 2\n\n{}", false},
	}
}

// A hostile frame as the answer to a command either ends that connection, or
// is dropped and the answer behind it counts.
func TestHostileFrameWhileACommandWaits(t *testing.T) {
	for _, f := range hostileFrames() {
		t.Run(f.name, func(t *testing.T) {
			_, err := call(t, testConfig(), func(p *peer) {
				p.expect("connect")
				p.say(connectReply)
				p.expect("linger")
				p.Write([]byte(f.text + frametest.OKReply))
				if f.closes {
					p.eof()
				}
				p.Close()
			}, func(ctx context.Context, c *Conn) error {
				_, err := c.Command(ctx, "linger 5")
				if (err != nil) != f.closes {
					t.Errorf("command: %v", err)
				}
				return ended(t, c)
			})
			if bad := new(FrameError); errors.As(err, &bad) != f.closes {
				t.Errorf("end: %v", err)
			}
		})
	}
}

// The same frames in place of the answer to connect, and before it.
func TestHostileFrameBeforeConnectIsAnswered(t *testing.T) {
	for _, f := range hostileFrames() {
		t.Run(f.name, func(t *testing.T) {
			_, err := call(t, testConfig(), func(p *peer) {
				p.expect("connect")
				p.Write([]byte(f.text + connectReply))
				p.Close()
			}, func(ctx context.Context, c *Conn) error {
				if c.Channel().Get("Control") != "full" {
					t.Errorf("channel: %v", c.Channel())
				}
				return nil
			})
			if f.closes != (err != nil && strings.Contains(err.Error(), "event socket closed")) {
				t.Errorf("end: %v", err)
			}
		})
	}
}

func TestJSONValuesOfEveryKind(t *testing.T) {
	_, err := call(t, testConfig(), func(p *peer) {
		p.expect("connect")
		p.say(connectReply)
		p.say(frametest.JSON(`{"Event-Name":"X","a":["b"],"n":null,"f":1.5,"t":true,"o":{"":[]},"variable_(x)[/]@ä":"weird","VARIABLE_UP":"up","_b":"under","_body":"text"}`))
		p.Close()
	}, func(ctx context.Context, c *Conn) error {
		ev := event(t, c)
		for name, want := range map[string]string{
			"a": "", "n": "", "f": "", "t": "", "o": "", "": "",
			"event-name": "X", "variable_(X)[/]@ä": "weird", "variable_up": "up", "_b": "under", "_B": "under", "_body": "",
		} {
			if got := ev.Get(name); got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
		if ev.Body != "text" {
			t.Errorf("body %q", ev.Body)
		}
		return ended(t, c)
	})
	if !errors.Is(err, ErrPeerClosed) {
		t.Error(err)
	}
}

func TestUnsafeCommandsAreNotSent(t *testing.T) {
	_, err := call(t, testConfig(), func(p *peer) {
		p.expect("connect")
		p.say(connectReply)
		p.expect("exit")
		p.say("Content-Type: command/reply\nReply-Text: +OK bye\n\n")
	}, func(ctx context.Context, c *Conn) error {
		for _, bad := range []string{"", " ", "a\nb", "a\rb", "a\x00b", "\n", "a\r\n\r\nexit"} {
			if _, err := c.Command(ctx, bad); !errors.Is(err, ErrUnsafe) {
				t.Errorf("command %q: %v", bad, err)
			}
			if _, err := c.BgAPI(ctx, bad); !errors.Is(err, ErrUnsafe) {
				t.Errorf("bgapi %q: %v", bad, err)
			}
			if _, err := c.Execute(ctx, bad, "x"); !errors.Is(err, ErrUnsafe) {
				t.Errorf("app %q: %v", bad, err)
			}
			if _, err := c.Execute(ctx, "set", "x"+bad+"\n"); !errors.Is(err, ErrUnsafe) {
				t.Errorf("argument %q: %v", bad, err)
			}
		}
		if _, err := c.Execute(ctx, "set", strings.Repeat("a", maxCommand)); !errors.Is(err, ErrTooLong) {
			t.Errorf("long argument: %v", err)
		}
		_, err := c.Command(ctx, "exit")
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
