package dialplan

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// in returns actions inside an extension of a context.
func in(actions ...string) string {
	return `<section name="dialplan"><context name="default">
<extension name="record">
<condition field="destination_number" expression="^9999$">
` + strings.Join(actions, "\n") + `
</condition></extension></context></section>`
}

func act(application, data string) string {
	return fmt.Sprintf(`<action application="%s" data="%s"></action>`, application, data)
}

// want is a finding that is expected: parts of its texts.
type want struct {
	line     int
	severity Severity
	text     string
	hint     string
}

type checkCase struct {
	name  string
	xml   string
	right int
	want  []want
}

const good = `<action application="socket" data="127.0.0.1:8084 async full"/>`

// modeCases are of socket actions that are right, or reach nobody.
func modeCases() []checkCase {
	return []checkCase{
		{"right", in(good), 1, nil},
		{"right in other words", in(act("socket", "'localhost:08084/a' FULL  ASYNC")), 1, nil},
		{"right as the second host", in(act("socket", "10.0.0.9:8084|127.0.0.1:8084 async full")), 1, nil},
		{"right in capitals", in(act("SOCKET", "127.0.0.1:8084 async full")), 1, nil},
		{"default port", in(act("socket", "127.0.0.1 async full")), 1, nil},
		{"data as text", in(`<action application="socket">127.0.0.1:8084 async full</action>`), 1, nil},
		{"no async", in(act("socket", "127.0.0.1:8084/a full")), 0, []want{{4, SeverityError, "lacks async", `data="127.0.0.1:8084/a async full"`}}},
		{"no full", in(act("answer", ""), act("socket", "127.0.0.1:8084 async")), 0, []want{{5, SeverityError, "lacks full", "async full"}}},
		{"neither", in(act("socket", "127.0.0.1:8084")), 0, []want{{4, SeverityError, "lacks async and full", "async full"}}},
		{"wrong port", in(act("socket", "127.0.0.1:8085/survey async full")), 0, []want{{4, SeverityError, "goes to 127.0.0.1:8085, and tapdeck listens on 127.0.0.1:8084", `"127.0.0.1:8084/survey async full"`}}},
		{"wrong host", in(act("socket", "10.0.0.1:8084 async full")), 0, []want{{4, SeverityError, "goes to 10.0.0.1:8084", "127.0.0.1:8084"}}},
		{"another controller", in(good, act("socket", "10.0.0.1:9000 sync")), 1, []want{{5, SeverityNote, "another controller", ""}}},
		{"from a variable", in(act("socket", "${controller} async full")), 0, []want{{4, SeverityNote, "depends on the call", ""}}},
		{"port by number", in(act("socket", "127.0.0.1:1808$1 async full")), 0, []want{{4, SeverityNote, "depends on the call", ""}}},
		{"host by number", in(act("socket", "10.0.0.$1:8084/survey async full")), 0, []want{{4, SeverityNote, "depends on the call", ""}}},
		{"plan by number", in(act("socket", "127.0.0.1:8084/s$1 async full")), 1, nil},
		{"plan from a variable", in(act("set", "tapdeck_plan=$1"), act("socket", "127.0.0.1:8084/${plan} async full")), 1, nil},
	}
}

