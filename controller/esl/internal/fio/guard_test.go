package esl

import (
	"strings"
	"testing"
)

func TestJudge(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		await    int32
		want     verdict
		reason   string
	}{
		{"reply", okReply, awaitCommandReply, forward, ""},
		{"reply to an api command", okReply, awaitAnyReply, forward, ""},
		{"unasked reply", okReply, awaitNothing, drop, dropUnasked},
		{"unasked short reply", "Content-Type: command/reply\n\n", awaitNothing, drop, dropUnasked},
		{"error reply", "Content-Type: command/reply\nReply-Text: -ERR x\n\n", awaitCommandReply, forward, ""},
		{"no reply text", "Content-Type: command/reply\n\n", awaitCommandReply, distrust, reasonShortReply},
		{"empty reply text", "Content-Type: command/reply\nReply-Text:\n\n", awaitCommandReply, distrust, reasonShortReply},
		{"second reply text", "Content-Type: command/reply\nReply-Text:\nReply-Text: +OK\n\n", awaitCommandReply, distrust, reasonShortReply},
		{"one byte", "Content-Type: command/reply\nReply-Text: 5\n\n", awaitCommandReply, distrust, reasonShortReply},
		{"short error", "Content-Type: command/reply\nReply-Text: -ERR\n\n", awaitCommandReply, distrust, reasonShortReply},
		{"shortest error", "Content-Type: command/reply\nReply-Text: -ERR \nReply-Text: x\n\n", awaitCommandReply, distrust, reasonShortReply},
		{"five bytes of error", "Content-Type: command/reply\nReply-Text: -ERRx\n\n", awaitCommandReply, forward, ""},
		{"api", "Content-Type: api/response\nContent-Length: 3\n\n+OK", awaitAnyReply, forward, ""},
		{"api for another command", "Content-Type: api/response\nContent-Length: 3\n\n+OK", awaitCommandReply, drop, dropUnasked},
		{"api without body", "Content-Type: api/response\n\n", awaitAnyReply, distrust, reasonShortReply},
		{"api of one byte", "Content-Type: api/response\nContent-Length: 1\n\n0", awaitAnyReply, distrust, reasonShortReply},
		{"api short error", "Content-Type: api/response\nContent-Length: 4\n\n-ERR", awaitAnyReply, distrust, reasonShortReply},
		{"linger", "Content-Type: text/disconnect-notice\nContent-Disposition: linger\nContent-Length: 0\n\n", 0, forward, ""},
		{"disconnect", "Content-Type: text/disconnect-notice\nContent-Disposition: disconnect\n\n", 0, forwardLast, ""},
		{"disconnect without disposition", "Content-Type: text/disconnect-notice\n\n", 0, forwardLast, ""},
		{"log", "Content-Type: log/data\nContent-Length: 1\n\nx", 0, drop, dropType},
		{"xml", "Content-Type: text/event-xml\nContent-Length: 1\n\nx", 0, drop, dropType},
		{"rude", "Content-Type: text/rude-rejection\n\n", 0, drop, dropType},
		{"auth", "Content-Type: auth/request\n\n", 0, drop, dropType},
		{"case", "Content-Type: Command/Reply\nReply-Text: +OK\n\n", awaitCommandReply, drop, dropType},
		{"no type", "Content-Length: 1\n\nx", 0, distrust, reasonNoType},
		{"blank type", "Content-Type:  \n\n", 0, distrust, reasonNoType},
		{"blank and second type", "Content-Type:\nContent-Type: log/data\n\n", 0, distrust, reasonNoType},
		{"type with a blank before its colon", "Content-Type : log/data\n\n", 0, distrust, reasonNoType},
		{"json", jsonFrame(`{"a":"b"}`), 0, forward, ""},
		{"bad json", jsonFrame(`{"":"b"}`), 0, drop, dropJSON},
		{"json without body", "Content-Type: text/event-json\n\n", 0, drop, dropJSON},
		{"plain", plainFrame("Event-Name: A\nContent-Length: 2\n\nok"), 0, forward, ""},
		{"plain without end", plainFrame("Event-Name: A\n"), 0, drop, dropPlain},
		{"plain with a bad name", plainFrame("variable_(x): A\n\n"), 0, drop, dropPlain},
		{"plain with a negative length", plainFrame("Content-Length: -1\n\n"), 0, drop, dropPlain},
		{"plain with a long length", plainFrame("Content-Length: 3\n\nok"), 0, drop, dropPlain},
		{"plain with a huge length", plainFrame("Content-Length: 9223372036854775807\n\nok"), 0, drop, dropPlain},
		{"plain with a wrong length", plainFrame("Content-Length: x\n\nok"), 0, drop, dropPlain},
		{"plain without body", plainFrame(""), 0, drop, dropPlain},
	} {
		f := readFrame(t, tt.in)
		var g guard
		g.await(tt.await)
		if got, reason := g.judge(&f); got != tt.want || reason != tt.reason {
			t.Errorf("%s: %v %q, want %v %q", tt.name, got, reason, tt.want, tt.reason)
		}
		if waits := g.awaiting.Load(); tt.want == forward && tt.await != awaitNothing && waits != awaitNothing {
			t.Errorf("%s: still waits for %d", tt.name, waits)
		}
	}
}

