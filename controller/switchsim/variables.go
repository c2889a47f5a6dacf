package switchsim

import (
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync/atomic"
)

// variables are a channel's variables in the order in which they were set. A
// set of them is never changed, with makes the next one: events made before
// keep theirs, and the text of a set is made once.
type variables struct {
	list  []header
	plain atomic.Pointer[[]byte]
	json  atomic.Pointer[[]byte]
}

// lines writes all variables, from the text made earlier if there is one.
func (v *variables) lines(w *writer) {
	cache := &v.plain
	if w.json {
		cache = &v.json
	}
	text := cache.Load()
	if text == nil {
		own := &writer{json: w.json}
		for _, h := range v.list {
			own.add("variable_"+h.name, h.value)
		}
		text = &own.buf
		cache.Store(text)
	}
	w.buf = append(w.buf, *text...)
}

// get returns a variable; unset and empty are the same.
func (v *variables) get(name string) string {
	for i := range v.list {
		if v.list[i].name == name {
			return v.list[i].value
		}
	}
	return ""
}

// with returns the variables with changes: an empty value unsets, a variable
// that is set anew comes last.
func (v *variables) with(changes ...header) *variables {
	next := &variables{list: make([]header, 0, len(v.list)+len(changes))}
	next.list = append(next.list, v.list...)
	for _, h := range changes {
		next.set(h)
	}
	return next
}

func (v *variables) set(h header) {
	v.list = slices.DeleteFunc(v.list, func(old header) bool { return old.name == h.name })
	if h.value != "" {
		v.list = append(v.list, h)
	}
}

// initialVariables are the channel's variables when the socket action runs.
func initialVariables(p *profile, spec *CallSpec, session int64) *variables {
	v := &variables{list: []header{
		{"direction", "inbound"},
		{"uuid", p.uuid},
		{"session_id", strconv.FormatInt(session, 10)},
	}}
	if p.loopback {
		v.list = append(v.list, loopbackVariables(p)...)
	} else {
		v.list = append(v.list, sipVariables(p)...)
	}
	names := make([]string, 0, len(spec.Variables))
	for name := range spec.Variables {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		v.set(header{name, spec.Variables[name]})
	}
	if spec.Faults.OddVariables {
		v.list = append(v.list, oddVariables()...)
	}
	v.list = append(v.list,
		header{"call_uuid", p.uuid},
		header{"current_application_data", socketData(spec)},
		header{"current_application", "socket"})
	return v
}

// socketData is the socket action's data as the dialplan has it.
func socketData(spec *CallSpec) string {
	return strings.TrimSpace(spec.Address + " " + spec.Arguments)
}

func loopbackVariables(p *profile) []header {
	return []header{
		{"channel_name", p.name},
		{"read_codec", "L16"},
		{"read_rate", "8000"},
		{"write_codec", "L16"},
		{"write_rate", "8000"},
		{"origination_caller_id_number", p.caller},
		{"loopback_bowout", "false"},
		{"other_loopback_leg_uuid", otherLeg(p.uuid)},
		{"loopback_leg", "B"},
	}
}

// otherLeg is the other leg's UUID: any one that is not this.
func otherLeg(id string) string {
	if strings.HasPrefix(id, "0") {
		return "1" + id[1:]
	}
	return "0" + id[1:]
}

