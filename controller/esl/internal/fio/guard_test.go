package fio

import (
	"strings"
	"testing"

	"tapdeck/controller/esl/internal/frame"
	"tapdeck/controller/esl/internal/frametest"
)

// judgedFrame is a frame and what the guard says of it.
type judgedFrame struct {
	name, in string
	awaits   bool
	want     verdict
	reason   string
}

func judged() []judgedFrame {
	return []judgedFrame{
		{"reply", frametest.OKReply, true, forward, ""},
		{"unasked reply", frametest.OKReply, false, drop, DropUnasked},
		{"unasked short reply", "Content-Type: command/reply\n\n", false, drop, DropUnasked},
		{"error reply", "Content-Type: command/reply\nReply-Text: -ERR x\n\n", true, forward, ""},
		{"no reply text", "Content-Type: command/reply\n\n", true, distrust, frame.ReasonShortReply},
		{"empty reply text", "Content-Type: command/reply\nReply-Text:\n\n", true, distrust, frame.ReasonShortReply},
		{"second reply text", "Content-Type: command/reply\nReply-Text:\nReply-Text: +OK\n\n", true, distrust, frame.ReasonShortReply},
		{"one byte", "Content-Type: command/reply\nReply-Text: 5\n\n", true, distrust, frame.ReasonShortReply},
		{"short error", "Content-Type: command/reply\nReply-Text: -ERR\n\n", true, distrust, frame.ReasonShortReply},
		{"shortest error", "Content-Type: command/reply\nReply-Text: -ERR \nReply-Text: x\n\n", true, distrust, frame.ReasonShortReply},
		{"five bytes of error", "Content-Type: command/reply\nReply-Text: -ERRx\n\n", true, forward, ""},
		{"api response", "Content-Type: api/response\nContent-Length: 3\n\n+OK", true, drop, DropType},
		{"linger", "Content-Type: text/disconnect-notice\nContent-Disposition: linger\nContent-Length: 0\n\n", false, forward, ""},
		{"disconnect", "Content-Type: text/disconnect-notice\nContent-Disposition: disconnect\n\n", false, forwardLast, ""},
		{"disconnect without disposition", "Content-Type: text/disconnect-notice\n\n", false, forwardLast, ""},
		{"log", "Content-Type: log/data\nContent-Length: 1\n\nx", false, drop, DropType},
		{"xml", "Content-Type: text/event-xml\nContent-Length: 1\n\nx", false, drop, DropType},
		{"rude", "Content-Type: text/rude-rejection\n\n", false, drop, DropType},
		{"auth", "Content-Type: auth/request\n\n", false, drop, DropType},
		{"case", "Content-Type: Command/Reply\nReply-Text: +OK\n\n", true, drop, DropType},
		{"no type", "Content-Length: 1\n\nx", false, distrust, frame.ReasonNoType},
		{"blank type", "Content-Type:  \n\n", false, distrust, frame.ReasonNoType},
		{"blank and second type", "Content-Type:\nContent-Type: log/data\n\n", false, distrust, frame.ReasonNoType},
		{"type with a blank before its colon", "Content-Type : log/data\n\n", false, distrust, frame.ReasonNoType},
		{"json", frametest.JSON(`{"a":"b"}`), false, forward, ""},
		{"bad json", frametest.JSON(`{"":"b"}`), false, drop, DropJSON},
		{"json without body", "Content-Type: text/event-json\n\n", false, drop, DropJSON},
		{"plain", frametest.Plain("Event-Name: A\nContent-Length: 2\n\nok"), false, forward, ""},
		{"plain without end", frametest.Plain("Event-Name: A\n"), false, drop, DropPlain},
		{"plain with a bad name", frametest.Plain("variable_(x): A\n\n"), false, drop, DropPlain},
		{"plain with a negative length", frametest.Plain("Content-Length: -1\n\n"), false, drop, DropPlain},
		{"plain with a long length", frametest.Plain("Content-Length: 3\n\nok"), false, drop, DropPlain},
		{"plain with a huge length", frametest.Plain("Content-Length: 9223372036854775807\n\nok"), false, drop, DropPlain},
		{"plain with a wrong length", frametest.Plain("Content-Length: x\n\nok"), false, drop, DropPlain},
		{"plain without body", frametest.Plain(""), false, drop, DropPlain},
	}
}

