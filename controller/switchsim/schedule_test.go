package switchsim

import "testing"

// A group is deleted alone: sched_del with the channel's id and a bare sched_cancel
// delete the channel's own (F29, F98). Its end does so, too, and leaves the others (F99).
func TestScheduleGroups(t *testing.T) {
	t.Parallel()
	s := New(Config{Speed: 20})
	call, c := answered(t, s, CallSpec{})
	own, other := callID, "tapdeck-"+callID
	count := func(wantOwn, wantOther int) {
		t.Helper()
		if o, x := s.Tasks(own), s.Tasks(other); o != wantOwn || x != wantOther {
			t.Errorf("%d tasks of the channel's group, %d of the other, want %d and %d", o, x, wantOwn, wantOther)
		}
	}
	c.api("sched_hangup +600 "+callID, "+OK\n")
	c.api("sched_api +600 "+other+" uuid_kill "+callID+" USER_BUSY", "+OK Added: 2\n")
	c.api("sched_api +600 "+other, "-ERR Invalid syntax. USAGE: [+@]<time> <group_name> <command_string>[&]\n")
	count(1, 1)
	c.api("sched_del "+other, "+OK Deleted: 1\n")
	count(1, 0)
	c.api("sched_api +600 "+other+" uuid_kill "+callID, "+OK Added: 3\n")
	c.execute("sched_cancel", other, "1")
	c.until("CHANNEL_EXECUTE_COMPLETE sched_cancel _none_")
	count(1, 0)
	c.execute("sched_cancel", "", "2")
	c.until("CHANNEL_EXECUTE_COMPLETE sched_cancel _none_")
	count(0, 0)
	c.api("sched_api +600 "+other+" uuid_kill "+callID, "+OK Added: 4\n")
	c.api("sched_hangup +600 "+callID, "+OK\n")
	c.api("sched_del 5", "+OK Deleted: 1\n")
	c.api("sched_hangup +600 "+callID, "+OK\n")
	c.api("sched_api +1 "+other+" uuid_kill "+callID+" USER_BUSY", "+OK Added: 7\n")
	c.until("text/disconnect-notice")
	c.conn.Close()
	if r := call.Wait(); r.HangupCause != "USER_BUSY" {
		t.Errorf("cause %s", r.HangupCause)
	}
	count(0, 1)
}
