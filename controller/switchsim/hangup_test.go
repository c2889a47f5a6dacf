package switchsim

import (
	"context"
	"net"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestCallerHangsUp(t *testing.T) {
	during := []string{
		"CHANNEL_HANGUP", "CHANNEL_EXECUTE_COMPLETE playback PLAYBACK ERROR", "CHANNEL_UNPARK",
		"CHANNEL_EXECUTE_COMPLETE socket PLAYBACK ERROR", "CHANNEL_STATE", "CHANNEL_STATE", "CHANNEL_HANGUP_COMPLETE",
	}
	late := slices.Insert(slices.Clone(during[1:]), 3, "CHANNEL_HANGUP")
	for _, tc := range []struct {
		name, linger, mode string
		want               []string
	}{
		{"complete before hangup", "", "async full", append(late, "text/disconnect-notice disconnect")},
		{"no linger", "", "async full", append(slices.Clone(during), "text/disconnect-notice disconnect")},
		{"linger", "linger 0", "async full", append(slices.Clone(during), "text/disconnect-notice linger", "text/disconnect-notice disconnect")},
		{"sync", "", "full", []string{"text/disconnect-notice disconnect"}},
		{"sync linger", "linger 0", "full", []string{
			"CHANNEL_HANGUP", "CHANNEL_EXECUTE_COMPLETE playback PLAYBACK ERROR", "text/disconnect-notice linger", "text/disconnect-notice disconnect",
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			call, c := place(t, New(Config{Speed: 20}), CallSpec{
				Arguments: tc.mode, HangupAfter: time.Second,
				Faults: Faults{CompleteBeforeHangup: tc.name == "complete before hangup"},
			})
			c.command("connect")
			c.wants("myevents", "+OK Events Enabled")
			if tc.linger != "" {
				c.wants(tc.linger, "+OK will linger 0 seconds")
			}
			c.execute("answer", "", "a")
			c.until("CHANNEL_EXECUTE_COMPLETE answer _none_")
			c.send("sendmsg\ncall-command: execute\nexecute-app-name: playback\nexecute-app-arg: tone_stream://%(9000,0,440)\n\n")
			c.until("CHANNEL_EXECUTE playback ")
			if d := cmp.Diff(tc.want, without(c.rest(), "command/reply ")); d != "" {
				t.Error(d)
			}
			c.conn.Close()
			if r := call.Wait(); r.HungUpBy != "caller" || r.HangupCause != "NORMAL_CLEARING" {
				t.Errorf("hung up by %s, %s", r.HungUpBy, r.HangupCause)
			}
		})
	}
}

// Of what is queued when the caller hangs up there is no event (F165).
func TestHangupDropsTheQueue(t *testing.T) {
	t.Parallel()
	spec := CallSpec{}
	playing := notePlaying(&spec)
	call, c := answered(t, New(Config{Speed: 10}), spec)
	for _, id := range []string{"1", "2", "3"} {
		c.execute("playback", "tone_stream://%(9000,0,440)", id)
	}
	<-playing
	call.Hangup()
	n := 0
	for _, label := range c.rest() {
		if strings.HasPrefix(label, "CHANNEL_EXECUTE") && strings.Contains(label, "playback") {
			n++
		}
	}
	if n != 2 {
		t.Errorf("%d events of playbacks, want EXECUTE and COMPLETE of the first", n)
	}
}

func without(labels []string, label string) []string {
	return slices.DeleteFunc(labels, func(l string) bool { return l == label })
}

func TestLingerWithoutEndPins(t *testing.T) {
	s := New(Config{Speed: 20})
	call, c := place(t, s, CallSpec{UUID: callID})
	c.command("connect")
	c.wants("myevents", "+OK Events Enabled")
	c.wants("linger", "+OK will linger")
	call.Hangup()
	n := c.until("text/disconnect-notice")
	want := "Content-Type: text/disconnect-notice\nControlled-Session-UUID: " + callID +
		"\nContent-Disposition: linger\nChannel-Name: sofia/simulated/1001@192.0.2.1:5080\nLinger-Time: -1\nContent-Length: 0\n\n"
	if n.raw != want {
		t.Errorf("notice %q, want %q", n.raw, want)
	}
	c.api("uuid_exists "+callID, "true") // still answers, still pinned
	c.execute("playback", "x", "too-late")
	if s.Calls() != 1 {
		t.Error("the channel is gone")
	}
	c.conn.Close()
	if call.Wait(); s.Calls() != 0 {
		t.Error("the channel is still there")
	}
}

func TestControllerGone(t *testing.T) {
	t.Parallel()
	then := []Action{{Application: "log", Data: "next"}, {Application: "playback", Data: "tone_stream://%(500,0,800)"}}
	t.Run("absent", func(t *testing.T) {
		ln := listen(t)
		ln.Close()
		call, err := New(Config{Speed: 20}).Dial(context.Background(), CallSpec{Address: ln.Addr().String(), Then: then})
		if err != nil {
			t.Fatal(err)
		}
		wantNext(t, call.Wait(), "socket", "log", "playback")
	})
	t.Run("closes while parked", func(t *testing.T) {
		call, c := place(t, New(Config{Speed: 20}), CallSpec{Then: then})
		c.command("connect")
		c.wants("myevents", "+OK Events Enabled")
		c.execute("set", "a=b", "1")
		c.until("CHANNEL_EXECUTE_COMPLETE set _none_")
		c.conn.Close()
		wantNext(t, call.Wait(), "socket", "set", "log", "playback")
	})
	t.Run("closes after resume", func(t *testing.T) {
		call, c := place(t, New(Config{Speed: 20}), CallSpec{Arguments: "async", Then: then})
		c.command("connect")
		c.send("resume\n\nsendmsg\ncall-command: execute\nexecute-app-name: unset\nexecute-app-arg: socket_resume\n\n")
		c.conn.(*net.TCPConn).CloseWrite()
		wantNext(t, call.Wait(), "socket", "unset", "log", "playback")
		if got := call.Variable("socket_resume"); got != "" {
			t.Errorf("socket_resume is left as %q", got)
		}
	})
	t.Run("closes with a queue", func(t *testing.T) {
		call, c := place(t, New(Config{Speed: 20}), CallSpec{Then: then})
		c.command("connect")
		c.wants("myevents", "+OK Events Enabled")
		c.execute("playback", "tone_stream://%(1000,0,440)", "1")
		c.execute("playback", "tone_stream://%(500,0,440)", "2")
		c.until("CHANNEL_EXECUTE playback ")
		c.conn.Close()
		wantNext(t, call.Wait(), "socket", "playback", "playback", "log", "playback")
	})
	t.Run("closes in sync mode", func(t *testing.T) {
		call, c := place(t, New(Config{Speed: 20}), CallSpec{Arguments: "full", Then: then})
		c.command("connect")
		c.conn.Close()
		wantNext(t, call.Wait(), "socket", "log", "playback")
	})
}

// A controller that closes too early, or gives resume without async, leaves the channel with
// nobody in control (F8, F94).
func TestControllerStrandsCall(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, arguments, commands string }{
		{"closes at once", "async full", ""},
		{"says something, and closes", "async full", "linger 5\n\nmyevents json\n\n"},
		{"resume without async", "full", "resume\n\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			call, ctl := place(t, New(Config{Speed: 20}), CallSpec{Arguments: c.arguments, Then: []Action{{Application: "log"}}})
			ctl.command("connect")
			ctl.send(c.commands)
			ctl.conn.(*net.TCPConn).CloseWrite()
			ctl.rest()
			for !call.Report().Stranded {
				runtime.Gosched()
			}
			call.Hangup()
			if r := call.Wait(); r.NextAction {
				t.Error("the dialplan went on")
			}
		})
	}
}

