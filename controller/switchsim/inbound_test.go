package switchsim

import (
	"bufio"
	"context"
	"encoding/xml"
	"net"
	"os"
	"strings"
	"testing"
	"time"
)

// doctor logs in to an inbound socket of the switch.
func doctor(t *testing.T, s *Switch) *controller {
	t.Helper()
	ln := listen(t)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- s.ServeInbound(ctx, ln) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		s.Wait()
	})
	return dialInbound(t, ln.Addr().String(), "ClueCon", "+OK accepted")
}

func dialInbound(t *testing.T, address, password, want string) *controller {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(deadline))
	c := &controller{t: t, conn: conn, r: bufio.NewReader(conn)}
	if m := c.next(); m.raw != "Content-Type: auth/request\n\n" {
		t.Fatalf("greeting %q", m.raw)
	}
	c.wants("auth "+password, want)
	return c
}

func TestWrongPassword(t *testing.T) {
	s := New(Config{Password: "secret"})
	ln := listen(t)
	done := make(chan error)
	go func() { done <- s.ServeInbound(context.Background(), ln) }()
	c := dialInbound(t, ln.Addr().String(), "guess", "-ERR invalid")
	if got := c.rest(); len(got) != 1 || !strings.HasPrefix(got[0], "text/disconnect-notice") {
		t.Errorf("after the refusal: %q", got)
	}
	ln.Close()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// good are the facts of a switch with nothing amiss.
func good(address string) Facts {
	return Facts{Extensions: []Extension{
		{Name: "other", Number: "5000", Actions: []Action{{Application: "answer", Data: ""}, {Application: "park", Data: ""}}},
		{Name: "tapdeck", Number: "9999", Actions: []Action{{Application: "socket", Data: address + " async full"}, {Application: "hangup", Data: "NORMAL_TEMPORARY_FAILURE"}}},
		{Name: "bare", Number: "9998", Actions: []Action{{Application: "socket", Data: address + " async full"}}},
	}}
}

func TestDoctorsQuestions(t *testing.T) {
	prefix := "/usr/share/freeswitch/sounds/en/us/callie"
	s := New(Config{Facts: good("127.0.0.1:8084")})
	c := doctor(t, s)
	for _, tc := range []struct{ ask, want string }{
		{"version", "FreeSWITCH Version 1.10.12-release~64bit ( 64bit)\n"},
		{"module_exists mod_audio_stream", "true"},
		{"global_getvar sound_prefix", prefix},
		{"global_getvar nothing_such", "-ERR no reply\n"},
		{"file_exists ivr/x.wav", "false"},
		{"file_exists " + prefix + "/ivr/8000/x.wav", "true"},
		{"file_exists " + prefix + "/ivr/8000/missing.wav", "false"},
		{"file_exists " + chunk(t, "c.r8", nil), "true"},
		{"global_getvar temp_dir", os.TempDir()},
		{"fsctl max_sessions", "+OK max sessions: 2000\n"},
		{"fsctl sps", "+OK sessions per second: 500\n"},
		{"nosuch", "-ERR nosuch Command not found!\n"},
		{"uuid_audio_stream x y", "-ERR Operation Failed\n"},
		{"xml_locate dialplan context name nowhere", "can't find anything\n"},
		{"originate loopback/12345/default &park", "-ERR NO_ROUTE_DESTINATION\n"},
		{"originate loopback/9999/nosuchcontext &park", "-ERR NO_ROUTE_DESTINATION\n"},
	} {
		c.api(tc.ask, tc.want)
	}
	if api := c.command("api show api as json").body; !strings.Contains(api, `"name":"uuid_audio_stream"`) {
		t.Errorf("show api %s", api)
	}
}

func TestDialplanXML(t *testing.T) {
	s := New(Config{Facts: good(`127.0.0.1:8084/a"b`)})
	c := doctor(t, s)
	text := c.command("api xml_locate dialplan").body
	var section struct {
		Contexts []struct {
			Name       string `xml:"name,attr"`
			Extensions []struct {
				Actions []struct {
					Application string `xml:"application,attr"`
					Data        string `xml:"data,attr"`
				} `xml:"condition>action"`
			} `xml:"extension"`
		} `xml:"context"`
	}
	if err := xml.Unmarshal([]byte(text), &section); err != nil {
		t.Fatal(err)
	}
	if got := section.Contexts[0].Extensions[1].Actions[0]; got.Application != "socket" || got.Data != `127.0.0.1:8084/a"b async full` {
		t.Errorf("action %+v", got)
	}
	if strings.Contains(text, "/>") || !strings.HasPrefix(text, `<section name="dialplan" description="Regex/XML Dialplan">`) {
		t.Errorf("text %s", text)
	}
}

func TestBrokenFacts(t *testing.T) {
	prefix := "/usr/share/freeswitch/sounds/en/us/callie"
	for _, tc := range []struct {
		name, ask, want string
		breakIt         func(f *Facts)
	}{
		{"module", "module_exists mod_audio_stream", "false", func(f *Facts) { f.Missing = []string{"mod_audio_stream"} }},
		{"api by module", "uuid_audio_stream", "-ERR uuid_audio_stream Command not found!\n", func(f *Facts) { f.Missing = []string{"mod_audio_stream"} }},
		{"api", "uuid_audio_stream", "-ERR uuid_audio_stream Command not found!\n", func(f *Facts) { f.NoStreamAPI = true }},
		{"prompt", "file_exists " + prefix + "/ivr/8000/x.wav", "false", func(f *Facts) { f.Files = func(string) bool { return false } }},
		{"global", "global_getvar sound_prefix", "-ERR no reply\n", func(f *Facts) { f.Globals = map[string]string{"sound_prefix": ""} }},
		{"limit", "fsctl max_sessions", "+OK max sessions: 10\n", func(f *Facts) { f.MaxSessions = 10 }},
		{"version", "version short", "1.8.0\n", func(f *Facts) { f.Version = "1.8.0" }},
		{"nobody there", "originate loopback/9998/default &park", "-ERR NORMAL_CLEARING\n", func(*Facts) {}},
		{"fallback", "originate loopback/9999/default &park", "-ERR NORMAL_TEMPORARY_FAILURE\n", func(*Facts) {}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			ln := listen(t)
			ln.Close()
			s := New(Config{})
			c := doctor(t, s)
			f := good(ln.Addr().String())
			tc.breakIt(&f)
			s.SetFacts(f)
			c.api(tc.ask, tc.want)
		})
	}
}