func TestJudge(t *testing.T) {
	for _, tt := range judged() {
		f := readFrame(t, tt.in)
		var g guard
		g.awaiting.Store(tt.awaits)
		if got, reason := g.judge(&f); got != tt.want || reason != tt.reason {
			t.Errorf("%s: %v %q, want %v %q", tt.name, got, reason, tt.want, tt.reason)
		}
		if tt.awaits && tt.reason != DropType && g.awaiting.Load() {
			t.Errorf("%s: still waits", tt.name)
		}
	}
}

// A reply passes once the blank line behind a command is on its way, however the command is cut.
func TestPass(t *testing.T) {
	for _, command := range []string{
		"linger 5\r\n\r\n", "bgapi status\r\nJob-UUID: x\r\n\r\n", // as the library's Send ends lines
		"sendmsg\ncall-command: execute\nexecute-app-name: playback\nevent-lock: true\n\n", // as its SendMsg does
	} {
		for size := range len(command) {
			var g guard
			for begin := 0; begin < len(command); begin += size + 1 {
				end := min(begin+size+1, len(command))
				g.pass([]byte(command[begin:end]))
				if awaits := g.awaiting.Load(); awaits != (end == len(command)) {
					t.Fatalf("%q, %d bytes at a time: awaits a reply after %q: %v", command, size+1, command[:end], awaits)
				}
			}
		}
	}
}

// jsonEvent says whether the guard lets a JSON event pass.
func jsonEvent(body []byte) bool {
	var g guard
	return g.judgeJSON(&frame.Frame{Body: body})
}

