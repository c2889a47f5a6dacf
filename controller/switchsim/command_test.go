package switchsim

import (
	"net"
	"strings"
	"testing"
	"time"

	"tapdeck/controller/switchsim/eventsocket"
)

func TestReplies(t *testing.T) {
	_, c := place(t, New(Config{}), CallSpec{UUID: callID, Variables: map[string]string{"plan": "survey"}})
	c.command("connect")
	for _, tc := range []struct{ command, want string }{
		{"myevents", "+OK Events Enabled"},
		{"myevents", "-ERR aready enabled."},
		{"linger", "+OK will linger"},
		{"linger 5", "+OK will linger 5 seconds"},
		{"event plain NOT_AN_EVENT", "-ERR no keywords supplied"},
		{"event plain DTMF", "+OK event listener enabled plain"},
		{"event json CUSTOM a::b CHANNEL_PARK", "+OK event listener enabled json"},
		{"nixevent CHANNEL_PARK", "+OK events nixed"},
		{"nixevent nothing", "-ERR no keywords supplied"},
		{"noevents", "+OK no longer listening for events"},
		{"noevents", "-ERR not listening for events"},
		{"nolinger", "+OK will not linger"},
		{"getvar plan", "survey"},
		{"getvar uuid", callID},
		{"getvar nope", "-ERR command not found"},
		{"bogus command", "-ERR command not found"},
		{"sendmsg 00000000-0000-4000-8000-000000000000\ncall-command: hangup", "-ERR invalid session id [00000000-0000-4000-8000-000000000000]"},
		{"resume", "+OK"},
		{"exit", "+OK bye"},
	} {
		c.wants(tc.command, tc.want)
	}
	// CHANNEL_PARK may have come before: connect parks the call in its own time.
	if n := c.until("text/disconnect-notice"); n.raw != "Content-Type: text/disconnect-notice\nControlled-Session-UUID: "+callID+"\nContent-Disposition: disconnect\nContent-Length: 67\n\n" || n.body != eventsocket.Goodbye {
		t.Errorf("notice %q", n.raw)
	}
	if _, err := c.read(); !isEOF(err) {
		t.Errorf("after exit: %v, want EOF", err)
	}
}

func TestRepliesWithoutFull(t *testing.T) {
	_, c := place(t, New(Config{}), CallSpec{UUID: callID, Arguments: "async"})
	if got := c.command("connect").outer.Get("Control"); got != "single-channel" {
		t.Errorf("Control %q", got)
	}
	for _, word := range []string{"linger", "event plain ALL", "nixevent all", "noevents", "nolinger", "api status", "bgapi status"} {
		c.wants(word, "-ERR command not found")
	}
	for command, want := range map[string]string{
		"myevents": "+OK Events Enabled", "getvar uuid": callID,
	} {
		c.wants(command, want)
	}
	c.execute("answer", "", "x")
}

func TestCommandTerminators(t *testing.T) {
	_, c := place(t, New(Config{}), CallSpec{UUID: callID})
	c.send("\r\nconnect\r\n\r\nlinger 2\n\n\n\nbgapi status\r\nJob-UUID: mine\r\n\r\n")
	for _, want := range []string{"%2BOK%0A", "+OK will linger 2 seconds", "+OK Job-UUID: mine"} {
		m, err := c.read()
		if err != nil {
			t.Fatal(err)
		}
		if got := m.outer.Get("Reply-Text"); got != want {
			t.Errorf("Reply-Text %q, want %q", got, want)
		}
	}
}

func TestAPI(t *testing.T) {
	s := New(Config{})
	_, c := place(t, s, CallSpec{UUID: callID})
	c.command("connect")
	for _, tc := range []struct{ command, want string }{
		{"nosuchapi x", "-ERR nosuchapi Command not found!\n"},
		{"uuid_exists " + callID, "true"},
		{"uuid_exists 00000000-0000-4000-8000-000000000000", "false"},
		{"uuid_setvar " + callID + " a b c", "+OK\n"},
		{"uuid_setvar " + callID + " a ", "+OK\n"},
		{"uuid_setvar_multi " + callID + " STREAM_BUFFER_SIZE=20;STREAM_HEART_BEAT=15", "+OK\n"},
		{"module_exists mod_audio_stream", "true"},
		{"module_exists mod_nothing", "false"},
		{"uuid_kill nobody", "-ERR No such channel!\n"},
		{"version short", "1.10.12-release\n"},
		{"sched_hangup +600 " + callID, "+OK\n"},
	} {
		c.api(tc.command, tc.want)
	}
}

func TestConnectReply(t *testing.T) {
	for _, tc := range []struct {
		name      string
		spec      CallSpec
		lines     int
		mode      string
		hasHeader string
	}{
		{"sip", CallSpec{}, 139, "async", "variable_sip_call_id: "},
		{"sync", CallSpec{Arguments: "full"}, 139, "static", "variable_sip_call_id: "},
		{"loopback", CallSpec{Loopback: true}, 105, "async", "variable_loopback_leg: B"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, c := place(t, New(Config{}), tc.spec)
			m := c.command("connect")
			if n := strings.Count(m.raw, "\n") - 1; n != tc.lines {
				t.Errorf("%d lines, want %d", n, tc.lines)
			}
			if !strings.HasPrefix(m.raw, "Event-Name: CHANNEL_DATA\nCore-UUID: ") || strings.Contains(m.raw, "\r") {
				t.Errorf("begins %.60q", m.raw)
			}
			tail := "Content-Type: command/reply\nReply-Text: %2BOK%0A\nSocket-Mode: " + tc.mode + "\nControl: full\n\n"
			if !strings.HasSuffix(m.raw, tail) || !strings.Contains(m.raw, tc.hasHeader) {
				t.Errorf("ends %q", m.raw[len(m.raw)-200:])
			}
		})
	}
}

func TestSilentController(t *testing.T) {
	s := New(Config{ConnectWait: 20 * time.Millisecond})
	call, c := place(t, s, CallSpec{UUID: callID, Then: []Action{{Application: "log", Data: "next"}}})
	if n := c.next(); n.label() != "text/disconnect-notice disconnect" {
		t.Errorf("got %s", n.label())
	}
	if _, err := c.read(); !isEOF(err) {
		t.Errorf("after the notice: %v", err)
	}
	if s.Calls() != 1 || call.isHungUp() {
		t.Error("the call is not parked")
	}
	call.Hangup() // nobody but the caller can end it
	if r := call.Wait(); r.NextAction || r.HungUpBy != "caller" {
		t.Errorf("report %+v", r)
	}
}

func TestGoneBeforeConnect(t *testing.T) {
	call, c := place(t, New(Config{}), CallSpec{Then: []Action{{Application: "log", Data: "next"}}})
	c.conn.(*net.TCPConn).CloseWrite()
	c.rest()
	call.Hangup()
	if r := call.Wait(); r.NextAction {
		t.Error("the dialplan went on, though nobody had taken the call")
	}
}
