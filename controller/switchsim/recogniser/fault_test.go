package recogniser

import (
	"bytes"
	"encoding/json"
	"errors"
	"net"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/coder/websocket"
)

// formats is both wires, each with what a client asks.
var formats = map[Format]string{Deepgram: asked, Vosk: "/"}

// faulty begins a conversation whose connection has a fault.
func faulty(t *testing.T, format Format, f Fault, key string) (*client, *Connection) {
	t.Helper()
	s := &Server{Format: format}
	s.SetFault(1, f)
	c := dial(t, nil, start(t, s)+formats[format], key)
	return c, connection(t, s)
}

// checkGood demands that a server has a good connection for the next client.
func (s *Server) checkGood(t *testing.T, url string) {
	t.Helper()
	c := dial(t, nil, url+formats[s.Format], "")
	c.say(Say(8000, Spoken{Word: "yes"}, Spoken{Length: time.Second}), 16000)
	if text, _ := c.next(); !strings.Contains(text, "yes") {
		t.Errorf("after the fault: %q", text)
	}
}

func TestFaultsOfTheHandshake(t *testing.T) {
	for format := range formats {
		for name, status := range map[string]int{"refuse-401": 401, "refuse-403": 403, "refuse-404": 404, "refuse-429": 429, "refuse-500": 500, "redirect": 302} {
			s := &Server{Format: format}
			s.SetFault(1, Faults()[name])
			url := start(t, s)
			got, header, body := get(t, strings.Replace(url, "ws", "http", 1), "Token secret")
			if got != status || header.Get("Location") != Faults()[name].Location || strings.Contains(body, "secret") {
				t.Errorf("%s, %s: %d, %v, %q", format, name, got, header, body)
			}
			if format == Deepgram && (!json.Valid([]byte(body)) || !strings.Contains(body, `"err_code":"`) || header.Get("dg-error") == "") {
				t.Errorf("%s: %q, %v", name, body, header)
			}
			if r := connection(t, s).Report(); r.Status != status {
				t.Errorf("%+v", r)
			}
			s.checkGood(t, url)
		}
	}
}

func TestNeverAnswersTheHandshake(t *testing.T) {
	s := &Server{Format: Deepgram}
	s.SetFault(1, Faults()["no-handshake"])
	url := start(t, s)
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "ws://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := conn.Write([]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	c := connection(t, s)
	s.checkGood(t, url)
	_ = conn.SetReadDeadline(time.Now().Add(50 * ms))
	if n, err := conn.Read(make([]byte, 1)); n != 0 || !errors.As(err, new(net.Error)) || c.Report().Status != 0 {
		t.Errorf("%d bytes, %v", n, err)
	}
	_ = conn.Close()
	<-c.Done() // a client that goes ends it
}

func TestEchoesTheKey(t *testing.T) {
	for format := range formats {
		s := &Server{Format: format, Key: "other"}
		s.SetFault(0, Fault{EchoKey: true})
		if _, _, body := get(t, strings.Replace(start(t, s), "ws", "http", 1), "Token secret"); !strings.Contains(body, "Token secret") {
			t.Errorf("%s: %q", format, body)
		}
		c, _ := faulty(t, format, Fault{Close: 1011, EchoKey: true, Reason: strings.Repeat("x", 60)}, "Token secret"+strings.Repeat("y", 100))
		if _, end := c.rest(); end.Code != 1011 || !strings.Contains(end.Reason, "x Token secretyyy") || len(end.Reason) != maxReason {
			t.Errorf("%s: %v", format, end)
		}
	}
}

// They come after as much audio as they say, and the audio before is noted.
func TestFaultsThatClose(t *testing.T) {
	for format := range formats {
		for name, code := range map[string]websocket.StatusCode{"close-1000": 1000, "close-1008": 1008, "close-1011": 1011, "reset": -1} {
			c, conn := faulty(t, format, Faults()[name], "")
			c.say(make([]byte, 7680), 320)
			await(t, conn, "all audio but one message", func(r Report) bool { return r.AudioMessages == 24 })
			if e := conn.Report().End; !e.At.IsZero() {
				t.Fatalf("%s, %s: ended early: %+v", format, name, e)
			}
			c.say(make([]byte, 320), 320)
			_, end := c.rest()
			<-conn.Done()
			r := conn.Report()
			if r.Audio != 500*ms || r.End.Code != code || !r.End.Ours || end.Reason != Faults()[name].Reason {
				t.Errorf("%s, %s: %v, %+v", format, name, end, r)
			}
			if code < 0 && !errors.Is(c.err, syscall.ECONNRESET) || code >= 0 && end.Code != code {
				t.Errorf("%s, %s: %v", format, name, c.err)
			}
		}
	}
}