// hostCases are of lists of hosts that FreeSWITCH reads otherwise than one would think.
func hostCases() []checkCase {
	return []checkCase{
		{"inherited port", in(act("socket", "10.0.0.1:9000|127.0.0.1:8084|10.0.0.2 async full")), 1, []want{{4, SeverityWarning, "10.0.0.2 has no port and inherits 8084", "write 10.0.0.2:8084"}}},
		{"empty host", in(act("socket", "127.0.0.1:8084|| async full")), 1, []want{{4, SeverityWarning, "empty host", ""}, {4, SeverityWarning, "empty host", ""}}},
		{"brackets", in(act("socket", "[::1]:8084 async full")), 0, []want{{4, SeverityError, "brackets", "::1:8084"}}},
		{"IPv6 without port", in(act("socket", "2001:db8::5 async full")), 0, []want{{4, SeverityError, "last colon", "::1:8084"}}},
		{"colon in the path", in(act("socket", "127.0.0.1:8084/a:b async full")), 0, []want{{4, SeverityError, "last colon", "without a colon"}}},
		{"elsewhere, without full", in(act("socket", "127.0.0.1:8085 async")), 0, []want{{4, SeverityError, "goes to 127.0.0.1:8085", "127.0.0.1:8084 async full"}, {4, SeverityError, "lacks full", "127.0.0.1:8084 async full"}}},
		{"brackets, without full", in(act("socket", "[::1]:8084 async")), 0, []want{{4, SeverityError, "brackets", "::1:8084"}, {4, SeverityError, "lacks full", "127.0.0.1:8084 async full"}}},
		{"no port", in(act("socket", "127.0.0.1:tapdeck async full")), 0, []want{{4, SeverityError, `"tapdeck" is no port`, ""}}},
		{"no host", in(act("socket", ":8084 async full")), 0, []want{{4, SeverityError, "no host", ""}}},
		{"no address", in(act("socket", ""), good), 1, []want{{4, SeverityError, "without an address", ""}}},
	}
}

