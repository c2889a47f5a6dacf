package switchsim

import (
	"bufio"
	"context"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// BenchmarkChunks is what playing costs in the simulated switch: 100 calls, each of which is played
// chunks of 60 ms for five seconds, in real time, one playing and one queued. The processor's time for
// one chunk, the controller's side included, is cpu-us/chunk.
func BenchmarkChunks(b *testing.B) {
	const calls, length = 100, 5 * time.Second
	file := filepath.Join(b.TempDir(), "c.r8")
	if err := os.WriteFile(file, noise(8000, 60*time.Millisecond), 0o600); err != nil {
		b.Fatal(err)
	}
	esl := serve(b, func(conn net.Conn) { feed(conn, file) })
	began, chunks := processorTime(), 0
	for b.Loop() {
		s := New(Config{})
		all := make([]*Call, calls)
		for i := range all {
			var err error
			if all[i], err = s.Dial(context.Background(), CallSpec{Address: esl, HangupAfter: length}); err != nil {
				b.Fatal(err)
			}
		}
		for _, c := range all {
			chunks += len(c.Wait().Played)
		}
		s.Wait()
	}
	b.ReportMetric(float64(chunks)/float64(calls*b.N), "chunks/call")
	b.ReportMetric(float64((processorTime()-began).Microseconds())/float64(chunks), "cpu-us/chunk")
}

// feed is a controller that has two playbacks with the switch at any time.
func feed(conn net.Conn, file string) {
	play := "sendmsg\ncall-command: execute\nexecute-app-name: playback\nexecute-app-arg: " + file + "\nevent-lock: true\nEvent-UUID: c\n\n"
	io.WriteString(conn, "connect\n\nlinger 1\n\nmyevents\n\nnixevent CHANNEL_EXECUTE\n\nsendmsg\ncall-command: execute\nexecute-app-name: answer\nevent-lock: true\n\n"+play+play)
	r := bufio.NewReader(conn)
	for {
		line, err := r.ReadString('\n')
		switch {
		case err != nil:
			return
		case strings.HasPrefix(line, "Application: playback"):
			io.WriteString(conn, play)
		case strings.HasPrefix(line, "Event-Name: CHANNEL_HANGUP"):
			io.WriteString(conn, "exit\n\n")
		}
	}
}

// processorTime is what this process has used.
func processorTime() time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
