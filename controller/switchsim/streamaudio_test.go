package switchsim

import (
	"encoding/base64"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// text sends a text frame, as a server does.
func (w *rawServer) text(s string) { w.serverFrame(finBit|opText, s) }

func (w *rawServer) serverFrame(first byte, payload string) {
	w.t.Helper()
	head := []byte{first}
	switch n := len(payload); {
	case n < 126:
		head = append(head, byte(n))
	case n < 1<<16:
		head = append(head, 126, byte(n>>8), byte(n))
	default:
		head = binary.BigEndian.AppendUint64(append(head, 127), uint64(n))
	}
	w.write(string(head) + payload)
}

// streamAudio sends audio, with further members in data.
func (w *rawServer) streamAudio(members string, pcm []byte) {
	w.t.Helper()
	w.text(`{"type":"streamAudio","data":{` + members + `,"audioData":"` + base64.StdEncoding.EncodeToString(pcm) + `"}}`)
}

// hungry is a call with a stream whose server is the test.
func hungry(t *testing.T, sw *Switch) (*Call, *controller, *rawServer) {
	t.Helper()
	w := newRawServer(t)
	call, c := streaming(t, sw, CallSpec{})
	c.api(streamCmd+" start "+w.url+" mono 8000", "+OK Success\n")
	w.upgrade(w.accept())
	c.until("mod_audio_stream::connect")
	return call, c, w
}

// Audio of the server becomes a file and an event that names it; the file is there until the stream
// is stopped (F85, F88, F130).
func TestStreamAudio(t *testing.T) {
	t.Parallel()
	temp := filepath.Join(t.TempDir(), "temp")
	call, c, w := hungry(t, New(Config{Speed: 10, TempDir: temp}))
	body := func() string {
		t.Helper()
		m := c.next()
		for !strings.HasPrefix(m.headers["Event-Subclass"], "mod_audio_stream::") {
			m = c.next()
		}
		return strings.TrimPrefix(m.headers["Event-Subclass"], "mod_audio_stream::") + " " + m.headers["_body"]
	}
	pcm := noise(8000, 100*time.Millisecond)
	file := func(n, ext string) string { return filepath.Join(temp, callID+"_"+n+".tmp"+ext) }
	w.streamAudio(`"audioDataType":"raw", "sampleRate":8000, "mark": {"id": "m 7", "n":[1, 2]}`, pcm)
	w.text("")
	w.streamAudio(`"mark":"ä","sampleRate":16000,"audioDataType":"raw"`, pcm)
	w.serverFrame(finBit|opBinary, string(pcm)) // nothing at all
	w.text("%s%n { \"streamAudio\"\nä")
	for _, want := range []string{
		`play {"audioDataType":"raw","sampleRate":8000,"mark":{"id":"m 7","n":[1,2]},"file":"` + file("0", ".r8") + `"}`,
		"json ",
		`play {"mark":"ä","sampleRate":16000,"audioDataType":"raw","file":"` + file("1", ".r16") + `"}`,
		"json %s%n { \"streamAudio\"\nä",
	} {
		if d := cmp.Diff(want, body()); d != "" {
			t.Error(d)
		}
	}
	c.execute("playback", file("0", ".r8"), "1")
	c.until("CHANNEL_EXECUTE_COMPLETE playback FILE PLAYED")
	if heard := heardOf(call); len(heard) != 1 || !cmp.Equal(heard[0].PCM, companded(pcm)) {
		t.Error("what was heard is not what was sent")
	}
	stopped := make(chan struct{})
	go func() { w.drain(); close(stopped) }()
	c.api(streamCmd+" stop", "+OK Success\n")
	<-stopped
	c.execute("playback", file("1", ".r16"), "2")
	c.until("CHANNEL_EXECUTE_COMPLETE playback FILE NOT FOUND")
	call.Hangup()
	c.conn.Close()
	call.Wait()
	if _, err := os.Stat(temp); !os.IsNotExist(err) {
		t.Errorf("the folder is still there: %v", err)
	}
}

// What is no good streamAudio is text like any other (F87).
func TestBadStreamAudio(t *testing.T) {
	t.Parallel()
	_, c, w := hungry(t, New(Config{Speed: 20}))
	for _, text := range []string{
		`{"type":"streamAudio"}`,
		`{"type":"streamAudio","data":"x"}`,
		`{"type":"streamAudio","data":null}`,
		`{"type":"streamAudio","data":{"audioDataType":"raw","sampleRate":8000}}`,
		`{"type":"streamAudio","data":{"audioDataType":"raw","sampleRate":8000,"audioData":5}}`,
		`{"type":"streamAudio","data":{"audioDataType":"raw","sampleRate":8000,"audioData":"%%%%"}}`,
		`{"type":"streamAudio","data":{"audioDataType":"raw","sampleRate":11025,"audioData":"AAAA"}}`,
		`{"type":"streamAudio","data":{"audioDataType":"opus","sampleRate":8000,"audioData":"AAAA"}}`,
		`{"type":"streamAudio","data":{"audioDataType":"raw","sampleRate":"8000","audioData":"AAAA"}}`,
		`{"type":"other","streamAudio":1,"data":{"audioDataType":"raw","sampleRate":8000,"audioData":"AAAA"}}`,
		`{"type":"streamAudio","data":{`,
		`{"type":"streamAudio","data":{"audioDataType":"raw","sampleRate":8000,"audioData":"AAAA\nAAAA"}}`,
	} {
		w.text(text)
		if got := c.until("CUSTOM"); got.headers["Event-Subclass"] != "mod_audio_stream::json" || got.headers["_body"] != text {
			t.Errorf("%s: %s %s", text, got.label(), got.headers["_body"])
		}
	}
	for kind, ext := range map[string]string{"pcmu": ".pcmu", "mp3": ".mp3", "wav": ".wav"} {
		w.streamAudio(`"audioDataType":"`+kind+`"`, []byte{0, 1})
		if got := c.until("mod_audio_stream::play").headers["_body"]; !strings.Contains(got, ".tmp"+ext) {
			t.Errorf("%s: %s", kind, got)
		}
	}
}

// A server's own member file comes before the true one, base64 needs no padding, and audio may be empty (F167).
func TestOddStreamAudio(t *testing.T) {
	t.Parallel()
	temp := t.TempDir()
	_, c, w := hungry(t, New(Config{Speed: 20, TempDir: temp}))
	file := func(n int) string { return `"file":"` + filepath.Join(temp, callID+"_"+itoa(n)+".tmp.r8") + `"}` }
	for i, text := range []string{
		`{"type":"streamAudio","data":{"audioDataType":"raw","sampleRate":8000,"file":"/etc/passwd","audioData":""}}`,
		`{"type":"streamAudio","data":{"audioDataType":"raw","sampleRate":8000,"audioData":"AAA"}}`,
	} {
		w.text(text)
		want := `{"audioDataType":"raw","sampleRate":8000,`
		if i == 0 {
			want += `"file":"/etc/passwd",`
		}
		if d := cmp.Diff(want+file(i), c.until("mod_audio_stream::play").headers["_body"]); d != "" {
			t.Error(d)
		}
	}
}

// A stream that drops takes its files along: what plays goes on, what is queued is not found, with the offset of
// the one before; the next stream counts from 0 again (F168).
func TestDropTakesFiles(t *testing.T) {
	t.Parallel()
	spec := CallSpec{}
	playing := notePlaying(&spec)
	w := newRawServer(t)
	_, c := streaming(t, New(Config{Speed: 4}), spec)
	next := func() (path string) {
		c.api(streamCmd+" start "+w.url+" mono 8000", "+OK Success\n")
		w.upgrade(w.accept())
		c.until("mod_audio_stream::connect")
		w.streamAudio(`"audioDataType":"raw","sampleRate":8000`, make([]byte, 16000))
		_, path, _ = strings.Cut(c.until("mod_audio_stream::play").headers["_body"], `"file":"`)
		return strings.TrimSuffix(path, `"}`)
	}
	path := next()
	c.execute("playback", path, "1")
	c.execute("playback", path, "2")
	<-playing
	w.conn.Close()
	c.until("mod_audio_stream::error")
	for _, response := range []string{"FILE PLAYED", "FILE NOT FOUND"} {
		if got := c.until("CHANNEL_EXECUTE_COMPLETE playback " + response).headers["variable_playback_last_offset_pos"]; got != "8000" {
			t.Errorf("%s at %s", response, got)
		}
	}
	if again := next(); again != path {
		t.Errorf("%s after %s", again, path)
	}
	w.conn.Close()
	c.until("mod_audio_stream::error")
}

// A hangup removes the files, and the last call of a switch its folder.
func TestHangupRemovesFiles(t *testing.T) {
	t.Parallel()
	call, c, w := hungry(t, New(Config{Speed: 20, TempDir: filepath.Join(t.TempDir(), "temp")}))
	w.streamAudio(`"audioDataType":"raw","sampleRate":8000`, make([]byte, 3<<20)) // one large message
	_, path, _ := strings.Cut(c.until("mod_audio_stream::play").headers["_body"], `"file":"`)
	path = strings.TrimSuffix(path, `"}`)
	if info, err := os.Stat(path); err != nil || info.Size() != 3<<20 {
		t.Errorf("%s: %v", path, err)
	}
	call.Hangup()
	w.drain()
	c.conn.Close()
	call.Wait()
	if _, err := os.Stat(filepath.Dir(path)); !os.IsNotExist(err) {
		t.Errorf("the folder of %s is still there: %v", path, err)
	}
}