// otherCases are of what else a dialplan can hold.
func otherCases() []checkCase {
	return []checkCase{
		{"no socket", in(act("answer", "")), 0, []want{{0, SeverityError, "no socket action", "tapdeck dialplan"}}},
		{"no socket, but includes", `<include><X-PRE-PROCESS cmd="include" data="default/*.xml"/></include>`, 0, []want{{0, SeverityError, "no socket action", "xml_locate"}}},
		{"commented out", "<include><!-- " + good + " --></include>", 0, []want{{0, SeverityError, "no socket action", ""}}},
		{"api in a variable", in(good, act("set", "x=${uuid_audio_stream(${uuid} start ws://127.0.0.1:8080 mono 8k)}")), 1, []want{{5, SeverityError, "uuid_audio_stream is called", "remove it"}}},
		{"api by name", in(good, act("set", "x=${api(uuid_audio_stream ${uuid} stop)}")), 1, []want{{5, SeverityError, "uuid_audio_stream is called", "remove it"}}},
		{"api in another extension", "<d>" + in(good) + strings.ReplaceAll(in(act("log", "INFO ${uuid_audio_stream(x)}")), "record", "other") + "</d>", 1, []want{{8, SeverityWarning, "uuid_audio_stream is called", ""}}},
		{"only talked about", in(good, act("log", "INFO ${uuid} has no uuid_audio_stream")), 1, nil},
		{"api application", in(good, act("bgapi", "uuid_audio_stream ${uuid} stop")), 1, []want{{5, SeverityError, `no application "bgapi"`, "remove"}}},
		{"audio_stream", in(act("audio_stream", "ws://x"), act("uuid_audio_stream", "x"), good), 1, []want{{4, SeverityError, `no application "audio_stream"`, ""}, {5, SeverityError, `no application "uuid_audio_stream"`, ""}}},
		{"api hook in capitals", in(act("Set", "api_on_answer=uuid_audio_stream ${uuid} start ws://127.0.0.1:8080 mono 8000"), good), 1, []want{{4, SeverityError, "api_on_answer calls uuid_audio_stream", "remove it"}}},
		{"application in capitals", in(act("LUA", "stream.lua"), good), 1, []want{{4, SeverityNote, "lua stream.lua", "remove it"}}},
		{"api hook", in(act("set", "api_on_answer=uuid_audio_stream ${uuid} start ws://127.0.0.1:8080 mono 8000"), good), 1, []want{{4, SeverityError, "api_on_answer calls uuid_audio_stream", "remove it"}}},
		{"api hook of a bridge", in(good, act("bridge", "{x=1,execute_on_answer_2='bgapi uuid_audio_stream ${uuid} start ws://x mono 8k'}user/1000")), 1, []want{{5, SeverityNote, "execute_on_answer_2 calls uuid_audio_stream; it is for another leg", ""}}},
		{"api hooks", in(act("export", "nolocal:api_on_media=uuid_audio_stream ${uuid} start ws://x mono"), act("multiset", "^^;a=b;api_hangup_hook=uuid_audio_stream ${uuid} stop"), good), 1, []want{{4, SeverityNote, "api_on_media", ""}, {5, SeverityNote, "api_hangup_hook", "remove it"}}},
		{"api hook in another extension", "<d>" + in(good) + strings.ReplaceAll(in(act("set", "api_on_answer=uuid_audio_stream x start ws://x mono")), "record", "other") + "</d>", 1, []want{{8, SeverityNote, "api_on_answer", ""}}},
		{"api hook that does something else", in(act("set", "api_on_answer=uuid_dump ${uuid}"), act("log", "INFO api_on_answer=uuid_audio_stream"), good), 1, nil},
		{"api scheduled", in(good, act("set", "x=${sched_api(+1 none uuid_audio_stream ${uuid} start ws://x mono)}")), 1, []want{{5, SeverityError, "uuid_audio_stream is called", ""}}},
		{"no-break space in data", in(act("socket", "127.0.0.1:8084\u00a0async full")), 1, []want{{4, SeverityError, "a no-break space (U+00A0)", "plain blanks"}}},
		{"no-break space behind data", in(act("socket", "127.0.0.1:8084 async full\u00a0")), 1, []want{{4, SeverityError, "U+00A0", ""}}},
		{"nothing but no-break spaces", in(act("socket", "\u00a0"), good), 1, []want{{4, SeverityError, "U+00A0", ""}, {4, SeverityError, "without an address", ""}}},
		{"zero-width space in data", in(act("socket", "127.0.0.1:8084\u200b async full")), 1, []want{{4, SeverityError, "a zero-width space (U+200B)", ""}}},
		{"soft hyphen in data", in(act("socket", "127.0.0.1:80\u00ad84 async full"), good), 2, []want{{4, SeverityError, "a soft hyphen (U+00AD)", ""}}},
		{"no-break space in an application", in(act("socket\u00a0", "127.0.0.1:8084 async full"), good), 1, []want{{4, SeverityError, "application name", "anew"}}},
		{"narrow blank in an expression", strings.ReplaceAll(in(good), "9999$", "9999$\u202f"), 1, []want{{3, SeverityError, "U+202F", ""}}},
		{"no-break space in a plan", in(act("set", "tapdeck_plan=\u00a0survey"), good), 1, []want{{4, SeverityError, "plan's name", ""}}},
		{"no-break space in a log line", in(act("log", "INFO a\u00a0b"), good), 1, []want{{4, SeverityNote, "of log holds a no-break space (U+00A0): no harm", "plain blanks"}}},
		{"lua", in(act("lua", "audio_stream_start.lua a b"), act("lua", "ivr.lua"), act("set", "api_hangup_hook=lua audio_stream_stop.lua"), good), 1, []want{{4, SeverityNote, "audio_stream_start.lua", ""}, {6, SeverityNote, "audio_stream_stop.lua", ""}}},
	}
}

func TestCheckFindings(t *testing.T) {
	for _, tc := range slices.Concat(modeCases(), hostCases(), otherCases(), streamCases(), hookCases(), meetingCases(), mediaCases(), profileCases(), pasteCases()) {
		t.Run(tc.name, func(t *testing.T) {
			got, err := Check(strings.NewReader(tc.xml), []string{"127.0.0.1:8084"})
			if err != nil {
				t.Fatal(err)
			}
			if len(got.Findings) != len(tc.want) {
				t.Fatalf("findings %+v", got.Findings)
			}
			for i, w := range tc.want {
				f := got.Findings[i]
				if f.Line != w.line || f.Severity != w.severity || !strings.Contains(f.Text, w.text) || !strings.Contains(f.Hint, w.hint) || f.Hint == "" {
					t.Errorf("finding %+v, want %+v", f, w)
				}
			}
			right := 0
			for _, s := range got.Sockets {
				if s.Right {
					right++
				}
			}
			if right != tc.right {
				t.Errorf("%d sockets are right, want %d: %+v", right, tc.right, got.Sockets)
			}
		})
	}
}