// Without After it is at the begin, and a fault that is set later holds at once.
func TestFaultsThatAreSetLater(t *testing.T) {
	c, _ := faulty(t, Vosk, Fault{Close: 1008}, "")
	if _, end := c.rest(); end.Code != 1008 {
		t.Errorf("%v", end)
	}
	s := &Server{Format: Vosk}
	url := start(t, s)
	c, other := dial(t, nil, url, ""), dial(t, nil, url, "")
	c.converse(make([]byte, 3200), 320)
	s.SetFault(0, Fault{Close: 1008})
	s.SetFault(2, Fault{})
	other.converse(make([]byte, 3200), 320)
	c.say(make([]byte, 320), 320)
	if _, end := c.rest(); end.Code != 1008 {
		t.Errorf("%v", end)
	}
}

func TestMute(t *testing.T) {
	for format := range formats {
		c, conn := faulty(t, format, Faults()["mute"], "")
		c.say(Say(8000, Spoken{Word: "one"}, Spoken{Length: 10 * time.Second}), 320)
		c.text(map[Format]string{Deepgram: `{"type":"CloseStream"}`, Vosk: `{"eof" : 1}`}[format])
		if messages, end := c.rest(); messages != nil || end.Code != 1000 {
			t.Errorf("%s: %q, %v", format, messages, end)
		}
		<-conn.Done()
		if r := conn.Report(); r.Audio != 10*time.Second || r.Answers != 0 || r.Finals != 0 {
			t.Errorf("%+v", r)
		}
	}
}

func TestNeverFinishes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &Server{}
		s.SetFault(1, Faults()["never-finishes"])
		c := dial(t, bubble(t, s), "ws://simulated"+asked, "")
		c.text(`{"type":"CloseStream"}`)
		time.Sleep(time.Hour)
		if len(c.messages) != 0 || c.err != nil {
			t.Error("it has finished")
		}
		_ = c.ws.Close(4000, "the client")
		conn := connection(t, s)
		<-conn.Done()
		if e := conn.Report().End; e.Code != 4000 || e.Reason != "the client" || e.Ours || e.Err == nil {
			t.Errorf("%+v", e)
		}
	})
	c, conn := faulty(t, Vosk, Faults()["never-finishes"], "")
	c.text(`{"eof" : 1}`)
	await(t, conn, "eof", func(r Report) bool { return r.EOFs == 1 })
	if a := c.converse(make([]byte, 320), 320); len(a) != 1 {
		t.Errorf("%v", a)
	}
}

// What is late comes in order all the same, and before the end.
func TestLateFinals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for format, query := range formats {
			s := &Server{Format: format}
			s.SetFault(1, Faults()["late-finals"])
			c := dial(t, bubble(t, s), "ws://simulated"+query, "")
			began := time.Now()
			c.say(Say(8000, Spoken{Word: "one"}, Spoken{Length: time.Second}), 16000)
			if _, ok := c.next(); !ok || time.Since(began) != 2*time.Second {
				t.Errorf("%s: after %v", format, time.Since(began))
			}
			c.say(Say(8000, Spoken{Word: "two"}), 16000)
			c.text(map[Format]string{Deepgram: `{"type":"CloseStream"}`, Vosk: `{"eof" : 1}`}[format])
			messages, end := c.rest()
			if len(messages) != 2 || !strings.Contains(strings.Join(messages, ""), "two") || end.Code != 1000 || time.Since(began) != 4*time.Second {
				t.Errorf("%s: %q, %v after %v", format, messages, end, time.Since(began))
			}
		}
	})
}

// The end of the server does not wait for what is late.
func TestLateFinalsAtTheEnd(t *testing.T) {
	s := &Server{}
	s.SetFault(0, Fault{FinalDelay: time.Hour})
	url, stop := s.Start()
	c := dial(t, nil, url+asked, "")
	c.say(Say(8000, Spoken{Word: "one"}), 16000)
	c.text(`{"type":"CloseStream"}`)
	await(t, connection(t, s), "a late final", func(r Report) bool { return r.Finals == 1 })
	stop()
	if messages, end := c.rest(); end.Code != 0 || messages != nil {
		t.Errorf("%q, %v", messages, end)
	}
}

func TestReadsSlowly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &Server{Idle: time.Second}
		s.SetFault(1, Fault{BytesPerSecond: 1600})
		c := dial(t, bubble(t, s), "ws://simulated"+asked, "")
		began := time.Now()
		c.say(make([]byte, 16000), 3200) // the last is on its way
		if d := time.Since(began); d != 8*time.Second {
			t.Errorf("read for %v", d)
		}
		if _, end := c.rest(); end.Code != 1011 || time.Since(began) != 11*time.Second { // it waits for more only then
			t.Errorf("%v after %v", end, time.Since(began))
		}
	})
}

// A client that sends on has to wait at last.
func TestStopsReading(t *testing.T) {
	c, conn := faulty(t, Vosk, Faults()["stops-reading"], "")
	c.converse(make([]byte, 7680), 320)
	c.say(make([]byte, 320), 320)
	blocked := make(chan struct{})
	c.reading.Go(func() {
		defer close(blocked)
		for c.ws.Write(t.Context(), websocket.MessageBinary, make([]byte, 1<<16)) == nil {
		}
	})
	select {
	case <-blocked:
		t.Error("a write failed")
	case <-time.After(100 * ms): // it is not hoped that something has happened by then
	}
	if r := conn.Report(); r.Audio != 500*ms || !r.End.At.IsZero() {
		t.Errorf("%+v", r)
	}
}

