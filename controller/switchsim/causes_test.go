package switchsim

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What hangup makes of the word that it is given, and of a call that is not answered (F119).
func TestHangupCauses(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		word, cause, q850 string
		status            int
	}{
		{"", "NORMAL_CLEARING", "16", 480},
		{"USER_BUSY", "USER_BUSY", "17", 486},
		{"user_busy", "USER_BUSY", "17", 486},
		{"17", "USER_BUSY", "17", 486},
		{" USER_BUSY", "USER_BUSY", "17", 486},
		{"CALL_REJECTED", "CALL_REJECTED", "21", 603},
		{"NO_ANSWER", "NO_ANSWER", "19", 480},
		{"UNALLOCATED_NUMBER", "UNALLOCATED_NUMBER", "1", 404},
		{"NO_USER_RESPONSE", "NO_USER_RESPONSE", "18", 408},
		{"NORMAL_TEMPORARY_FAILURE", "NORMAL_TEMPORARY_FAILURE", "41", 503},
		{"DESTINATION_OUT_OF_ORDER", "DESTINATION_OUT_OF_ORDER", "27", 502},
		{"MANAGER_REQUEST", "MANAGER_REQUEST", "16", 480},
		{"NOSUCH_CAUSE", "NORMAL_CLEARING", "16", 480},
		{"USER BUSY", "NORMAL_CLEARING", "16", 480},
		{"486", "UNKNOWN", "16", 480},
	} {
		call, c := place(t, New(Config{Speed: 20}), CallSpec{})
		c.command("connect")
		c.wants("linger 0", "+OK will linger 0 seconds")
		c.wants("myevents", "+OK Events Enabled")
		c.execute("hangup", tc.word, "1")
		h := c.until("CHANNEL_HANGUP_COMPLETE").headers
		c.conn.Close()
		got := []string{h["Hangup-Cause"], h["variable_hangup_cause_q850"], h["variable_sip_hangup_disposition"], itoa(call.Wait().SIPStatus)}
		if d := cmp.Diff([]string{tc.cause, tc.q850, "send_refuse", itoa(tc.status)}, got); d != "" {
			t.Errorf("hangup %q: %s", tc.word, d)
		}
	}
}
