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

// Causes are the hangup causes that a plan may give: FreeSWITCH's names of those of Q.850 and of
// its own that say something to the caller's side.
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
		"BUSY_EVERYWHERE", "DECLINE", "DOES_NOT_EXIST_ANYWHERE", "NOT_ACCEPTABLE", "UNWANTED",
	}
}