func TestIgnoresPings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &Server{Format: Vosk}
		c := dial(t, bubble(t, s), "ws://simulated", "")
		conn := connection(t, s)
		if err := c.ws.Ping(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.SetFault(1, Faults()["no-pongs"])
		var answered error
		c.reading.Go(func() { answered = c.ws.Ping(t.Context()) })
		synctest.Wait()
		if r := conn.Report(); answered != nil || r.Pings != 2 {
			t.Errorf("%v, %+v", answered, r)
		}
		c.close()
		if answered == nil {
			t.Error("a ping was answered")
		}
	})
}

func TestNonsense(t *testing.T) {
	for format := range formats {
		seen := map[string]Nonsense{}
		for _, n := range Nonsenses() {
			c, _ := faulty(t, format, Fault{Nonsense: n, After: 20 * ms}, "")
			c.say(make([]byte, 320), 320)
			text, ok := c.next()
			if n == Flood && format == Vosk { // which has an answer, too
				text, ok = c.next()
			}
			if _, want := n.message(format); !ok || text != string(want) {
				t.Errorf("%s, %s: %.100q", format, n, text)
			}
			checkNonsense(t, n, text)
			if other, twice := seen[text]; twice && n != Binary && n != Flood && (format == Deepgram || !strings.Contains(string(n+other), "channel")) {
				t.Errorf("%s: %s is %s", format, n, other)
			}
			seen[text] = n
		}
	}
}

// checkNonsense demands that a message is wrong in its own way only.
func checkNonsense(t *testing.T, n Nonsense, text string) {
	t.Helper()
	if n == Huge {
		if len(text) < 10_000_000 {
			t.Errorf("%s has %d bytes", n, len(text))
		}
		return
	}
	valid := json.Valid([]byte(text))
	if want := n != NotJSON && n != Truncated && n != Empty && n != Deep && n != NotNumbers; valid != want {
		t.Errorf("%s is valid JSON: %v", n, valid)
	}
	if utf8.ValidString(text) != (n != InvalidUTF8) {
		t.Errorf("%s is UTF-8: %v", n, !utf8.ValidString(text))
	}
	if n == ManyWords && strings.Count(text, `"word"`) != 20_000 {
		t.Errorf("%s has %d bytes", n, len(text))
	}
	if bytes.ContainsAny([]byte(text), "\x00\x1b") {
		t.Errorf("%s has control characters that JSON has not", n)
	}
}

// Times says how often; what is right comes, too, and on vosk what was heard is in the next answer.
func TestNonsenseAFewTimes(t *testing.T) {
	said := Say(8000, Spoken{Word: "one"}, Spoken{Length: time.Second})
	c, conn := faulty(t, Vosk, Fault{Nonsense: Null, Times: 2, After: 40 * ms}, "")
	c.converse(make([]byte, 320), 320)
	for range 2 {
		c.say(said, 16000)
		if text, _ := c.next(); text != "null" {
			t.Errorf("%q", text)
		}
	}
	if a := c.converse(make([]byte, 320), 320); a[0].Text == nil || *a[0].Text != "one one" {
		t.Errorf("%+v", a)
	}
	conn.server.SetFault(1, Fault{Nonsense: NoFields})
	c.say(said, 16000)
	if text, _ := c.next(); text != "{}" {
		t.Errorf("%q", text)
	}
	c, _ = faulty(t, Deepgram, Fault{Nonsense: Null, Times: -1}, "")
	c.say(said, 320)
	c.text(`{"type":"CloseStream"}`)
	messages, _ := c.rest()
	nulls := 0
	for _, m := range messages {
		if m == "null" {
			nulls++
		}
	}
	if nulls != 50 || len(messages) != 53 {
		t.Errorf("%d of %d", nulls, len(messages))
	}
}

// It ends with the fault, and may begin again.
func TestFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &Server{}
		c := dial(t, bubble(t, s), "ws://simulated"+asked, "")
		for range 2 {
			s.SetFault(1, Fault{Nonsense: Flood})
			c.say(make([]byte, 320), 320)
			time.Sleep(time.Second + ms)
			s.SetFault(1, Fault{})
			time.Sleep(time.Second)
			if n := len(c.messages); n < 4900 || n > 5100 {
				t.Errorf("%d messages", n)
			}
			for len(c.messages) > 0 {
				<-c.messages
			}
		}
	})
}

// Each named fault is one, and its connection ends with the server.
func TestNamedFaults(t *testing.T) {
	for name, f := range Faults() {
		if (f == Fault{}) != (name == "none") {
			t.Errorf("%s: %+v", name, f)
		}
		if f.NoHandshake || f.Refuse != 0 {
			continue
		}
		s := &Server{}
		s.SetFault(0, f)
		url, stop := s.Start()
		c := dial(t, nil, url+asked, "")
		for range 30 {
			_ = c.ws.Write(t.Context(), websocket.MessageBinary, make([]byte, 320)) // it may have ended
		}
		stop()
		<-connection(t, s).Done()
	}
}