// A call that is transferred to its own extension has a second event socket. The end of the
// first unparks the second (F9, F95).
func TestTransferBack(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, last string
		stranded   bool
	}{{"closed", "", false}, {"resumed", "resume\n\n", true}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			ln := listen(t)
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			call, err := New(Config{Speed: 20}).Dial(ctx, CallSpec{Address: ln.Addr().String(), UUID: callID, Then: []Action{{Application: "log"}}})
			if err != nil {
				t.Fatal(err)
			}
			first := accept(t, ln)
			first.command("connect")
			first.wants("myevents", "+OK Events Enabled")
			first.api("uuid_transfer "+callID+" 9999", "+OK\n")
			second := accept(t, ln)
			if m := second.command("connect"); !strings.Contains(m.raw, "\nUnique-ID: "+callID+"\n") {
				t.Errorf("connect is answered by %.2000q", m.raw)
			}
			second.wants("myevents", "+OK Events Enabled")
			first.until("CHANNEL_EXECUTE_COMPLETE socket _none_")
			first.send(c.last)
			first.conn.(*net.TCPConn).CloseWrite()
			second.until("CHANNEL_EXECUTE_COMPLETE socket _none_")
			second.conn.Close()
			if r := call.Wait(); !r.NextAction || r.Stranded != c.stranded {
				t.Errorf("next action %v, stranded %v", r.NextAction, r.Stranded)
			}
		})
	}
}