func sipVariables(p *profile) []header {
	callID, tag := "1-"+cut(p.uuid, 8)+"@127.0.0.1", cut(p.uuid, 8)+"SIMTag001"
	from, to := p.caller+"@127.0.0.1:5080", p.destination+"@127.0.0.1:5062"
	return []header{
		{"sip_from_user", p.caller},
		{"sip_from_port", "5080"},
		{"sip_from_uri", from},
		{"sip_from_host", "127.0.0.1"},
		{"video_media_flow", "disabled"},
		{"audio_media_flow", "disabled"},
		{"text_media_flow", "disabled"},
		{"channel_name", p.name},
		{"sip_call_id", callID},
		{"sip_local_network_addr", "127.0.0.1"},
		{"sip_network_ip", "127.0.0.1"},
		{"sip_network_port", "5080"},
		{"sip_invite_stamp", micros(p.created)},
		{"sip_received_ip", "127.0.0.1"},
		{"sip_received_port", "5080"},
		{"sip_via_protocol", "udp"},
		{"sip_from_user_stripped", p.caller},
		{"sip_from_tag", tag},
		{"sofia_profile_name", "simulated"},
		{"sofia_profile_url", "sip:mod_sofia@127.0.0.1:5062"},
		{"recovery_profile_name", "simulated"},
		{"sip_full_via", "SIP/2.0/UDP 127.0.0.1:5080;branch=z9hG4bK-" + cut(p.uuid, 8) + "-1-0"},
		{"sip_from_display", "simulated"},
		{"sip_full_from", `"simulated" <sip:` + from + ">;tag=" + tag},
		{"sip_full_to", "<sip:" + to + ">"},
		{"sip_req_user", p.destination},
		{"sip_req_port", "5062"},
		{"sip_req_uri", to},
		{"sip_req_host", "127.0.0.1"},
		{"sip_to_user", p.destination},
		{"sip_to_port", "5062"},
		{"sip_to_uri", to},
		{"sip_to_host", "127.0.0.1"},
		{"sip_contact_user", "simulated"},
		{"sip_contact_port", "5080"},
		{"sip_contact_uri", "simulated@127.0.0.1:5080"},
		{"sip_contact_host", "127.0.0.1"},
		{"rtp_use_codec_string", "PCMU,PCMA"},
		{"sip_subject", "simulated call"},
		{"sip_via_host", "127.0.0.1"},
		{"sip_via_port", "5080"},
		{"max_forwards", "70"},
		{"switch_r_sdp", sdp("user1 53655765 2353687637", "6000")},
		{"ep_codec_string", "CORE_PCM_MODULE.PCMU@8000h@20i@64000b"},
		{"endpoint_disposition", "DELAYED NEGOTIATION"},
	}
}

func sdp(origin, port string) string {
	return "v=0\r\no=" + origin + " IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n" +
		"m=audio " + port + " RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\n" +
		"a=fmtp:101 0-15\r\na=ptime:20\r\n"
}

// mediaVariables are those that media brings.
func mediaVariables() []header {
	return []header{
		{"rtp_use_codec_string", "PCMU,PCMA"},
		{"remote_video_media_flow", "inactive"},
		{"remote_text_media_flow", "inactive"},
		{"remote_audio_media_flow", "sendrecv"},
		{"audio_media_flow", "sendrecv"},
		{"rtp_audio_recv_pt", "0"},
		{"rtp_use_codec_name", "PCMU"},
		{"rtp_use_codec_rate", "8000"},
		{"rtp_use_codec_ptime", "20"},
		{"rtp_use_codec_channels", "1"},
		{"rtp_last_audio_codec_string", "PCMU@8000h@20i@1c"},
		{"read_codec", "PCMU"},
		{"original_read_codec", "PCMU"},
		{"read_rate", "8000"},
		{"original_read_rate", "8000"},
		{"write_codec", "PCMU"},
		{"write_rate", "8000"},
		{"dtmf_type", "rfc2833"},
		{"local_media_ip", "127.0.0.1"},
		{"local_media_port", "29752"},
		{"advertised_media_ip", "127.0.0.1"},
		{"rtp_use_timer_name", "soft"},
		{"rtp_use_pt", "0"},
		{"rtp_use_ssrc", "51150516"},
		{"rtp_2833_send_payload", "101"},
		{"rtp_2833_recv_payload", "101"},
		{"remote_media_ip", "127.0.0.1"},
		{"remote_media_port", "6000"},
		{"rtp_local_sdp_str", sdp("FreeSWITCH 1795295764 1795295765", "29752") + "a=sendrecv\r\n"},
		{"endpoint_disposition", "ANSWER"},
	}
}

// acknowledged are those that the caller's ACK brings.
func acknowledged(id string) []header {
	return []header{{"sip_to_tag", cut(id, 8) + "SIMTo"}, {"sip_cseq", "1"}}
}

// playbackVariables are those that a playback of n media frames leaves.
func playbackVariables(n int64) []header {
	ms := n * FrameDuration.Milliseconds()
	return []header{
		{"playback_last_offset_pos", strconv.FormatInt(ms*8, 10)},
		{"playback_seconds", strconv.FormatInt(ms/1000, 10)},
		{"playback_ms", strconv.FormatInt(ms, 10)},
		{"playback_samples", strconv.FormatInt(ms*8, 10)},
	}
}