func TestCheckLocation(t *testing.T) {
	const text = `<?xml version="1.0" encoding="ISO-8859-1"?>
<include>
  <extension name="direct">
    <condition field="${toll_allow}" expression="local"/>
    <condition field="destination_number" expression="^(98|99)99$">
      <action application="socket"
        data="10.0.0.1:9000/survey|10.0.0.2 async full"/>
      <anti-action application="socket" data="10.0.0.1:9000 full"/>
    </condition>
  </extension>
  <extension name="regex">
    <condition regex="any">
      <regex field="destination_number"><expression><![CDATA[^12$]]></expression></regex>
      <regex field="caller_id_number" expression="^1"/>
      <action application="socket" data="10.0.0.1:9000 async full"/>
    </condition>
    <condition field="caller_id_name" expression="x"/>
  </extension>
  <action application="socket" data="10.0.0.1:9000 async full"/>
  <context name="public"><extension name="bare"><condition>
    <action application="socket" data="10.0.0.1:9000 async full"/></condition></extension></context>
</include>`
	got, err := Check(strings.NewReader(text), []string{"0.0.0.0:9000"})
	if err != nil {
		t.Fatal(err)
	}
	host := []string{"10.0.0.1:9000"}
	want := []Socket{
		{Location: Location{6, "direct", "", "^(98|99)99$"}, Hosts: []string{"10.0.0.1:9000", "10.0.0.2:9000"}, Plan: "survey", Async: true, Full: true, Right: true},
		{Location: Location{8, "direct", "", "^(98|99)99$"}, Hosts: host, Full: true},
		{Location: Location{15, "regex", "", "^12$"}, Hosts: host, Async: true, Full: true, Right: true},
		{Location: Location{21, "bare", "public", ""}, Hosts: host, Async: true, Full: true, Right: true},
	}
	if diff := cmp.Diff(want, got.Sockets, cmpopts.IgnoreUnexported(Socket{})); diff != "" {
		t.Errorf("sockets (-want +got):\n%s", diff)
	}
	if len(got.Findings) != 3 || !cmp.Equal(got.Findings[2].Location, Location{Line: 19}) || got.Findings[0].Number != "^(98|99)99$" || got.Findings[1].Extension != "direct" {
		t.Errorf("findings %+v", got.Findings)
	}
}

func TestCheckHosts(t *testing.T) {
	for _, tc := range []struct {
		socket, want string
		right        bool
	}{
		{"127.0.0.1:8084", "127.0.0.1:8084", true},
		{"::1:8084", "[::1]:8084", true},
		{"0:0:0:0:0:0:0:1:8084", "[::1]:8084", true},
		{"::ffff:127.0.0.1:8084", "127.0.0.1:8084", true},
		{"Recorder.example:8084", "recorder.EXAMPLE:8084", true},
		{"localhost:8084", "127.0.0.1:8084", true},
		{"127.0.0.1:8084", "localhost:8084", true},
		{"10.1.2.3:8084", ":8084", true},
		{"10.1.2.3:8084", "[::]:8084", true},
		{"10.1.2.3:8085", "0.0.0.0:8084", false},
		{"localhost:8084", "10.0.0.1:8084", false},
		{"127.0.0.2:8084", "127.0.0.1:8084", false},
		{"127.0.0.1:8084", "no address", false},
	} {
		got, err := Check(strings.NewReader(in(act("socket", tc.socket+" async full"))), []string{tc.want})
		if err != nil || got.Sockets[0].Right != tc.right || (len(got.Findings) == 0) != tc.right {
			t.Errorf("%s for %s: %+v, %v", tc.socket, tc.want, got, err)
		}
	}
	got, err := Check(strings.NewReader(in(act("socket", "10.1.2.3:1 async full"))), nil)
	if err != nil || !got.Sockets[0].Right || len(got.Findings) > 0 {
		t.Errorf("with nothing expected: %+v, %v", got, err)
	}
}

