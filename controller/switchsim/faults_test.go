package switchsim

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"

	"tapdeck/controller/switchsim/eventsocket"
)

func TestStreamFaults(t *testing.T) {
	t.Parallel()
	t.Run("never connects", func(t *testing.T) {
		call, c := streaming(t, New(Config{}), CallSpec{Faults: Faults{NeverConnect: true}})
		c.api(streamCmd+" start ws://127.0.0.1:1/x mono 8000", "+OK Success\n")
		c.api(streamCmd+" stop", "+OK Success\n")
		if r := call.Report().Streams[0]; !r.Connected.IsZero() || r.Samples != 0 {
			t.Errorf("stream %+v", r)
		}
	})
	t.Run("refused", func(t *testing.T) {
		_, c := streaming(t, New(Config{}), CallSpec{Faults: Faults{RefuseStart: true}})
		c.api(streamCmd+" start ws://127.0.0.1:1/x mono 8000", "-ERR Operation Failed\n")
	})
	t.Run("no api", func(t *testing.T) {
		_, c := streaming(t, New(Config{}), CallSpec{Faults: Faults{NoAPI: true}})
		c.api(streamCmd+" stop", "-ERR uuid_audio_stream Command not found!\n")
	})
	t.Run("tampered url", func(t *testing.T) {
		w := newRawServer(t)
		tamper := func(u string) string { return strings.Replace(u, "ticket", "forged", 1) }
		_, c := streaming(t, New(Config{}), CallSpec{Faults: Faults{TamperURL: tamper}})
		c.api(streamCmd+" start "+w.url+"/a/ticket mono 8000", "+OK Success\n")
		if got := w.accept(); !strings.HasPrefix(got, "GET /a/forged HTTP/1.1\r\n") {
			t.Errorf("request %q", got)
		}
	})
	t.Run("second socket", func(t *testing.T) {
		web := newWebServer(t)
		call, c := streaming(t, New(Config{}), CallSpec{Faults: Faults{SecondSocket: true}})
		c.api(streamCmd+" start "+web.url+" mono 8000", "+OK Success\n")
		c.until("mod_audio_stream::connect")
		if got := call.Report().Streams[0].Second; got != "101 Switching Protocols" {
			t.Errorf("second socket: %q", got)
		}
	})
}

func TestDrops(t *testing.T) {
	t.Parallel()
	web := newWebServer(t)
	call, c := streaming(t, New(Config{Speed: 20}), CallSpec{Voice: ToneVoice(8000, 440, 0.5), Faults: Faults{Drops: []Drop{
		{After: 400 * time.Millisecond}, {After: 600 * time.Millisecond, How: DropRST}, {After: 200 * time.Millisecond, How: DropNothing},
	}}})
	start := streamCmd + " start " + web.url + " mono 8000"
	c.api(start, "+OK Success\n")
	c.until("mod_audio_stream::error")
	if sent := web.received(t); len(sent.audio) != 20*320 {
		t.Errorf("%d bytes before the FIN", len(sent.audio))
	}
	c.api(start, "+OK Success\n")
	c.until("mod_audio_stream::error")
	web.received(t)
	c.api(start, "+OK Success\n")
	c.until("mod_audio_stream::connect")
	c.execute("sleep", "600", "s")
	c.until("CHANNEL_EXECUTE_COMPLETE sleep _none_")
	c.api(streamCmd+" stop", "+OK Success\n") // after its second: nothing goes through
	if sent := web.received(t); len(sent.audio) != 10*320 || sent.status > 0 {
		t.Errorf("%d bytes and close %d before nothing", len(sent.audio), sent.status)
	}
	r := call.Report()
	for i, want := range []int64{20 * 160, 30 * 160, 10 * 160} {
		if r.Streams[i].Samples != want {
			t.Errorf("stream %d: %d samples, want %d", i, r.Streams[i].Samples, want)
		}
	}
	if r.Streams[0].End != "fault fin" || r.Streams[1].End != "fault rst" || len(r.Faults) != 3 {
		t.Errorf("ends %q and %q, faults %q", r.Streams[0].End, r.Streams[1].End, r.Faults)
	}
}