// TestOriginateToNobody: a channel of null is answered by itself, and silent.
func TestOriginateToNobody(t *testing.T) {
	ln := listen(t)
	s := New(Config{Speed: 20})
	d := doctor(t, s)
	d.send("bgapi originate {origination_caller_id_number=tapdeck,origination_uuid=" + callID + "}null/nobody '&socket(" + ln.Addr().String() + " async full)'\nJob-UUID: o\n\nevent plain BACKGROUND_JOB\n\n")
	if got := d.until("BACKGROUND_JOB").headers["_body"]; got != "+OK "+callID+"\n" {
		t.Errorf("originate answered %q", got)
	}
	c := accept(t, ln)
	m := c.command("connect")
	for _, want := range []string{"\nUnique-ID: " + callID + "\n", "\nAnswer-State: answered\n", "\nCaller-Caller-ID-Number: tapdeck\n", "\nCaller-Destination-Number: nobody\n"} {
		if !strings.Contains(m.raw, want) {
			t.Errorf("no line %q in %s", want, m.raw)
		}
	}
	d.command("api uuid_kill " + callID)
	s.Wait()
}

// TestOriginate: the switch places a call to the controller; the tone is the
// caller's voice.
func TestOriginate(t *testing.T) {
	ln := listen(t)
	s := New(Config{Speed: 20, Facts: good(ln.Addr().String())})
	d := doctor(t, s)
	d.send("bgapi originate {origination_caller_id_number=tapdeck,origination_uuid=" + callID + ",tapdeck_plan=survey,loopback_bowout=false}loopback/9999/default m:^:endless_playback:tone_stream://%(200,200,1000) inline\nJob-UUID: o\n\nevent plain BACKGROUND_JOB\n\n")
	c := accept(t, ln)
	m := c.command("connect")
	for _, want := range []string{"\nCaller-Caller-ID-Number: tapdeck\n", "\nvariable_tapdeck_plan: survey\n", "\nvariable_other_loopback_leg_uuid: " + callID + "\n", "\nChannel-Name: loopback/9999-b\n"} {
		if !strings.Contains(m.raw, want) {
			t.Errorf("no line %q", want)
		}
	}
	id := c.command("getvar uuid").outer.Get("Reply-Text")
	c.wants("myevents", "+OK Events Enabled")
	c.execute("answer", "", "a")
	if got := d.until("BACKGROUND_JOB").headers["_body"]; got != "+OK "+callID+"\n" {
		t.Errorf("originate answered %q", got)
	}
	web := newWebServer(t)
	c.api("uuid_audio_stream "+id+" start "+web.url+" mono 8000", "+OK Success\n")
	c.execute("sleep", "1000", "s")
	c.until("CHANNEL_EXECUTE_COMPLETE sleep _none_")
	d.command("api uuid_kill " + callID)
	c.until("CHANNEL_HANGUP")
	loud := false
	for _, b := range web.received(t).audio {
		loud = loud || b != 0
	}
	if !loud {
		t.Error("the tone was not heard")
	}
}

// TestForeignEvents: without myevents a full socket hears other calls.
func TestForeignEvents(t *testing.T) {
	s := New(Config{Speed: 20})
	_, nosy := place(t, s, CallSpec{UUID: "00000000-0000-4000-8000-000000000001"})
	nosy.command("connect")
	nosy.wants("event plain CHANNEL_ANSWER", "+OK event listener enabled plain")
	_, own := place(t, s, CallSpec{UUID: "00000000-0000-4000-8000-000000000002"})
	own.command("connect")
	own.wants("event plain CHANNEL_HANGUP", "+OK event listener enabled plain")
	own.wants("myevents", "+OK Events Enabled")
	_, c := answered(t, s, CallSpec{})
	if got := nosy.until("CHANNEL_ANSWER").headers["Unique-ID"]; got != callID {
		t.Errorf("heard %s", got)
	}
	nosy.wants("myevents", "+OK Events Enabled") // from now on only its own
	c.api("uuid_kill "+callID, "+OK\n")
	c.until("CHANNEL_HANGUP")
	for _, l := range []*controller{nosy, own} {
		l.wants("resume", "+OK")
		for _, m := range l.events {
			if m.headers["Unique-ID"] == callID {
				t.Errorf("heard %s of another call under myevents", m.label())
			}
		}
	}
}
