package switchsim

import (
	"bufio"
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// BenchmarkStreams is what the simulated switch itself costs: calls that
// stream ten seconds of audio, in real time, to a server that only reads.
// Compare ns of CPU, not of time: run with -cpuprofile.
func BenchmarkStreams(b *testing.B) {
	const calls = 500
	web, esl := discard(b), control(b)
	for range b.N {
		s := New(Config{})
		voice := ToneVoice(8000, 440, 0.5)
		all := make([]*Call, calls)
		for i := range all {
			var err error
			all[i], err = s.Dial(context.Background(), CallSpec{Address: esl, Voice: voice, HangupAfter: 10 * time.Second, Variables: map[string]string{"web": web}})
			if err != nil {
				b.Fatal(err)
			}
		}
		var samples int64
		for _, c := range all {
			for _, r := range c.Wait().Streams {
				samples += r.Samples
			}
		}
		b.ReportMetric(float64(samples)/8000, "stream-s/op")
		s.Wait()
	}
}

// closeFrame is the size of the module's Close frame.
const closeFrame = 2 + 4 + 2 + len("Normal closure")

// discard is an audio server that reads and forgets.
func discard(b *testing.B) string {
	ln := serve(b, func(conn net.Conn) {
		r := bufio.NewReaderSize(conn, 1024)
		key := ""
		for {
			line, err := r.ReadString('\n')
			if err != nil {
				return
			}
			if k, ok := strings.CutPrefix(line, "Sec-WebSocket-Key:"); ok {
				key = strings.TrimSpace(k)
			}
			if line == "\r\n" {
				break
			}
		}
		io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: "+acceptKey(key)+"\r\n\r\n")
		buf := make([]byte, 4096)
		for {
			n, err := r.Read(buf)
			if err != nil || n == closeFrame { // it comes alone
				return
			}
		}
	})
	return "ws://" + ln
}

// control is a controller that answers and starts the stream.
func control(b *testing.B) string {
	return serve(b, func(conn net.Conn) {
		r := bufio.NewReader(conn)
		id, web := "", ""
		io.WriteString(conn, "connect\n\nlinger 1\n\nmyevents json\n\nsendmsg\ncall-command: execute\nexecute-app-name: answer\nevent-lock: true\n\n")
		for {
			line, err := r.ReadString('\n')
			if err != nil {
				return
			}
			if v, ok := strings.CutPrefix(line, "Unique-ID: "); ok && id == "" {
				id = strings.TrimSpace(v)
			}
			if v, ok := strings.CutPrefix(line, "variable_web: "); ok && web == "" {
				web = strings.NewReplacer("%3A", ":", "\n", "").Replace(v)
			}
			switch {
			case strings.Contains(line, `"CHANNEL_ANSWER"`):
				io.WriteString(conn, "bgapi uuid_audio_stream "+id+" start "+web+" mono 8000\n\n")
			case strings.Contains(line, `"CHANNEL_HANGUP"`):
				io.WriteString(conn, "exit\n\n")
			}
		}
	})
}

func serve(b *testing.B, handle func(net.Conn)) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { ln.Close() })
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				handle(conn)
			}()
		}
	}()
	return ln.Addr().String()
}
