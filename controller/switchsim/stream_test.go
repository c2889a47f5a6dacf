package switchsim

import (
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"net"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tapdeck/controller/switchsim/audiostream"
)

// The frames that a server sees, by their first byte.
const (
	finBit   = 0x80
	maskBit  = 0x80
	opText   = 1
	opBinary = 2
	opClose  = 8
	opPing   = 9
	opPong   = 10
)

func acceptKey(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// streaming is an answered call that hears the module's events.
func streaming(t *testing.T, s *Switch, spec CallSpec) (*Call, *controller) {
	t.Helper()
	call, c := answered(t, s, spec)
	c.wants("event plain CUSTOM mod_audio_stream::connect mod_audio_stream::disconnect mod_audio_stream::error mod_audio_stream::json mod_audio_stream::play", "+OK event listener enabled plain")
	return call, c
}

const streamCmd = "uuid_audio_stream " + callID

func TestUpgradeRequest(t *testing.T) {
	w := newRawServer(t)
	_, c := streaming(t, New(Config{}), CallSpec{Variables: map[string]string{
		"STREAM_EXTRA_HEADERS": `{"X-Call-ID":"42","Authorization":"Bearer a, b"}`,
	}})
	c.api(streamCmd+" start "+w.url+"/in?x=1 mono 8000", "+OK Success\n")
	got := regexp.MustCompile(`Key:\S{22}==`).ReplaceAllString(w.accept(), "Key:K")
	host := strings.TrimPrefix(w.url, "ws://")
	want := "GET /in?x=1 HTTP/1.1\r\nHost:" + host + "\r\nUpgrade:websocket\r\nConnection:upgrade\r\nSec-WebSocket-Key:K\r\n" +
		"Sec-WebSocket-Version:13\r\nOrigin:http://" + host + "\r\nAuthorization:Bearer a, b\r\nX-Call-ID:42\r\n\r\n"
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestStreamAPIAnswers(t *testing.T) {
	w := newWebServer(t)
	_, c := streaming(t, New(Config{Speed: 20}), CallSpec{})
	usage := "-USAGE: <uuid> [start | stop | send_text | pause | resume | graceful-shutdown ] [wss-url | path] [mono | mixed | stereo] [8000 | 16000] [metadata]\n"
	start := streamCmd + " start " + w.url + "/x "
	for _, tc := range []struct{ command, want string }{
		{"uuid_audio_stream", usage},
		{streamCmd, usage},
		{streamCmd + " start " + w.url, usage},
		{"uuid_audio_stream x y", "-ERR Operation Failed\n"},
		{streamCmd + " stop", "-ERR Operation Failed\n"},
		{streamCmd + " pause", "-ERR Operation Failed\n"},
		{streamCmd + " frobnicate", "-ERR Operation Failed\n"},
		{start + "both 8000", "-ERR no reply\n"},
		{start + "mono 44100", "-ERR Operation Failed\n"},
		{streamCmd + " start http://127.0.0.1/ mono 8000", "-ERR Operation Failed\n"},
		{streamCmd + " start ws://my_host:8080 mono 8000", "-ERR Operation Failed\n"},
		{streamCmd + " start ws://[::1]:8080/x mono 8000", "-ERR Operation Failed\n"},
		{streamCmd + " start ws://h:80a/x mono 8000", "-ERR Operation Failed\n"},
		{start + "mono 8k", "+OK Success\n"},
		{start + "mono 8000", "-ERR Operation Failed\n"},
		{streamCmd + " send_text hello", "+OK Success\n"},
		{streamCmd + " pause", "+OK Success\n"},
		{streamCmd + " resume", "+OK Success\n"},
		{streamCmd + " stop", "+OK Success\n"},
		{streamCmd + " stop", "-ERR Operation Failed\n"},
		{start + "mixed 16k", "+OK Success\n"},
		{streamCmd + " stop bye", "+OK Success\n"},
		{start + "stereo", "+OK Success\n"},
		{streamCmd + " stop", "+OK Success\n"},
	} {
		c.api(tc.command, tc.want)
	}
}

// TestLeakedSocket: a bad rate is refused, and the WebSocket opens all the same.
func TestLeakedSocket(t *testing.T) {
	t.Parallel()
	w := newRawServer(t)
	call, c := streaming(t, New(Config{Speed: 20}), CallSpec{})
	c.api(streamCmd+" start "+w.url+" mono garbage", "-ERR Operation Failed\n")
	w.upgrade(w.accept())
	c.until("mod_audio_stream::connect")
	c.api(streamCmd+" stop", "-ERR Operation Failed\n")
	call.Hangup()
	c.conn.Close()
	if audio := w.drain(); len(audio) > 0 {
		t.Errorf("%d bytes of audio", len(audio))
	}
}

func TestStreamErrors(t *testing.T) {
	t.Parallel()
	s := New(Config{Speed: 20})
	_, c := streaming(t, s, CallSpec{})
	failed := func(t *testing.T, want string) {
		t.Helper()
		if got := c.until("mod_audio_stream::error").headers["_body"]; got != want {
			t.Errorf("error %s, want %s", got, want)
		}
		c.api(streamCmd+" stop", "-ERR Operation Failed\n")
	}
	t.Run("refused", func(t *testing.T) {
		ln := listen(t)
		ln.Close()
		c.api(streamCmd+" start ws://"+ln.Addr().String()+"/x mono 8000", "+OK Success\n")
		failed(t, `{"status":"error","message":{"code":6,"error":"Connection refused (system error 111)"}}`)
	})
	t.Run("403", func(t *testing.T) {
		w := newRawServer(t)
		c.api(streamCmd+" start "+w.url+" mono 8000", "+OK Success\n")
		w.accept()
		w.write("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
		failed(t, `{"status":"error","message":{"code":6,"error":"WebSocket upgrade failed"}}`)
	})
	t.Run("no 101", func(t *testing.T) {
		w := newRawServer(t)
		c.api(streamCmd+" start "+w.url+" mono 8000", "+OK Success\n")
		w.accept()
		began := time.Now()
		failed(t, `{"status":"error","message":{"code":10,"error":"Timeout"}}`)
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("took %v", took)
		}
	})
	t.Run("server fin", func(t *testing.T) {
		w := newRawServer(t)
		c.api(streamCmd+" start "+w.url+" mono 8000", "+OK Success\n")
		w.upgrade(w.accept())
		w.until(finBit | opBinary)
		w.conn.(*net.TCPConn).CloseWrite()
		failed(t, `{"status":"error","message":{"code":1,"error":"Connection closed without WebSocket CLOSE (abnormal EOF)"}}`)
	})
	t.Run("server rst", func(t *testing.T) {
		w := newRawServer(t)
		c.api(streamCmd+" start "+w.url+" mono 8000", "+OK Success\n")
		w.upgrade(w.accept())
		w.until(finBit | opBinary)
		w.conn.(*net.TCPConn).SetLinger(0)
		w.conn.Close()
		failed(t, `{"status":"error","message":{"code":1,"error":"Connection reset by peer (system error 104)"}}`)
	})
}

func TestServerClose(t *testing.T) {
	t.Parallel()
	w := newRawServer(t)
	call, c := streaming(t, New(Config{Speed: 20}), CallSpec{})
	c.wants("event plain BACKGROUND_JOB", "+OK event listener enabled plain")
	c.api(streamCmd+" start "+w.url+" mono 8000", "+OK Success\n")
	w.upgrade(w.accept())
	w.write("\x81\x02{}") // a text frame is an event
	if got := c.until("mod_audio_stream::json").headers["_body"]; got != "{}" {
		t.Errorf("json %q", got)
	}
	w.write("\x89\x03abc") // a ping is answered
	if got := w.until(finBit | opPong); string(got) != "abc" {
		t.Errorf("pong %q", got)
	}
	w.write("\x88\x0c\x03\xe8server bye")
	if got := w.until(finBit | opClose); string(got) != "\x03\xe8server bye" {
		t.Errorf("echo %q", got)
	}
	want := `{"status":"disconnected","message":{"code":1000,"reason":"server bye"}}`
	if got := c.until("mod_audio_stream::disconnect").headers["_body"]; got != want {
		t.Errorf("disconnect %s", got)
	}
	c.api(streamCmd+" start "+w.url+" mono 8000", "-ERR Operation Failed\n") // the media bug is still attached
	c.wants("bgapi "+streamCmd+" stop\nJob-UUID: j", "+OK Job-UUID: j")      // hangs until TCP is over
	for hooked := true; hooked; {                                            // its job has a thread of its own
		c.api("uuid_exists "+callID, "true")
		call.mu.Lock()
		hooked = call.stream != nil
		call.mu.Unlock()
	}
	c.api("uuid_kill "+callID, "+OK\n")
	if n := c.until("text/disconnect-notice"); n.outer.Get("Content-Disposition") != "linger" {
		t.Error(n.raw)
	}
	call.pause(audiostream.CloseTimeout + 100*time.Millisecond)
	c.api("uuid_exists "+callID, "true")
	for _, m := range c.events {
		if m.is("BACKGROUND_JOB") {
			t.Errorf("stop was answered although TCP is open: %q", m.headers)
		}
	}
	w.conn.Close()
	c.until("BACKGROUND_JOB")
}

// TestServerCloseThenHangup: CHANNEL_HANGUP_COMPLETE waits for TCP's end.
func TestServerCloseThenHangup(t *testing.T) {
	t.Parallel()
	w := newRawServer(t)
	s := New(Config{Speed: 20})
	call, c := streaming(t, s, CallSpec{})
	c.api(streamCmd+" start "+w.url+" mono 8000", "+OK Success\n")
	w.upgrade(w.accept())
	w.write("\x88\x02\x03\xe8")
	c.until("mod_audio_stream::disconnect")
	call.Hangup()
	call.pause(audiostream.CloseTimeout + 100*time.Millisecond)
	c.api("uuid_exists "+callID, "true")
	for _, m := range c.events {
		if m.is("CHANNEL_HANGUP_COMPLETE") {
			t.Error("the call was reported although TCP is open")
		}
	}
	w.conn.Close()
	c.until("CHANNEL_HANGUP_COMPLETE")
}

// TestStop: it blocks a second unless the server closes TCP, and meanwhile
// nothing moves on the socket.
func TestStop(t *testing.T) {
	t.Parallel()
	w := newRawServer(t)
	call, c := streaming(t, New(Config{Speed: 20}), CallSpec{})
	c.api(streamCmd+` start `+w.url+` mono 8000 {"a": "b c"}`, "+OK Success\n")
	w.upgrade(w.accept())
	if got := w.until(finBit | opText); string(got) != `{"a": "b c"}` {
		t.Errorf("metadata %q", got)
	}
	c.until("mod_audio_stream::connect")
	began := time.Now()
	c.send("api " + streamCmd + " stop last words\n\n")
	if got := w.until(finBit | opText); string(got) != "last" {
		t.Errorf("text %q", got)
	}
	call.Press("5")
	if m := c.next(); m.body != "+OK Success\n" {
		t.Errorf("%s came before the answer", m.label())
	}
	c.until("DTMF")
	if took := time.Since(began); took < 900*time.Millisecond {
		t.Errorf("stop took %v, want a second at least", took)
	}
	if got := w.until(finBit | opClose); string(got) != "\x03\xe8Normal closure" {
		t.Errorf("close %q", got)
	}
	if _, _, err := w.frame(); !isEOF(err) {
		t.Errorf("after Close: %v", err)
	}
	if r := call.Report().Streams[0]; r.End != "stop" || r.CloseTook < 900*time.Millisecond {
		t.Errorf("end %q after %v", r.End, r.CloseTook)
	}
}

// TestSlowUpgrade: audio that queued meanwhile comes before the metadata.
func TestSlowUpgrade(t *testing.T) {
	t.Parallel()
	w := newRawServer(t)
	voice := ToneVoice(8000, 400, 0.5)
	sw := New(Config{Speed: 20})
	sw.patience = time.Minute
	call, c := streaming(t, sw, CallSpec{Voice: voice})
	c.api(streamCmd+" start "+w.url+" mono 8000 meta", "+OK Success\n")
	request := w.accept()
	c.execute("sleep", "500", "s")
	c.until("CHANNEL_EXECUTE_COMPLETE sleep _none_")
	w.upgrade(request)
	first, payload, err := w.frame()
	if err != nil || first != finBit|opBinary || len(payload) != 320 {
		t.Errorf("first frame %x of %d bytes, %v", first, len(payload), err)
	}
	w.until(finBit | opText)
	call.Hangup()
	c.conn.Close()
	audio := append(payload, w.drain()...)
	r := call.Wait().Streams[0]
	if got := r.PCM(); len(audio) > len(got) || !bytes.Equal(got[:320], payload) || !bytes.Equal(payload, voice.At(r.Offset, 160)) {
		t.Errorf("%d bytes reported from sample %d", len(got), r.Offset)
	}
}

func TestHeartBeat(t *testing.T) {
	t.Parallel()
	w := newRawServer(t)
	call, c := streaming(t, New(Config{Speed: 1}), CallSpec{Variables: map[string]string{"STREAM_HEART_BEAT": "1"}})
	c.api(streamCmd+" start "+w.url+" mono 8000", "+OK Success\n")
	w.upgrade(w.accept())
	if got := w.until(finBit | opPing); string(got) != "ping" {
		t.Errorf("ping %q", got)
	}
	if d := cmp.Diff([]string{"STREAM_MESSAGE_DEFLATE"}, call.Report().Streams[0].Unset); d != "" {
		t.Error(d)
	}
}
