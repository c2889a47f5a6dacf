package switchsim

import (
	"strconv"
	"strings"
	"time"
)

const stampLayout = "2006-01-02 15:04:05"

// hangupVariables are those that the end of a call brings: why, when, how
// long, and what the media amounted to. byCaller says whose BYE it was.
func hangupVariables(st *state, byCaller bool, end time.Time) []header {
	bye := "send_bye"
	if byCaller {
		bye = "recv_bye"
	}
	hh := []header{
		{"sip_term_status", "200"},
		{"proto_specific_hangup_cause", "sip:200"},
		{"sip_term_cause", "16"},
		{"sip_hangup_disposition", bye},
	}
	if st.loopback {
		hh = nil
	}
	hh = append(hh, header{"hangup_cause", st.cause}, header{"hangup_cause_q850", "16"}, header{"digits_dialed", "none"})
	hh = append(hh, stamps(st, end)...)
	hh = append(hh,
		header{"last_app", st.vars.get("current_application")},
		header{"last_arg", st.vars.get("current_application_data")},
		header{"caller_id", `"simulated" <` + st.caller + ">"})
	hh = append(hh, lengths(st, end)...)
	if st.media && !st.loopback {
		hh = append(hh, mediaStatistics(end.Sub(st.early))...)
	}
	return hh
}

// stamps are the times of the call's steps.
func stamps(st *state, end time.Time) []header {
	steps := []struct {
		name string
		at   time.Time
	}{
		{"start", st.created},
		{"profile_start", st.created},
		{"answer", st.answered},
		{"bridge", time.Time{}},
		{"last_hold", time.Time{}},
		{"resurrect", time.Time{}},
		{"progress", time.Time{}},
		{"progress_media", st.early},
		{"end", end},
	}
	var hh []header
	for _, s := range steps {
		if !s.at.IsZero() {
			hh = append(hh, header{s.name + "_stamp", s.at.Format(stampLayout)})
		}
	}
	for _, s := range steps {
		if s.name == "resurrect" {
			hh = append(hh, header{"hold_accum_seconds", "0"}, header{"hold_accum_usec", "0"}, header{"hold_accum_ms", "0"})
		}
		seconds := "0"
		if !s.at.IsZero() {
			seconds = strconv.FormatInt(s.at.Unix(), 10)
		}
		hh = append(hh, header{s.name + "_epoch", seconds}, header{s.name + "_uepoch", micros(s.at)})
	}
	return hh
}

// lengths are the durations between the steps, in three units.
func lengths(st *state, end time.Time) []header {
	between := func(from, to time.Time) time.Duration {
		if from.IsZero() || to.IsZero() {
			return 0
		}
		return to.Sub(from)
	}
	spans := []struct {
		name string
		took time.Duration
	}{
		{"duration", between(st.created, end)},
		{"billsec", between(st.answered, end)},
		{"progresssec", 0},
		{"answersec", between(st.created, st.answered)},
		{"waitsec", 0},
		{"progress_mediasec", between(st.created, st.early)},
		{"flow_billsec", between(st.created, end)},
	}
	var hh []header
	for _, unit := range []struct {
		name string
		in   time.Duration
	}{{"", time.Second}, {"m", time.Millisecond}, {"u", time.Microsecond}} {
		for _, s := range spans {
			name := strings.TrimSuffix(s.name, "sec") + unit.name + "sec"
			if s.name == "duration" {
				name = unit.name + s.name
			}
			hh = append(hh, header{name, strconv.FormatInt(int64(s.took/unit.in), 10)})
		}
	}
	return hh
}

// mediaStatistics are those of a faultless RTP stream of that length.
func mediaStatistics(length time.Duration) []header {
	packets := frames(length)
	bytes, count := strconv.FormatInt(packets*172, 10), strconv.FormatInt(packets, 10)
	hh := []header{
		{"in_raw_bytes", bytes},
		{"in_media_bytes", bytes},
		{"in_packet_count", count},
		{"in_media_packet_count", count},
		{"in_skip_packet_count", "0"},
		{"in_jitter_packet_count", "0"},
		{"in_dtmf_packet_count", "0"},
		{"in_cng_packet_count", "0"},
		{"in_flush_packet_count", "0"},
		{"in_largest_jb_size", "0"},
		{"in_jitter_min_variance", "0.00"},
		{"in_jitter_max_variance", "0.00"},
		{"in_jitter_loss_rate", "0.00"},
		{"in_jitter_burst_rate", "0.00"},
		{"in_mean_interval", "20.00"},
		{"in_flaw_total", "0"},
		{"in_quality_percentage", "100.00"},
		{"in_mos", "4.50"},
		{"out_raw_bytes", bytes},
		{"out_media_bytes", bytes},
		{"out_packet_count", count},
		{"out_media_packet_count", count},
		{"out_skip_packet_count", "0"},
		{"out_dtmf_packet_count", "0"},
		{"out_cng_packet_count", "0"},
		{"rtcp_packet_count", "0"},
		{"rtcp_octet_count", "0"},
	}
	for i := range hh {
		hh[i].name = "rtp_audio_" + hh[i].name
	}
	return hh
}
