package switchsim

import (
	"slices"
	"strconv"
	"strings"
)

// causes are the hangup causes that the switch knows, by Q.850 number; above 127 by the switch's own.
var causes = map[int]string{
	0: "NONE", 1: "UNALLOCATED_NUMBER", 2: "NO_ROUTE_TRANSIT_NET", 3: "NO_ROUTE_DESTINATION", 6: "CHANNEL_UNACCEPTABLE",
	7: "CALL_AWARDED_DELIVERED", 16: "NORMAL_CLEARING", 17: "USER_BUSY", 18: "NO_USER_RESPONSE", 19: "NO_ANSWER",
	20: "SUBSCRIBER_ABSENT", 21: "CALL_REJECTED", 22: "NUMBER_CHANGED", 23: "REDIRECTION_TO_NEW_DESTINATION",
	25: "EXCHANGE_ROUTING_ERROR", 27: "DESTINATION_OUT_OF_ORDER", 28: "INVALID_NUMBER_FORMAT", 29: "FACILITY_REJECTED",
	30: "RESPONSE_TO_STATUS_ENQUIRY", 31: "NORMAL_UNSPECIFIED", 34: "NORMAL_CIRCUIT_CONGESTION", 38: "NETWORK_OUT_OF_ORDER",
	41: "NORMAL_TEMPORARY_FAILURE", 42: "SWITCH_CONGESTION", 43: "ACCESS_INFO_DISCARDED", 44: "REQUESTED_CHAN_UNAVAIL",
	45: "PRE_EMPTED", 50: "FACILITY_NOT_SUBSCRIBED", 52: "OUTGOING_CALL_BARRED", 54: "INCOMING_CALL_BARRED",
	57: "BEARERCAPABILITY_NOTAUTH", 58: "BEARERCAPABILITY_NOTAVAIL", 63: "SERVICE_UNAVAILABLE", 65: "BEARERCAPABILITY_NOTIMPL",
	66: "CHAN_NOT_IMPLEMENTED", 69: "FACILITY_NOT_IMPLEMENTED", 79: "SERVICE_NOT_IMPLEMENTED", 81: "INVALID_CALL_REFERENCE",
	88: "INCOMPATIBLE_DESTINATION", 95: "INVALID_MSG_UNSPECIFIED", 96: "MANDATORY_IE_MISSING", 97: "MESSAGE_TYPE_NONEXIST",
	98: "WRONG_MESSAGE", 99: "IE_NONEXIST", 100: "INVALID_IE_CONTENTS", 101: "WRONG_CALL_STATE", 102: "RECOVERY_ON_TIMER_EXPIRE",
	103: "MANDATORY_IE_LENGTH_ERROR", 111: "PROTOCOL_ERROR", 127: "INTERWORKING", 142: "SUCCESS", 487: "ORIGINATOR_CANCEL",
	700: "CRASH", 701: "SYSTEM_SHUTDOWN", 702: "LOSE_RACE", 703: "MANAGER_REQUEST", 800: "BLIND_TRANSFER",
	801: "ATTENDED_TRANSFER", 802: "ALLOTTED_TIMEOUT", 803: "USER_CHALLENGE", 804: "MEDIA_TIMEOUT", 805: "PICKED_OFF",
	806: "USER_NOT_REGISTERED", 807: "PROGRESS_TIMEOUT", 808: "INVALID_GATEWAY", 809: "GATEWAY_DOWN", 810: "INVALID_URL",
	811: "INVALID_PROFILE", 812: "NO_PICKUP", 813: "SRTP_READ_ERROR",
}

// causeNumber returns the number of a cause, or -1.
func causeNumber(name string) int {
	for number, known := range causes {
		if known == name {
			return number
		}
	}
	return -1
}

const normalClearing = "NORMAL_CLEARING"

// causeOf is the cause that the word of a hangup stands for: in any case, or its number; a word
// that the switch does not know is NORMAL_CLEARING (F119).
func causeOf(word string) string {
	word = strings.TrimLeft(word, " ")
	if word != "" && word[0] >= '0' && word[0] <= '9' {
		digits := word[:len(word)-len(strings.TrimLeft(word, "0123456789"))]
		number, _ := strconv.Atoi(digits)
		if name, known := causes[number]; known {
			return name
		}
		return "UNKNOWN"
	}
	if name := strings.ToUpper(word); causeNumber(name) >= 0 {
		return name
	}
	return normalClearing
}

// q850 is the cause's number in variable_hangup_cause_q850.
func q850(cause string) int {
	if number := causeNumber(cause); number >= 0 && number < 128 {
		return number
	}
	return 16
}

// sipStatus is the final answer to an INVITE that is refused with a cause (F119).
func sipStatus(cause string) int {
	for _, s := range []struct {
		status int
		causes []string
	}{
		{404, []string{"UNALLOCATED_NUMBER", "NO_ROUTE_TRANSIT_NET", "NO_ROUTE_DESTINATION"}},
		{408, []string{"NO_USER_RESPONSE"}},
		{486, []string{"USER_BUSY"}},
		{487, []string{"ORIGINATOR_CANCEL"}},
		{502, []string{"DESTINATION_OUT_OF_ORDER"}},
		{503, []string{"NORMAL_TEMPORARY_FAILURE", "REQUESTED_CHAN_UNAVAIL"}},
		{603, []string{"CALL_REJECTED"}},
	} {
		if slices.Contains(s.causes, cause) {
			return s.status
		}
	}
	return 480
}
