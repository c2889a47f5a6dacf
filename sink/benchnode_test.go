package sink

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// maxNodeStreams bounds the load for Node, whose one thread is busy long before.
const maxNodeStreams = 200

// measureNode gives the CPU in ms of a stream-second in a Node server such as
// .github/migrating.md replaces, or 0 if there is no node, or no package ws in its NODE_PATH.
func measureNode(b *testing.B, streams int) float64 {
	if exec.Command("node", "-e", "require('ws')").Run() != nil {
		b.Log("no node, or no npm package ws in NODE_PATH: Node is not measured")
		return 0
	}
	cmd := exec.Command("node", filepath.Join("testdata", "oldstack", "server.js"), b.TempDir())
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	defer func() {
		in.Close()
		_ = cmd.Wait()
	}()
	port, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	end := startSender(b, repeatURL("127.0.0.1:"+strings.TrimSpace(port)+"/x", streams))
	defer end()
	elapse(benchWarm())
	before := processTime(b, cmd.Process.Pid)
	elapse(benchTime())
	return float64(processTime(b, cmd.Process.Pid)-before) / float64(time.Millisecond) / benchTime().Seconds() / float64(streams)
}

// processTime is the CPU time of another process (proc(5): fields 14 and 15 of
// stat, in hundredths of a second).
func processTime(b *testing.B, pid int) time.Duration {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		b.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(rest)
	var user, system int64
	if _, err := fmt.Sscan(fields[11]+" "+fields[12], &user, &system); err != nil {
		b.Fatal(err)
	}
	return time.Duration(user+system) * 10 * time.Millisecond
}