func wantNext(t *testing.T, r Report, apps ...string) {
	t.Helper()
	var got []string
	for _, e := range r.Executed {
		got = append(got, e.Application)
	}
	if d := cmp.Diff(apps, got); d != "" || !r.NextAction || r.HangupCause != "NORMAL_CLEARING" {
		t.Errorf("next action %v, %s; executed %s", r.NextAction, r.HangupCause, d)
	}
}

func TestFailOver(t *testing.T) {
	dead := listen(t)
	dead.Close()
	call, c := place(t, New(Config{}), CallSpec{Address: dead.Addr().String() + "|"})
	c.command("connect")
	c.wants("getvar socket_host", "127.0.0.1")
	if r := call.Report(); r.Controller != c.conn.LocalAddr().String() {
		t.Errorf("controller %q", r.Controller)
	}
}

func TestHostList(t *testing.T) {
	for _, tc := range []struct {
		address     string
		hosts, path []string
	}{
		{"10.0.0.1", []string{"10.0.0.1:8084"}, []string{""}},
		{"10.0.0.1:9000|10.0.0.2", []string{"10.0.0.1:9000", "10.0.0.2:9000"}, []string{"", ""}},
		{"a:1/some/path|b", []string{"a:1", "b:1"}, []string{"some/path", ""}},
	} {
		hosts, paths := hostList(tc.address)
		if d := cmp.Diff(tc.hosts, hosts) + cmp.Diff(tc.path, paths); d != "" {
			t.Errorf("%s: %s", tc.address, d)
		}
	}
}

func TestSchedHangupAndTeardown(t *testing.T) {
	t.Parallel()
	call, c := place(t, New(Config{}), CallSpec{UUID: callID})
	c.command("connect")
	c.api("sched_hangup +1 "+callID+" ALLOTTED_TIMEOUT", "+OK\n")
	c.until("text/disconnect-notice")
	c.conn.Close()
	if r := call.Wait(); r.HangupCause != "ALLOTTED_TIMEOUT" {
		t.Errorf("cause %s", r.HangupCause)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ln := listen(t)
	call, err := New(Config{}).Dial(ctx, CallSpec{Address: ln.Addr().String()})
	if err != nil {
		t.Fatal(err)
	}
	c = accept(t, ln)
	c.command("connect")
	c.wants("linger", "+OK will linger")
	cancel()
	call.Wait() // though it would linger for ever
}