func TestAudioFaults(t *testing.T) {
	t.Parallel()
	run := func(t *testing.T, f AudioFaults) (StreamReport, received) {
		t.Helper()
		web := newWebServer(t)
		call, c := streaming(t, New(Config{Speed: 10}), CallSpec{Voice: ToneVoice(8000, 440, 0.5), Faults: Faults{Audio: f}})
		c.api(streamCmd+" start "+web.url+" mono 8000", "+OK Success\n")
		c.until("mod_audio_stream::connect")
		c.execute("sleep", "600", "s")
		c.until("CHANNEL_EXECUTE_COMPLETE sleep _none_")
		c.api(streamCmd+" stop", "+OK Success\n")
		return call.Report().Streams[0], web.received(t)
	}
	for name, f := range map[string]AudioFaults{
		"silent": {Silent: true}, "odd": {Odd: true}, "texts": {Texts: 3}, "pings": {Pings: 5},
		"omit": {Omit: 0.3},
	} {
		t.Run(name, func(t *testing.T) {
			r, sent := run(t, f)
			sameAudio(t, &r, sent.audio)
			if len(sent.audio) < 4000 {
				t.Errorf("%d bytes arrived", len(sent.audio))
			}
			if f.Silent && bytes.Trim(sent.audio, "\x00") != nil && len(bytes.Trim(sent.audio, "\x00")) > 0 {
				t.Error("not silent")
			}
			if f.Texts > 0 && len(sent.texts) < 60 {
				t.Errorf("%d texts", len(sent.texts))
			}
			if f.Omit > 0 && len(r.Parts) < 4 {
				t.Errorf("parts %v", r.Parts)
			}
		})
	}
	t.Run("none", func(t *testing.T) {
		if r, sent := run(t, AudioFaults{None: true}); len(sent.audio) != 0 || r.Samples != 0 {
			t.Errorf("%d bytes of audio", len(sent.audio))
		}
	})
	t.Run("huge", func(t *testing.T) {
		if r, sent := run(t, AudioFaults{Huge: 100_000}); len(sent.audio) != 100_000+len(r.PCM()) {
			t.Errorf("%d bytes arrived", len(sent.audio))
		}
	})
}

func TestStepFaults(t *testing.T) {
	t.Parallel()
	t.Run("caller hangs up", func(t *testing.T) {
		_, c := answered(t, New(Config{Speed: 20}), CallSpec{Faults: Faults{HangupIn: "playback ivr/"}})
		c.execute("playback", "tone_stream://%(100,0,440)", "t")
		c.until("CHANNEL_EXECUTE_COMPLETE playback FILE PLAYED")
		c.execute("playback", "ivr/x.wav", "p")
		c.until("CHANNEL_EXECUTE_COMPLETE playback PLAYBACK ERROR")
	})
	t.Run("caller hangs up at a command", func(t *testing.T) {
		call, c := place(t, New(Config{}), CallSpec{Faults: Faults{HangupAt: 2}})
		c.command("connect")
		c.send("linger 0\n\n") // the hangup may overtake its reply
		c.until("text/disconnect-notice")
		if r := call.Report(); r.HungUpBy != "caller" {
			t.Errorf("hung up by %q", r.HungUpBy)
		}
	})
	t.Run("dies", func(t *testing.T) {
		web := newWebServer(t)
		call, c := streaming(t, New(Config{Speed: 20}), CallSpec{Faults: Faults{DieIn: "playback"}})
		c.api(streamCmd+" start "+web.url+" mono 8000", "+OK Success\n")
		c.until("mod_audio_stream::connect")
		c.execute("playback", "x.wav", "p")
		for {
			if _, err := c.read(); err != nil {
				if isEOF(err) {
					t.Error("an orderly end, want a reset")
				}
				break
			}
		}
		if sent := web.received(t); sent.status > 0 {
			t.Errorf("close %d", sent.status)
		}
		call.Wait()
	})
	t.Run("never completes", func(t *testing.T) {
		call, c := answered(t, New(Config{Speed: 20}), CallSpec{Faults: Faults{NeverComplete: "sleep"}})
		c.execute("sleep", "1", "s")
		c.until("CHANNEL_EXECUTE sleep ")
		call.Hangup()
		if got := c.next().label(); got != "CHANNEL_HANGUP" {
			t.Errorf("got %s", got)
		}
	})
}

