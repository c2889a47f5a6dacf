package app

import (
	"strings"
	"testing"

	"tapdeck/cmd/internal/apptest"
	"tapdeck/controller/switchsim"
)

// TestEleventhStream is the free v1.0.3 of the module: it refuses what its licence does not permit,
// and the call's last line names that, if it can be it.
func TestEleventhStream(t *testing.T) {
	for permitted, want := range map[int]bool{10: true, 9: false} {
		s := newTestDaemon(t, shortCalls)
		s.sw = switchsim.New(switchsim.Config{MaxStreams: permitted})
		long := map[string]string{"tapdeck_listen": "10m"}
		var calls []*switchsim.Call
		for range permitted {
			calls = append(calls, s.place(switchsim.CallSpec{Variables: long}))
		}
		apptest.Until(t, "the streams", func() bool {
			live := 0
			for _, c := range s.controller.Calls() {
				if c.Stream != nil && c.Stream.Live {
					live++
				}
			}
			return live == permitted
		})
		call := s.place(switchsim.CallSpec{Variables: long})
		call.Wait()
		apptest.Until(t, "the end of the call", func() bool { return s.told(call.UUID(), "call ended") != nil })
		line := s.told(call.UUID(), "call ended")
		hint, _ := line["hint"].(string)
		if line["result"] != "stream_failed" || strings.Contains(hint, "sink.max_streams: 10") != want || !strings.Contains(hint, "another") {
			t.Errorf("with %d permitted: %v", permitted, line)
		}
		for _, call := range calls {
			call.Hangup()
			call.Wait()
		}
		apptest.Until(t, "the end of all calls", func() bool { return len(s.controller.Calls()) == 0 })
		if after := s.place(switchsim.CallSpec{}).Wait(); len(after.Streams) != 1 {
			t.Errorf("a stream is refused when the others have ended")
		}
	}
}
