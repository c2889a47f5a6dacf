package switchsim

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// transferring places an answered call that can be transferred, and takes CHANNEL_STATE along.
func transferring(t *testing.T, spec CallSpec) (*Call, *controller) {
	t.Helper()
	spec.UUID = callID
	call, c := place(t, New(Config{Speed: 20}), spec)
	c.command("connect")
	c.wants("linger 0", "+OK will linger 0 seconds")
	c.wants("myevents", "+OK Events Enabled")
	c.wants("nixevent CHANNEL_PARK", "+OK events nixed")
	c.execute("answer", "", "a")
	c.until("CHANNEL_EXECUTE_COMPLETE answer _none_")
	return call, c
}

// states are the labels up to the end, with the state that an event tells.
func states(c *controller) []string {
	var list []string
	for {
		m, err := c.read()
		if err != nil || m.is("CHANNEL_HANGUP") {
			return append(list, "CHANNEL_HANGUP "+m.headers["Hangup-Cause"])
		}
		if label := m.label(); label == "CHANNEL_STATE" {
			list = append(list, m.headers["Channel-State"])
		} else if m.kind != "command/reply" {
			list = append(list, label)
		}
	}
}

// A transfer by the controller: the same answer for every place, and the order of the events (F120).
func TestTransferByTheController(t *testing.T) {
	t.Parallel()
	tone := []Action{{Application: "playback", Data: "tone_stream://%(200,0,440)"}}
	extensions := map[string][]Action{"5000": tone, "77 sales": tone, "6000": {{Application: "hangup", Data: "USER_BUSY"}}}
	left := []string{"CHANNEL_UNPARK", "CHANNEL_EXECUTE_COMPLETE socket _none_", "CS_ROUTING"}
	played := slices.Concat(left, []string{"CS_EXECUTE", "CHANNEL_EXECUTE playback ", "CHANNEL_EXECUTE_COMPLETE playback FILE PLAYED", "CHANNEL_HANGUP NORMAL_CLEARING"})
	nowhere := slices.Concat(left, []string{"CHANNEL_HANGUP NO_ROUTE_DESTINATION"})
	for arguments, want := range map[string][]string{
		"5000": played, "5000 XML": played, "5000 xml DEFAULT": played, "77 XML sales": played,
		"6000":  slices.Concat(left, []string{"CS_EXECUTE", "CHANNEL_EXECUTE hangup ", "CHANNEL_HANGUP USER_BUSY"}),
		"77":    nowhere,
		"12345": nowhere, "5000 XML nosuch": nowhere, "5000 FOO default": nowhere,
		"-5000 XML default": nowhere, "50'00 XML default": nowhere, `5000\ XML default`: nowhere, "50 00": nowhere,
	} {
		_, c := transferring(t, CallSpec{Extensions: extensions})
		c.api("uuid_transfer "+callID+" "+arguments, "+OK\n")
		if d := cmp.Diff(want, states(c)); d != "" {
			t.Errorf("uuid_transfer %s: %s", arguments, d)
		}
	}
	_, c := transferring(t, CallSpec{Extensions: extensions})
	c.execute("transfer", "5000 XML default", "t")
	own := []string{"CHANNEL_EXECUTE transfer ", "CHANNEL_EXECUTE_COMPLETE transfer _none_"}
	if d := cmp.Diff(slices.Concat(own, played), states(c)); d != "" {
		t.Errorf("transfer: %s", d)
	}
}

func TestTransferAnswers(t *testing.T) {
	t.Parallel()
	_, c := transferring(t, CallSpec{})
	c.api("uuid_transfer nosuch 5000", "-ERR No such channel!\n")
	c.api("uuid_transfer "+callID, transferUsage)
	c.api("uuid_transfer "+callID+" 1 2 3 4 5", transferUsage)
}

// What is queued is executed before the call leaves: a playback says PLAYBACK ERROR, a hangup
// hangs up (F89, F120).
func TestTransferWithAQueue(t *testing.T) {
	t.Parallel()
	_, c := transferring(t, CallSpec{Extensions: map[string][]Action{"5000": nil}})
	c.execute("playback", "silence_stream://-1", "1")
	c.until("CHANNEL_EXECUTE playback ")
	c.execute("playback", "tone_stream://%(200,0,440)", "2")
	c.execute("hangup", "USER_BUSY", "3")
	c.api("uuid_transfer "+callID+" 5000", "+OK\n")
	want := []string{"CHANNEL_EXECUTE_COMPLETE playback PLAYBACK ERROR", "CHANNEL_EXECUTE playback ", "CHANNEL_EXECUTE_COMPLETE playback PLAYBACK ERROR", "CHANNEL_EXECUTE hangup ", "CHANNEL_HANGUP USER_BUSY"}
	if d := cmp.Diff(want, states(c)); d != "" {
		t.Error(d)
	}
}

// The call has the new number from then on: a second controller is told so.
func TestNumberAfterTransfer(t *testing.T) {
	t.Parallel()
	ln := listen(t)
	_, c := transferring(t, CallSpec{Extensions: map[string][]Action{"5000": {{Application: "socket", Data: ln.Addr().String() + " async full"}}}})
	c.api("uuid_transfer "+callID+" 5000", "+OK\n")
	second := accept(t, ln)
	if got := second.command("connect").outer.Get("Caller-Destination-Number"); got != "5000" {
		t.Errorf("destination %q, want 5000", got)
	}
}

// What closing the first event socket does to a call that was transferred: it ends a park, a second
// socket action's too, and nothing else; if it stays open the call does (F95, F121).
func TestCloseAfterTransfer(t *testing.T) {
	t.Parallel()
	after := Action{Application: "playback", Data: "tone_stream://%(100,0,640)"}
	for _, tc := range []struct {
		application, data, begun string
		released                 bool
	}{
		{"park", "", "CHANNEL_PARK", true},
		{"bridge", "loopback/5000", "CHANNEL_EXECUTE bridge ", false},
		{"playback", "silence_stream://-1", "CHANNEL_EXECUTE playback ", false},
		{"sleep", "1000000", "CHANNEL_EXECUTE sleep ", false},
	} {
		for _, closes := range []bool{true, false} {
			call, c := transferring(t, CallSpec{Extensions: map[string][]Action{"5000": {{Application: tc.application, Data: tc.data}, after}}})
			c.wants("event plain CHANNEL_PARK", "+OK event listener enabled plain")
			c.api("uuid_transfer "+callID+" 5000", "+OK\n")
			c.until(tc.begun)
			c.wants("nolinger", "+OK will not linger")
			c.wants("noevents", "+OK no longer listening for events")
			if closes {
				c.conn.Close()
			}
			if !closes || !tc.released {
				call.Hangup()
			}
			r := call.Wait()
			if last := r.Executed[len(r.Executed)-1]; (last.Application == "playback" && last.Data == after.Data) != (closes && tc.released) {
				t.Errorf("%s, closed %v: %s %s executed last", tc.application, closes, last.Application, last.Data)
			}
			if r.Stranded {
				t.Errorf("%s, closed %v: stranded", tc.application, closes)
			}
		}
	}
}