// The plans that a dialplan's channel variable asks for, whatever sets it.
func TestCheckPlans(t *testing.T) {
	text := in(
		act("set", "tapdeck_plan=survey"), act("export", "tapdeck_plan='voice mail'"), act("multiset", "tapdeck_plan=a x=1"), act("multiset", "^^;x=1;tapdeck_plan='b'"),
		act("set", "tapdeck_plan=${plan}"), act("set", "tapdeck_plan="), act("export", "nolocal:tapdeck_plan=theirs"), act("set", "my_tapdeck_plan=x"), act("log", "INFO tapdeck_plan=x"), good)
	got, err := Check(strings.NewReader(text), nil)
	if err != nil || len(got.Findings) > 0 {
		t.Fatalf("%+v, %v", got.Findings, err)
	}
	var plans []string
	for _, use := range got.Plans {
		plans = append(plans, fmt.Sprintf("%d %s %s", use.Line, use.Extension, use.Plan))
	}
	if diff := cmp.Diff([]string{"4 record survey", "5 record 'voice mail'", "6 record a", "7 record b"}, plans); diff != "" {
		t.Errorf("plans (-want +got):\n%s", diff)
	}
}

func TestCheckNotXML(t *testing.T) {
	for _, tc := range []struct{ text, want string }{
		{"<include>\n<extension>\n</include>", "parse dialplan: line 3: element <extension> closed by </include>"},
		{"<include>\n\n<action application=socket/>", "parse dialplan: line 3: unquoted or missing attribute value in element"},
		{"<include>\n", "parse dialplan: line 2: unexpected EOF"},
		{"<include>\n <action\u00a0application=\"socket\"/>", "parse dialplan: line 2: invalid XML name: action\u00a0application; in column 9 stands a no-break space (U+00A0), as it is pasted from web pages: type it anew"},
		{"<action application=“socket”/>", "parse dialplan: line 1: unquoted or missing attribute value in element; in column 21 stands a typographic quote (U+201C), as it is pasted from web pages: type it anew"},
		{"<include>\n\xff</include>", "parse dialplan: line 2: invalid UTF-8"},
		{"-ERR no reply\n", "parse dialplan: line 1: no XML element in it"},
		{"", "parse dialplan: line 1: no XML element in it"},
	} {
		if _, err := Check(strings.NewReader(tc.text), nil); err == nil || err.Error() != tc.want {
			t.Errorf("%q: error %v, want %s", tc.text, err, tc.want)
		}
	}
	if _, err := Check(failing{}, nil); !errors.Is(err, os.ErrPermission) {
		t.Errorf("error %v", err)
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, os.ErrPermission }

func FuzzCheck(f *testing.F) {
	f.Add(in(act("socket", "127.0.0.1:8084|[::1]:1|x async full"), act("set", "a=${uuid_audio_stream(x)}"), act("lua", "stream.lua")), "127.0.0.1:8084")
	f.Add(`</condition><regex><expression>x</expression></regex><action application="socket">'a  b</action>`, ":0")
	f.Add("<!DOCTYPE x [<!ENTITY a 'b'>]><x>&nbsp;&a;</x>", "")
	f.Fuzz(func(t *testing.T, text, host string) {
		got, err := Check(strings.NewReader(text), []string{host})
		if err != nil && !strings.HasPrefix(err.Error(), "parse dialplan: line ") {
			t.Errorf("error %v", err)
		}
		for _, finding := range got.Findings {
			if finding.Text == "" || finding.Hint == "" || finding.Severity == "" {
				t.Errorf("finding %+v", finding)
			}
		}
	})
}