func TestReplyFaults(t *testing.T) {
	t.Parallel()
	t.Run("flood", func(t *testing.T) {
		_, c := place(t, New(Config{}), CallSpec{Faults: Faults{EventsBefore: "linger", EventCount: 500}})
		c.command("connect")
		c.wants("linger 1", "+OK will linger 1 seconds")
		if len(c.events) != 500 {
			t.Errorf("%d events", len(c.events))
		}
	})
	t.Run("injected", func(t *testing.T) {
		_, c := place(t, New(Config{}), CallSpec{Faults: Faults{Inject: []Injection{
			{On: "linger", Raw: FrameLogData},
			{On: "#2", When: After, Raw: FrameUnknown},
			{On: "getvar", When: Instead, Raw: FrameError},
			{On: "resume", When: After, Raw: FrameError, Times: -1},
		}}})
		c.command("connect")
		c.send("linger 1\n\ngetvar uuid\n\nresume\n\nresume\n\n")
		var got strings.Builder
		want := FrameLogData + eventsocket.CommandReply("+OK will linger 1 seconds") + FrameUnknown + FrameError + strings.Repeat(eventsocket.CommandReply("+OK")+FrameError, 2)
		if _, err := io.CopyN(&got, c.r, int64(len(want))); err != nil || got.String() != want {
			t.Errorf("got %q, want %q", got.String(), want)
		}
	})
	t.Run("delay and silence", func(t *testing.T) {
		call, c := place(t, New(Config{}), CallSpec{Faults: Faults{ReplyDelay: 30 * time.Millisecond, HangOn: "linger"}})
		began := time.Now()
		c.command("connect")
		if time.Since(began) < 30*time.Millisecond {
			t.Error("the reply was not delayed")
		}
		c.send("linger 1\n\ngetvar uuid\n\n")
		call.Hangup()
		if m := c.next(); m.kind != "text/disconnect-notice" {
			t.Errorf("got %q", m.raw)
		}
	})
	t.Run("lost job", func(t *testing.T) {
		call, c := place(t, New(Config{}), CallSpec{Faults: Faults{LoseJobs: true}})
		c.command("connect")
		c.wants("event plain BACKGROUND_JOB", "+OK event listener enabled plain")
		c.wants("bgapi status\nJob-UUID: j", "+OK Job-UUID: j")
		call.Hangup()
		if m := c.next(); m.kind != "text/disconnect-notice" {
			t.Errorf("got %s", m.label())
		}
	})
	t.Run("odd variables", func(t *testing.T) {
		_, c := place(t, New(Config{Speed: 20}), CallSpec{Faults: Faults{OddVariables: true}})
		if m := c.command("connect"); !strings.Contains(m.raw, "\nvariable_sip_h_X-Foo(bar): 1\n") || !strings.Contains(m.raw, "\nvariable_grüße: gr%C3%B6%C3%9Fer%20als%20%E2%88%9E\n") {
			t.Error("variables are missing")
		}
		c.wants("myevents json", "+OK Events Enabled")
		c.execute("set", "a=b", "s")
		m := c.until("CHANNEL_EXECUTE_COMPLETE set _none_")
		for name, want := range map[string]string{
			"variable_x[0]": "bracket", "variable_list": "[one two three]", "variable_lines": "first\r\nsecond\tthird", `variable_quote"d`: `back\slash "quote"`,
		} {
			if m.headers[name] != want {
				t.Errorf("%s = %q, want %q", name, m.headers[name], want)
			}
		}
	})
}

// Somebody else's stream on the channel: start is refused until a stop.
func TestOtherStream(t *testing.T) {
	t.Parallel()
	_, c := streaming(t, New(Config{}), CallSpec{Faults: Faults{OtherStreams: 1}})
	start := "uuid_audio_stream " + callID + " start ws://127.0.0.1:1/ mono 8000"
	c.api(start, "-ERR Operation Failed\n")
	c.api("uuid_audio_stream "+callID+" stop", "+OK Success\n")
	c.api(start, "+OK Success\n")
}

// A module that opens a dropped stream's WebSocket again by itself: start is refused
// meanwhile, for its media bug stays (F53).
func TestReopens(t *testing.T) {
	t.Parallel()
	web := newWebServer(t)
	_, c := streaming(t, New(Config{Speed: 20}), CallSpec{Faults: Faults{Reopens: time.Millisecond, Drops: []Drop{{After: 100 * time.Millisecond}}}})
	start := streamCmd + " start " + web.url + " mono 8000"
	c.api(start, "+OK Success\n")
	c.until("mod_audio_stream::connect")
	c.until("mod_audio_stream::error")
	web.received(t)
	c.api(start, "-ERR Operation Failed\n")
	c.until("mod_audio_stream::connect")
	c.api(streamCmd+" stop", "+OK Success\n")
	web.received(t)
}
