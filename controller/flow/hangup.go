package flow

import "context"

// Hangup ends the call.
type Hangup struct {
	// Cause is FreeSWITCH's name for it; empty is NORMAL_CLEARING.
	Cause string `yaml:"cause" as:"cause" main:"true"`
}

// normalClearing is the cause of a call that has followed its plan.
const normalClearing = "NORMAL_CLEARING"

// Name implements Step.
func (*Hangup) Name() string { return "hangup" }

// Needs implements Step.
func (*Hangup) Needs() Needs { return Needs{} }

// Length implements Step.
func (*Hangup) Length() Length { return Length{} }

// Follow implements Step.
func (s *Hangup) Follow(p *Position) error {
	p.Over = s.Name()
	return nil
}

// Preview implements Step.
func (s *Hangup) Preview(p *Preview) {
	if s.Cause != "" && s.Cause != normalClearing {
		p.Add(0, "hangup, %s", s.Cause)
		return
	}
	p.Add(0, "hangup")
}

// Run implements Step. The moment is when the channel is hung up, which the call itself notes.
func (s *Hangup) Run(_ context.Context, ch Channel) error {
	ch.HangUp(s.Cause)
	return nil
}

// Causes are the hangup causes that a plan may give: FreeSWITCH's names, but for those that say that
// FreeSWITCH itself, or tapdeck's dead man's switch, has ended a call.
func Causes() []string {
	return []string{
		"NORMAL_CLEARING", "USER_BUSY", "NO_USER_RESPONSE", "NO_ANSWER", "SUBSCRIBER_ABSENT", "CALL_REJECTED", "NUMBER_CHANGED",
		"UNALLOCATED_NUMBER", "NO_ROUTE_TRANSIT_NET", "NO_ROUTE_DESTINATION", "CHANNEL_UNACCEPTABLE", "CALL_AWARDED_DELIVERED",
		"REDIRECTION_TO_NEW_DESTINATION", "EXCHANGE_ROUTING_ERROR", "DESTINATION_OUT_OF_ORDER", "INVALID_NUMBER_FORMAT", "FACILITY_REJECTED",
		"RESPONSE_TO_STATUS_ENQUIRY", "NORMAL_UNSPECIFIED", "NORMAL_CIRCUIT_CONGESTION", "NETWORK_OUT_OF_ORDER", "NORMAL_TEMPORARY_FAILURE",
		"SWITCH_CONGESTION", "ACCESS_INFO_DISCARDED", "REQUESTED_CHAN_UNAVAIL", "PRE_EMPTED", "FACILITY_NOT_SUBSCRIBED", "OUTGOING_CALL_BARRED",
		"INCOMING_CALL_BARRED", "BEARERCAPABILITY_NOTAUTH", "BEARERCAPABILITY_NOTAVAIL", "SERVICE_UNAVAILABLE", "BEARERCAPABILITY_NOTIMPL",
		"CHAN_NOT_IMPLEMENTED", "FACILITY_NOT_IMPLEMENTED", "SERVICE_NOT_IMPLEMENTED", "INVALID_CALL_REFERENCE", "INCOMPATIBLE_DESTINATION",
		"INVALID_MSG_UNSPECIFIED", "RECOVERY_ON_TIMER_EXPIRE", "PROTOCOL_ERROR", "INTERWORKING", "ORIGINATOR_CANCEL", "MANAGER_REQUEST",
		"BUSY_EVERYWHERE", "DECLINE", "DOES_NOT_EXIST_ANYWHERE", "NOT_ACCEPTABLE", "UNWANTED", "MANDATORY_IE_MISSING", "MESSAGE_TYPE_NONEXIST",
		"WRONG_MESSAGE", "IE_NONEXIST", "INVALID_IE_CONTENTS", "WRONG_CALL_STATE", "MANDATORY_IE_LENGTH_ERROR", "SUCCESS", "LOSE_RACE",
		"BLIND_TRANSFER", "ATTENDED_TRANSFER", "USER_CHALLENGE", "MEDIA_TIMEOUT", "PICKED_OFF", "USER_NOT_REGISTERED", "PROGRESS_TIMEOUT",
		"INVALID_GATEWAY", "GATEWAY_DOWN", "INVALID_URL", "INVALID_PROFILE", "NO_PICKUP", "SRTP_READ_ERROR", "BOWOUT", "NO_IDENTITY",
		"BAD_IDENTITY_INFO", "UNSUPPORTED_CERTIFICATE", "INVALID_IDENTITY", "STALE_DATE", "REJECT_ALL",
	}
}
