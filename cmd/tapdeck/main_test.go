package main

import (
	"fmt"
	"os"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	testscript.Main(leakChecked{m}, map[string]func(){"tapdeck": main, "activated": activated})
}

// leakChecked fails a run that leaves goroutines.
type leakChecked struct{ *testing.M }

func (l leakChecked) Run() int {
	code := l.M.Run()
	if code != 0 {
		return code
	}
	if err := goleak.Find(); err != nil {
		fmt.Fprintln(os.Stderr, "goleak:", err)
		return 1
	}
	return 0
}

// activated becomes `tapdeck ARGS` as systemd would start it with sockets: with
// its own process as LISTEN_PID, which no parent can know before.
func activated() {
	self, err := os.Executable()
	if err == nil {
		env := append(os.Environ(), fmt.Sprintf("LISTEN_PID=%d", os.Getpid()))
		err = syscall.Exec(self, append([]string{"tapdeck"}, os.Args[1:]...), env)
	}
	fmt.Fprintln(os.Stderr, "become tapdeck:", err)
	os.Exit(1)
}