// jsonEvents are bodies, each with whether the library survives it.
func jsonEvents() map[string]bool {
	return map[string]bool{
		`{}`: true, `{"a":"b"}`: true, ` { "a" : [ "b" , null ] , "c" : 1.5e3, "d":{"":1}} `: true,
		`{"a":["b","c"],"d":[]}`: true, `{"_body":"x"}`: true, `{"_body":null}`: true, `{"a":""}`: true, `{"a":"\u00e4\"\\\/\b\f\n\r\t"}`: true,
		"{\"a\":\"\xff\"}": true, `{"variable_(a)[/@ä]":"b"}`: true, `{"\u005fbody":"x"}`: true,
		`{"_body":1,"_body":"x"}`: true, `{"a":1,"A":null}`: true, `{"a":"\ud800"}`: true, `{"_bodyx":["a"]}`: true, `{"a":["_body"]}`: true,
		``: false, `null`: false, `[]`: false, `"a"`: false, `1`: false, `{`: false, `}`: false, `{"a":"b"`: false, `{"a":"b"}x`: false, `{"a":"b",}`: false,
		`{"":"b"}`: false, `{"a":"b","":[]}`: false, `{ "" :1}`: false, `{"_body":1}`: false, `{"_body":["x"]}`: false, `{"_body":{}}`: false,
		`{"_body":[]}`: false, `{"\u005fbody":["x"]}`: false, `{"_body":"x","_body":true}`: false, `{"a":1e999}`: false,
		"{\"a\":\"\n\"}": false, `{"a":"\x"}`: false, `{"a":"\u00g0"}`: false, `{"a":"\u00"}`: false, `{"a":"\`: false, `{a:1}`: false,
		`{"a":["b"}`: false, `{"a":["b",]}`: false, `{"a":[,"b"]}`: false, `{"a""b"}`: false, `{"a":"b""c":"d"}`: false,
		`{"a":` + strings.Repeat("[", 20000) + strings.Repeat("]", 20000) + `}`: false,
	}
}

func TestJSONEvent(t *testing.T) {
	for in, want := range jsonEvents() {
		if got := jsonEvent([]byte(in)); got != want {
			t.Errorf("%.60q: %v", in, got)
		}
	}
}

func TestFlatEventIsSureOfRealEvents(t *testing.T) {
	if _, flat := flatEvent([]byte(frametest.Event), Names{}, nil); !flat {
		t.Error("not sure")
	}
}

// What is listed of an event passes as it was, in a frame that says its new length;
// an event that FreeSWITCH would not have written passes whole.
func TestGuardTrimsEvents(t *testing.T) {
	g := guard{listed: NewNames([]string{"unique-id", "variable_a"})}
	whole := `{"x":"y" , "Event-Name":1}`
	for in, want := range map[string]string{
		`{"Event-Name":"A","x":"y"}`: `{"Event-Name":"A"}`,
		`{"x":["a","b"],"Unique-ID":"ä\n\"}","y":"z","VARIABLE_A":["b"],"_body":"c"}`: `{"Unique-ID":"ä\n\"}","VARIABLE_A":["b"],"_body":"c"}`,
		"{" + strings.Repeat(`"Unique-ID":"a",`, 100) + `"b":"c"}`:                    "{" + strings.Repeat(`"Unique-ID":"a",`, 99) + `"Unique-ID":"a"}`,
		`{"x":"y"}`:      `{}`,
		`{"Unique":"y"}`: `{}`,
		`{"event-subclass":"1","Event-Subclass":"2"}`: `{"event-subclass":"1","Event-Subclass":"2"}`,
		`{"Unıque-ID":"z","b":"\u0001"}`:              `{"Unıque-ID":"z","b":"\u0001"}`,
		`{"Unıque-ID":"z","Unique-ID":"c"}`:           `{"Unique-ID":"c"}`,
		whole:                                         whole,
	} {
		f := readFrame(t, frametest.JSON(in))
		if v, reason := g.judge(&f); v != forward {
			t.Fatalf("%s: %s", in, reason)
		}
		if string(f.Data) != frametest.JSON(want) || string(f.Body) != want {
			t.Errorf("%s became %q, body %q", in, f.Data, f.Body)
		}
	}
	short := "Content-Type:text/event-json\nContent-Length:25\n\n" + `{"Event-Name":"A","b":""}`
	f := readFrame(t, short)
	if v, _ := g.judge(&f); v != forward || string(f.Data) != short {
		t.Errorf("%q became %q", short, f.Data)
	}
}

// Of a reply the lines that are listed pass as they were, with its body.
func TestGuardTrimsReplies(t *testing.T) {
	for in, want := range map[string]string{
		"Content-Type: command/reply\nx: y\nReply-Text: +OK\nUnique-ID: a:b\r\nvariable_ab: 1\nVARIABLE_B: 2\nvariable_b_2: 3\n\n": "Content-Type: command/reply\nReply-Text: +OK\nUnique-ID: a:b\r\nVARIABLE_B: 2\nvariable_b_2: 3\n\n",
		"reply-text: +OK\nx: y\ncontent-length: 3\nCONTENT-TYPE: command/reply\nJob-UUID: j\ny: z\n\r\na:b":                        "reply-text: +OK\ncontent-length: 3\nCONTENT-TYPE: command/reply\nJob-UUID: j\n\r\na:b",
	} {
		g := guard{listed: NewNames([]string{"unique-id", "variable_b*"})}
		g.awaiting.Store(true)
		f := readFrame(t, in)
		if v, reason := g.judge(&f); v != forward {
			t.Fatalf("%q: %s", in, reason)
		}
		if string(f.Data) != want || !strings.HasSuffix(want, "\n"+string(f.Body)) {
			t.Errorf("%q became %q, body %q", in, f.Data, f.Body)
		}
	}
}

func TestGuardAllocatesNothingForAnEvent(t *testing.T) {
	r := frame.NewReader(&streamConn{repeat: frametest.JSON(frametest.Event)}, testTimeout, func(int) {})
	for _, g := range []*guard{{}, {listed: NewNames(frametest.CallHeaders)}} {
		allocs := testing.AllocsPerRun(100, func() {
			f, err := r.Next()
			if v, reason := g.judge(&f); err != nil || v != forward {
				t.Errorf("%v %s", err, reason)
			}
		})
		if allocs != 0 {
			t.Errorf("%v allocations, listed %v", allocs, g.listed)
		}
	}
}