// plainFrame is a text/event-plain frame.
func plainFrame(body string) string {
	return strings.Replace(jsonFrame(body), "event-json", "event-plain", 1)
}

func TestJSONEvent(t *testing.T) {
	for in, want := range map[string]bool{
		`{}`: true, `{"a":"b"}`: true, ` { "a" : [ "b" , null ] , "c" : 1.5e3, "d":{"":1}} `: true,
		`{"a":["b","c"],"d":[]}`: true, `{"_body":"x"}`: true, `{"_body":null}`: true, `{"a":""}`: true, `{"a":"\u00e4\"\\\/\b\f\n\r\t"}`: true,
		"{\"a\":\"\xff\"}": true, `{"variable_(a)[/@ä]":"b"}`: true, `{"\u005fbody":"x"}`: true,
		`{"_body":1,"_body":"x"}`: true, `{"a":1,"A":null}`: true, `{"a":"\ud800"}`: true, `{"_bodyx":["a"]}`: true, `{"a":["_body"]}`: true,
		``: false, `null`: false, `[]`: false, `"a"`: false, `1`: false, `{`: false, `{"a":"b"`: false, `{"a":"b"}x`: false, `{"a":"b",}`: false,
		`{"":"b"}`: false, `{"a":"b","":[]}`: false, `{ "" :1}`: false, `{"_body":1}`: false, `{"_body":["x"]}`: false, `{"_body":{}}`: false,
		`{"_body":[]}`: false, `{"\u005fbody":["x"]}`: false, `{"_body":"x","_body":true}`: false, `{"a":1e999}`: false,
		"{\"a\":\"\n\"}": false, `{"a":"\x"}`: false, `{"a":"\u00g0"}`: false, `{"a":"\u00"}`: false, `{"a":"\`: false, `{a:1}`: false,
		`{"a":["b"}`: false, `{"a":["b",]}`: false, `{"a":[,"b"]}`: false, `{"a""b"}`: false, `{"a":"b""c":"d"}`: false,
		`{"a":` + strings.Repeat("[", 20000) + strings.Repeat("]", 20000) + `}`: false,
	} {
		if got := jsonEvent([]byte(in)); got != want {
			t.Errorf("%.60q: %v", in, got)
		}
	}
}

func TestFlatEventIsSureOfRealEvents(t *testing.T) {
	if ok, sure := flatEvent([]byte(realEvent(t)), nil); !ok || !sure {
		t.Errorf("ok %v, sure %v", ok, sure)
	}
}

// What is wanted of an event passes as it was, in a frame that says its new length;
// an event that FreeSWITCH would not have written passes whole.
func TestGuardTrimsEvents(t *testing.T) {
	g := guard{wanted: Config{Headers: []string{"unique-id", "variable_a"}}.wanted()}
	whole := `{"x":"y" , "Event-Name":1}`
	for in, want := range map[string]string{
		`{"Event-Name":"A","x":"y"}`: `{"Event-Name":"A"}`,
		`{"x":["a","b"],"Unique-ID":"\u00e4\"}","y":"z","VARIABLE_A":["b"],"_body":"c"}`: `{"Unique-ID":"\u00e4\"}","VARIABLE_A":["b"],"_body":"c"}`,
		`{"x":"y"}`:      `{}`,
		`{"Unique":"y"}`: `{}`,
		`{"event-subclass":"1","Event-Subclass":"2"}`: `{"event-subclass":"1","Event-Subclass":"2"}`,
		`{"Unique-\u212a":"y","Unıque":"z"}`:          `{"Unique-\u212a":"y","Unıque":"z"}`,
		`{"Unıque":"z","b":"c"}`:                      `{"Unıque":"z"}`,
		whole:                                         whole,
	} {
		f := readFrame(t, jsonFrame(in))
		if v, reason := g.judge(&f); v != forward {
			t.Fatalf("%s: %s", in, reason)
		}
		if string(f.data) != jsonFrame(want) || string(f.body) != want {
			t.Errorf("%s became %q, body %q", in, f.data, f.body)
		}
	}
	many := "{" + strings.Repeat(`"Unique-ID":"a",`, 100) + `"b":"c"}`
	short := "Content-Type:text/event-json\nContent-Length:25\n\n" + `{"Event-Name":"A","b":""}`
	for _, in := range []string{jsonFrame(many), short} {
		f := readFrame(t, in)
		if v, _ := g.judge(&f); v != forward || string(f.data) != in {
			t.Errorf("%q became %q", in, f.data)
		}
	}
}

// Of a reply the lines that are wanted pass as they were, with its body.
func TestGuardTrimsReplies(t *testing.T) {
	for in, want := range map[string]string{
		"Content-Type: command/reply\nx: y\nReply-Text: +OK\nUnique-ID: a:b\r\nvariable_ab: 1\nVARIABLE_B: 2\nvariable_b_2: 3\n\n": "Content-Type: command/reply\nReply-Text: +OK\nUnique-ID: a:b\r\nVARIABLE_B: 2\nvariable_b_2: 3\n\n",
		"reply-text: +OK\nx: y\ncontent-length: 3\nCONTENT-TYPE: command/reply\nJob-UUID: j\ny: z\n\r\na:b":                        "reply-text: +OK\ncontent-length: 3\nCONTENT-TYPE: command/reply\nJob-UUID: j\n\r\na:b",
	} {
		g := guard{wanted: Config{Headers: []string{"unique-id", "variable_b*"}}.wanted()}
		g.await(awaitCommandReply)
		f := readFrame(t, in)
		if v, reason := g.judge(&f); v != forward {
			t.Fatalf("%q: %s", in, reason)
		}
		if string(f.data) != want || !strings.HasSuffix(want, "\n"+string(f.body)) {
			t.Errorf("%q became %q, body %q", in, f.data, f.body)
		}
	}
}

func TestGuardAllocatesNothingForAnEvent(t *testing.T) {
	r := newFrameReader(&repeatConn{text: jsonFrame(realEvent(t))}, DefaultConfig(), func(int) {})
	for _, g := range []*guard{{}, {wanted: Config{Headers: callHeaders}.wanted()}} {
		allocs := testing.AllocsPerRun(100, func() {
			f, err := r.next()
			if v, reason := g.judge(&f); err != nil || v != forward {
				t.Errorf("%v %s", err, reason)
			}
		})
		if allocs != 0 {
			t.Errorf("%v allocations, wanted %v", allocs, g.wanted)
		}
	}
}
