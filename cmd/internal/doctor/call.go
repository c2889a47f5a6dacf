package doctor

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"tapdeck/wav"
)

// The pattern that the caller of a test call says: a tone that goes on and off.
const (
	patternHz  = 1000
	patternOn  = 200 * time.Millisecond
	patternOff = 200 * time.Millisecond
)

// callGrace is what a test call may take beyond its plan, its prompt included.
const callGrace = 2 * time.Minute

// poll is how often the daemon is asked about the test call.
const poll = 200 * time.Millisecond

// callRecord is what the doctor reads of a call's record.
type callRecord struct {
	Call     string `json:"call"`
	Caller   string `json:"caller"`
	Plan     string `json:"plan"`
	Result   string `json:"result"`
	Err      string `json:"err"`
	WAV      string `json:"wav"`
	AudioMS  int64  `json:"audio_ms"`
	Timeline struct {
		StreamConnected *int64 `json:"stream_connected"`
		Stop            *int64 `json:"stop"`
		Hangup          *int64 `json:"hangup"`
	} `json:"timeline"`
}

// call places a call from the switch itself and looks for what its caller said
// in the recording.
func (x *examination) call(ctx context.Context) {
	const check = "test call"
	caller, err := callerNumber()
	if err != nil {
		x.report(finding(Unknown, check, err.Error(), ""))
		return
	}
	command := fmt.Sprintf("originate {origination_caller_id_number=%s,origination_caller_id_name=tapdeck-doctor,loopback_bowout=false}loopback/%s/%s &endless_playback(tone_stream://%%(%d,%d,%d))",
		caller, x.Call, x.Context, patternOn.Milliseconds(), patternOff.Milliseconds(), patternHz)
	answer, ok := x.ask(ctx, check, command)
	if !ok {
		return
	}
	if !strings.HasPrefix(answer, "+OK") {
		x.report(finding(Fail, check, fmt.Sprintf("a call to %s in context %s ended with %s", x.Call, x.Context, answer), originateHint(answer)))
		return
	}
	record, ok := x.follow(ctx, caller)
	if !ok {
		return
	}
	if record.Result != "completed" {
		x.report(finding(Fail, check, fmt.Sprintf("call %s ended with result %s: %s", record.Call, record.Result, record.Err), "tapdeck's log lines of this call say more: grep "+record.Call))
		return
	}
	x.report(pass(check, "call %s to %s completed by plan %s", record.Call, x.Call, record.Plan))
	x.listen(record)
}

// callerNumber is a number that no other call has.
func callerNumber() (string, error) {
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000_000))
	if err != nil {
		return "", fmt.Errorf("choose a caller's number: %w", err)
	}
	return fmt.Sprintf("7%09d", n), nil
}

func originateHint(answer string) string {
	switch {
	case strings.Contains(answer, "NO_ROUTE_DESTINATION"):
		return "there is no such number in that context, or mod_loopback is not loaded; --context names another"
	case strings.Contains(answer, "NORMAL_CLEARING"), strings.Contains(answer, "NORMAL_TEMPORARY_FAILURE"):
		return "no tapdeck took the call: is it running, and does the extension's socket action name its address?"
	}
	return "FreeSWITCH's log says why"
}

// follow waits until the daemon says that the call of this caller has ended.
func (x *examination) follow(ctx context.Context, caller string) (callRecord, bool) {
	const check = "test call"
	ctx, cancel := context.WithTimeout(ctx, callGrace+x.longest())
	defer cancel()
	ticker := time.NewTicker(poll)
	defer ticker.Stop()
	for {
		code, body, err := x.admin(ctx, "/calls")
		switch {
		case ctx.Err() != nil:
			x.report(finding(Fail, check, "the daemon did not say within time that the call ended", "look at it: tapdeck calls"))
			return callRecord{}, false
		case err != nil || code != http.StatusOK:
			x.report(finding(Fail, check, fmt.Sprintf("the daemon's /calls can't be read (%d)", code), "is admin.listen right, and admin.token?"))
			return callRecord{}, false
		}
		var page struct{ Ended []callRecord }
		if err := json.Unmarshal(body, &page); err == nil {
			for _, r := range page.Ended {
				if r.Caller == caller {
					return r, true
				}
			}
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
		}
	}
}

// longest is the longest listening time of any plan.
func (x *examination) longest() time.Duration {
	longest := time.Duration(0)
	for _, name := range x.Loaded.PlanNames() {
		plan, _ := x.Loaded.Plan(name)
		longest = max(longest, plan.AnswerPause+plan.Tone.Duration+plan.Listen)
	}
	return longest
}

// listen looks for the pattern in the recording, and whether that is as long as
// the call's stream was.
func (x *examination) listen(record callRecord) {
	const check = "test recording"
	path := filepath.Join(x.Loaded.Config.Sink.Directory, record.WAV)
	samples, format, err := readMono(path)
	if err != nil {
		x.report(finding(Fail, check, fmt.Sprintf("%s can't be read: %v", path, err), "run doctor where the recordings are, with the daemon's own configuration"))
		return
	}
	found := search(samples, format.SampleRate)
	if !found.there {
		x.report(finding(Fail, check, fmt.Sprintf("the %d Hz pattern is not in %s (%.2f s, of which %.0f %% tone)", patternHz, path, float64(len(samples))/float64(format.SampleRate), 100*found.share),
			"is the stream's mix right (mono is the caller), and is it this call's file?"))
		return
	}
	x.report(pass(check, "the %d Hz pattern is in %s from %.2f s on, at %.1f dBFS", patternHz, path, found.offset.Seconds(), found.level))
	x.length(record, time.Duration(len(samples))*time.Second/time.Duration(format.SampleRate))
}

// lengthGrace is how far a recording's length may be from its stream's time.
const lengthGrace = 300 * time.Millisecond

func (x *examination) length(record callRecord, got time.Duration) {
	const check = "recording length"
	t := record.Timeline
	if t.StreamConnected == nil || t.Stop == nil {
		x.report(finding(Unknown, check, "the record does not say when the stream ran", ""))
		return
	}
	want := time.Duration(*t.Stop-*t.StreamConnected) * time.Millisecond
	seen := fmt.Sprintf("%.2f s, and the stream ran for %.2f s", got.Seconds(), want.Seconds())
	if (got - want).Abs() > lengthGrace {
		x.report(finding(Fail, check, seen, "audio is missing: the record's gaps, missing_ms and alarms say where"))
		return
	}
	x.report(pass(check, "%s", seen))
}

// maxTestFile bounds the recording that is read into memory.
const maxTestFile = 256 << 20

// readMono reads the caller's channel of a recording.
func readMono(path string) ([]int16, wav.Format, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, wav.Format{}, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, wav.Format{}, err
	}
	h, err := wav.ReadHeader(f, info.Size())
	if err != nil {
		return nil, wav.Format{}, err
	}
	if h.DataBytes > maxTestFile {
		return nil, h.Format, fmt.Errorf("it holds %d bytes of audio, more than %d", h.DataBytes, maxTestFile)
	}
	raw := make([]byte, h.DataBytes)
	if _, err := f.ReadAt(raw, h.DataOffset); err != nil {
		return nil, h.Format, err
	}
	frame := h.Format.FrameBytes()
	samples := make([]int16, 0, len(raw)/frame)
	for i := 0; i+frame <= len(raw); i += frame {
		samples = append(samples, int16(uint16(raw[i])|uint16(raw[i+1])<<8))
	}
	return samples, h.Format, nil
}
