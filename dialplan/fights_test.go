package dialplan

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const start = "uuid_audio_stream ${uuid} start ws://127.0.0.1:8080 mono 8000"

// fight is a case of one action in front of a socket action: want, if it is there, is on line 4.
func fight(name, action string, w ...want) checkCase {
	for i := range w {
		w[i].line = 4
	}
	return checkCase{name, in(action, good), 1, w}
}

// streamCases are of what starts or stops a stream, in the spellings that people use.
func streamCases() []checkCase {
	calls := func(by string) want { return want{0, SeverityError, by + " calls uuid_audio_stream", "remove it"} }
	script := func(name string) want { return want{0, SeverityNote, name + ":", "remove it"} }
	return []checkCase{
		fight("capitals", act("set", "API_ON_ANSWER="+start), calls("API_ON_ANSWER")),
		fight("numbered", act("set", "api_on_media_2="+start), calls("api_on_media_2")),
		fight("before the answer", act("set", "api_on_pre_answer="+start), calls("api_on_pre_answer")),
		fight("pushed", act("push", "api_on_answer="+start), calls("api_on_answer")),
		fight("inline", `<action inline="true" application="set" data="api_on_answer=`+start+`"/>`, calls("api_on_answer")),
		fight("as text", `<action application="set"><![CDATA[api_on_answer=`+start+`]]></action>`, calls("api_on_answer")),
		fight("in double quotes", act("set", "api_on_answer=&quot;"+start+"&quot;"), calls("api_on_answer")),
		fight("bgapi", act("set", "api_on_answer=bgapi "+start), calls("api_on_answer")),
		fight("scheduled by a hook", act("set", "api_on_answer=sched_api +1 ${uuid} "+start), calls("api_on_answer")),
		fight("legs of a bridge", act("bridge", "[api_on_answer='"+start+"']user/1,{^^:a=b:execute_on_media=lua x.lua}user/2"), calls("api_on_answer")),
		fight("before a bridge", act("set", "bridge_pre_execute_aleg_data="+start), calls("bridge_pre_execute_aleg_data")),
		fight("executed", act("set", "execute_on_answer="+start), want{0, SeverityError, "hangs the call up", "remove it"}),
		fight("executed in the background", act("export", "execute_on_media=bgapi "+start), want{0, SeverityError, "execute_on_media calls uuid_audio_stream: as an application", "remove it"}),
		fight("executed by set", act("set", "execute_on_answer=set x=${"+strings.Replace(start, " ", "(", 1)+")}"), want{0, SeverityError, "expands ${…}", "remove it"}),
		fight("variable in the API call", act("set", "x=${api(sched_api +1 ${uuid} "+start+")}"), want{0, SeverityError, "expands ${…}", "remove it"}),
		fight("inline script", act("lua", "~freeswitch.API():executeString('"+start+"')"), calls("lua")),
		fight("shell", act("system", "fs_cli -x '"+start+"'"), calls("system")),
		fight("by a digit", act("bind_digit_action", "r,1,api:uuid_audio_stream,${uuid} stop"), calls("bind_digit_action")),
		fight("scheduled", act("sched_api", "+1 none "+start), want{0, SeverityError, `no application "sched_api"`, "remove it"}),
		fight("luarun", act("luarun", "stream.lua"), want{0, SeverityError, `no application "luarun"`, "remove it"}),
		fight("script of an export", act("export", "nolocal:execute_on_answer=lua audio_stream.lua ${uuid}"), script("lua audio_stream.lua")),
		fight("script of a multiset", act("multiset", "a=b 'api_on_answer=luarun audio_stream.lua'"), script("luarun audio_stream.lua")),
		fight("script of a leg", act("bridge", "{execute_on_answer='lua start_Stream.lua'}user/1"), script("lua start_Stream.lua")),
		fight("script in an expansion", act("set", "x=${luarun(stream.lua ${uuid})}"), script("luarun stream.lua")),
		fight("script by a digit", act("bind_digit_action", "r,1,exec:lua,stop_stream.lua"), script("lua stop_stream.lua")),
		fight("other languages", act("javascript", "stream.js"), script("javascript stream.js")),
		fight("script of a folder", act("lua", "'${base_dir}/audio_stream.lua' a"), script("lua ${base_dir}/audio_stream.lua")),
		fight("script of any variable", act("set", "later='lua audio_stream.lua'"), script("lua audio_stream.lua")),
		fight("late", act("set", "api_hangup_hook="+start), want{0, SeverityNote, "api_hangup_hook calls uuid_audio_stream: the call is over", "remove it"}),
		fight("script of python", act("set", "execute_on_answer=python streamer"), script("python streamer")),
		fight("script with a dash", act("lua", "start-stream"), script("lua start-stream")),
		fight("script in one word", act("lua", "startStream.lua"), script("lua startStream.lua")),
		fight("script behind a variable", act("lua", "${dir}stream.lua"), script("lua ${dir}stream.lua")),
		fight("streams of other things", act("lua", "record_upstream_carrier.lua")+act("lua", "downstream_ivr.lua")+act("set", "execute_on_answer=lua mainstream.lua")),
		fight("other scripts", act("lua", "ivr.lua tone_stream://x")),
		fight("tones", act("playback", "tone_stream://%(100,0,800)")),
		fight("another API", act("set", "api_on_answer=uuid_setvar ${uuid} note stream")),
		fight("logged script", act("log", "INFO api_on_answer=lua stream.lua")),
	}
}

// hookCases are of variables that would start a stream later.
func hookCases() []checkCase {
	const bridge, leg = `<action application="bridge" data="user/1000"/>`, "{api_on_answer='" + start + "'}user/1000"
	set, answer, theirs := act("set", "api_on_answer="+start), act("answer", ""), strings.Replace(start, "${uuid}", "x", 1)
	calls := want{0, SeverityError, "calls uuid_audio_stream: another", "remove it"}
	note := func(text string) want { return want{0, SeverityNote, text, "nothing"} }
	late, other := note("it never runs"), note("for another leg")
	behind := func(name, action string, w want) checkCase {
		w.line = 5
		return checkCase{name, in(good, action), 1, []want{w}}
	}
	return []checkCase{
		behind("behind the socket", set, note("only for calls that no tapdeck takes")),
		behind("executed behind the socket", act("set", "execute_on_answer="+start), note("only for calls that no tapdeck takes")),
		behind("inline behind the socket", strings.Replace(set, " data", ` inline="true" data`, 1), calls),
		behind("leg behind the socket", act("bridge", leg), other),
		fight("unset", set+act("unset", "API_on_answer")),
		fight("unset with others", set+act("multiunset", "x api_on_answer")),
		fight("emptied", set+act("set", "api_on_answer=")),
		fight("set to another command", set+act("log", "INFO x")+act("export", "api_on_answer=uuid_dump ${uuid}")),
		fight("set to the like", set+set, calls),
		fight("one of two unset", set+act("set", "api_on_answer_2="+start)+act("unset", "api_on_answer"), calls),
		fight("unset for the other leg", set+act("export", "nolocal:api_on_answer="), calls),
		fight("another pushed", set+act("push", "api_on_answer=uuid_dump ${uuid}"), calls),
		fight("unset after the answer", set+answer+act("unset", "api_on_answer"), calls),
		fight("unset behind another socket", set+act("socket", "10.0.0.9:8084 async full")+act("unset", "api_on_answer"), want{0, SeverityNote, "another controller", ""}, calls),
		fight("unset first, inline", set+`<action application="unset" inline="true" data="api_on_answer"/>`, calls),
		fight("unset in another case", set+`</condition><condition field="x" expression="y">`+act("unset", "api_on_answer")+"</condition><condition>", calls),
		fight("nolocal", act("export", "nolocal:api_on_answer="+start), other),
		fight("nolocal with a bridge", act("export", "nolocal:api_on_answer="+start)+bridge, calls),
		fight("nolocal, another channel's", act("export", "nolocal:api_on_answer="+theirs)+bridge, other),
		fight("of a leg", act("bridge", leg), calls),
		fight("of a leg, another channel's", act("bridge", strings.ReplaceAll(leg, start, theirs)), other),
		fight("after the answer", answer+set, late),
		fight("media after early media", act("pre_answer", "")+act("set", "execute_on_media_2=lua ~x uuid_audio_stream"), late),
		fight("answer after early media", act("pre_answer", "")+set, calls),
		fight("inline, so before the answer", answer+strings.Replace(set, " data", ` inline="true" data`, 1), calls),
		fight("answer in another case", answer+"</condition><condition>"+set, calls),
		fight("ring after the answer", answer+act("set", "api_on_record_start="+start), calls),
		fight("comma", act("set", "api_on_answer,"+strings.ReplaceAll(start, "=", "")), calls),
		fight("comma of an export", act("export", "api_on_answer,"+start)),
		fight("by another variable", act("set", "CMD="+start)+act("set", "api_on_answer=${cmd}"), calls),
		fight("by a variable of a variable", act("set", "a,"+start)+act("set", "b=bgapi ${a}")+act("export", "api_on_answer=${b}"), calls),
		fight("by a variable that has changed", act("set", "cmd="+start)+act("set", "cmd=uuid_dump x")+act("set", "api_on_answer=${cmd}")),
		{"by another extension's variable", several(ext(`name="a"`, "^1$", act("set", "cmd="+start)), ext(`name="b"`, "^2$", act("set", "api_on_answer=${cmd}"), good)), 1, nil},
	}
}

// several is a context of extensions.
func several(extensions ...string) string {
	return "<context name=\"default\">\n" + strings.Join(extensions, "\n") + "\n</context>"
}

// ext is one line: an extension for a number, with more attributes.
func ext(attributes, number string, actions ...string) string {
	condition := "<condition>"
	if number != "" {
		condition = `<condition field="destination_number" expression="` + number + `">`
	}
	return "<extension " + attributes + ">" + condition + strings.Join(actions, "") + "</condition></extension>"
}

// meetingCases are of what stands elsewhere than the socket action.
func meetingCases() []checkCase {
	const on, theirs = `name="a" continue="true"`, `<action application="socket" data="10.0.0.9:8084 async full"/>`
	hook, proxy, comes := act("set", "api_on_answer="+start), act("set", "proxy_media=true"), ext(`name="b"`, "^9999$", good)
	stream := func(line int, s Severity) []want {
		return []want{{line, s, "api_on_answer calls", map[Severity]string{SeverityError: "remove it", SeverityNote: "nothing, if"}[s]}}
	}
	noted := []want{{2, SeverityNote, "proxy_media=true", "remove it"}}
	return []checkCase{
		{"goes on, any number", several(ext(on, "", hook), comes), 1, stream(2, SeverityError)},
		{"goes on, the same number", several(ext(on, "^9999$", hook), comes), 1, stream(2, SeverityError)},
		{"goes on, a range", several(ext(on, "^99(..)$", hook), comes), 1, stream(2, SeverityError)},
		{"goes on, to any number", several(ext(on, "^1$", hook), ext("", "", good)), 1, stream(2, SeverityError)},
		{"goes on, by no expression of ours", several(ext(on, "^(?!1)", hook), comes), 1, stream(2, SeverityNote)},
		{"goes on, another number", several(ext(on, "^1000$", hook), comes), 1, stream(2, SeverityNote)},
		{"goes on, another context", several(ext(on, "", hook)) + strings.Replace(several(comes), "default", "public", 1), 1, stream(2, SeverityNote)},
		{"goes on, too late", several(comes, ext(on, "", hook)), 1, stream(3, SeverityNote)},
		{"does not go on", several(ext(`name="a"`, "", hook), comes), 1, stream(2, SeverityNote)},
		{"without names", several(ext("", "^1$", hook), ext("", "^2$", good)), 1, stream(2, SeverityNote)},
		{"other controller", several(ext(`name="a"`, "^1$", hook, theirs), comes), 1, append([]want{{2, SeverityNote, "another controller", "nothing"}}, stream(2, SeverityNote)...)},
		{"other branch", several(ext(`name="a"`, "^1$", good, strings.ReplaceAll(hook, "action", "anti-action"))), 1, stream(2, SeverityNote)},
		{"anti-action of another condition", several(ext(`name="a"`, "^1$", good) + ext(on, "", strings.ReplaceAll(hook, "action", "anti-action")) + ext("", "^2$", good)), 2, stream(2, SeverityError)},
		{"media goes on", several(ext(on, "", proxy), comes), 1, noted},
		{"media does not go on", several(ext(`name="a"`, "", proxy), comes), 1, nil},
		{"media for another controller", several(ext(`name="a"`, "^1$", proxy, theirs), comes), 1, []want{{2, SeverityNote, "another controller", "nothing"}}},
		{"media in the other branch", several(ext(`name="a"`, "^1$", strings.ReplaceAll(proxy, "action", "anti-action"), good)), 1, nil},
		{"transferred", several(comes, ext(`name="c"`, "^1$", hook, act("transfer", "9999"))), 1, stream(3, SeverityError)},
		{"transferred to a context", several(comes, ext(`name="c"`, "^1$", hook, act("transfer", "9999 XML default"))), 1, stream(3, SeverityError)},
		{"transferred elsewhere", several(comes, ext(`name="c"`, "^1$", hook, act("transfer", "9998"), act("transfer", "9999 XML public"), act("transfer", "-bleg 9999"), act("transfer", "$1"))), 1, stream(3, SeverityNote)},
		{"transferred before", several(comes, ext(`name="c"`, "^1$", act("transfer", "9999"), hook)), 1, stream(3, SeverityNote)},
		{"new spelling elsewhere", several(comes, ext(`name="c"`, "^1$", act("javascript", "stream.js"), act("system", "fs_cli -x '"+start+"'"))), 1, nil},
	}
}

// mediaCases are of audio that FreeSWITCH may not read: F111 of controller/switchsim/FACTS.md.
func mediaCases() []checkCase {
	const bridge = `<action application="bridge" data="user/1000"/>`
	note := func(name string) want {
		return want{0, SeverityNote, name + ": it acts from a bridge on", "nothing, if"}
	}
	bridged := func(first string, w ...want) checkCase {
		c := fight(first+" and a bridge", first+bridge, w...)
		return c
	}
	silent := want{0, SeverityError, "proxy_media=true: once the bridge", "remove it"}
	reinvited := want{0, SeverityWarning, "by a re-INVITE", "remove it"}
	return []checkCase{
		fight("proxy_media", act("set", "proxy_media=true"), note("proxy_media=true")),
		fight("bypass_media", act("export", "bypass_media=true"), note("bypass_media=true")),
		fight("after a bridge", act("multiset", "a=b bypass_media_after_bridge=yes"), note("bypass_media_after_bridge=yes")),
		fight("it depends", act("set", "bypass_media=${x}"), note("bypass_media=${x}")),
		fight("false", act("set", "proxy_media=false")),
		fight("zero", act("set", "bypass_media=0")),
		fight("unset", act("set", "proxy_media=true")+act("set", "proxy_media=")),
		fight("for the other leg", act("export", "nolocal:bypass_media=true")),
		fight("other name", act("set", "my_proxy_media=true")),
		bridged(act("set", "proxy_media=true"), silent),
		bridged(act("export", "PROXY_MEDIA=1"), want{0, SeverityError, "proxy_media=1: once", "remove it"}),
		bridged(act("set", "bypass_media=true"), reinvited),
		bridged(act("set", "bypass_media_after_bridge=true"), reinvited),
		bridged(act("set", "proxy_media=true") + act("set", "proxy_media=false")),
		bridged(act("set", "proxy_media=true") + act("unset", "proxy_media")),
		fight("of a leg", act("bridge", "{proxy_media=true,bypass_media=true}user/1000")),
		fight("after the bridge, of a leg", act("bridge", "[x=1,bypass_media_after_bridge='true']user/1000"), reinvited),
		{"bridge and transfer", several(ext(`name="a"`, "^9999$", good), ext(`name="b"`, "^1$", act("set", "proxy_media=true"), bridge, act("transfer", "9999 XML default"))), 1, []want{{3, SeverityError, "proxy_media=true: once", "remove it"}}},
		{"too late to unset", in(act("set", "proxy_media=true"), bridge, act("set", "proxy_media=false"), good), 1, []want{{4, SeverityError, "proxy_media=true", "remove it"}}},
		{"behind the socket", in(good, act("set", "proxy_media=true"), bridge), 1, nil},
		{"bridge behind the socket", in(act("set", "proxy_media=true"), good, bridge), 1, []want{{4, SeverityNote, "proxy_media=true", "nothing, if"}}},
		{"bridge without it", in(bridge, good), 1, nil},
		{"no socket", in(act("set", "proxy_media=true"), bridge), 0, []want{{0, SeverityError, "no socket action", ""}}},
	}
}

// profileCases are of a configuration that has profiles, too.
func profileCases() []checkCase {
	with := func(context, name, value string, dialplan ...string) string {
		return fmt.Sprintf("<document><profile name=\"internal\"><settings><param name=\"%s\" value=\"%s\"/><param name=\"context\" value=\"%s\"/></settings></profile>\n%s</document>",
			name, value, context, strings.Join(dialplan, ""))
	}
	const bridge = `<action application="bridge" data="user/1000"/>`
	comes, bridged := several(ext(`name="a"`, "^1$", good)), several(ext(`name="a"`, "^1$", bridge, good))
	from := `<context name="public">` + ext("", "^1$", act("transfer", "1 XML default")) + "</context>"
	id := []want{{1, SeverityWarning, "profile internal, inbound-use-callid-as-uuid: a caller chooses", "remove it"}}
	return []checkCase{
		{"Call-ID", with("default", "inbound-use-callid-as-uuid", "true", comes), 1, id},
		{"Call-ID of a profile without context", with("", "inbound-use-callid-as-uuid", "true", comes), 1, id},
		{"Call-ID of another context", with("public", "inbound-use-callid-as-uuid", "true", comes), 1, nil},
		{"Call-ID after a transfer", with("public", "inbound-use-callid-as-uuid", "true", from, comes), 1, id},
		{
			"Call-ID in capitals of a context", strings.Replace(with("default", "Inbound-Use-CallID-As-UUID", "TRUE", comes), "name=\"context", "name=\"Context", 1), 1,
			[]want{{1, SeverityWarning, "profile internal, Inbound-Use-CallID-As-UUID: a caller chooses", "remove it"}},
		},
		{"no Call-ID", with("default", "inbound-use-callid-as-uuid", "false", comes), 1, nil},
		{"profile's proxy_media", with("default", "inbound-proxy-media", "true", comes), 1, []want{{1, SeverityNote, "inbound-proxy-media: it acts from a bridge on", "nothing, if"}}},
		{"profile's proxy_media and a bridge", with("default", "inbound-proxy-media", "true", bridged), 1, []want{{1, SeverityError, "inbound-proxy-media: once the bridge", "remove it"}}},
		{"profile's bypass_media", with("default", "inbound-bypass-media", "true", comes), 1, []want{{1, SeverityNote, "inbound-bypass-media: it acts", "nothing, if"}}},
		{"profile's bypass_media and a bridge", with("default", "inbound-bypass-media", "true", bridged), 1, []want{{1, SeverityWarning, "by a re-INVITE", "remove it"}}},
		{"other parameter", with("default", "rtp-ip", "1", comes), 1, nil},
		{"parameter of no profile", `<d><param name="inbound-proxy-media" value="true"/>` + bridged + "</d>", 1, nil},
	}
}

// pasteCases are of what comes from web pages, in every action beside a socket action.
func pasteCases() []checkCase {
	blank := want{0, SeverityWarning, "a no-break space (U+00A0): to FreeSWITCH it is a letter", "anew"}
	quote := want{0, SeverityWarning, "a typographic quote (U+201C)", "anew"}
	return []checkCase{
		fight("blank of playback", act("playback", "ivr/a\u00a0b.wav"), blank),
		fight("quotes of set", act("set", "x=“a b”"), quote),
		fight("blank of a bridge", act("bridge", "user/1000\u00a0"), blank),
		fight("blank of a variable", act("set", "tapdeck_listen=30s\u00a0"), blank),
		fight("quotes of an answer", `<anti-action application="answer" data="“x"/>`),
		fight("quotes of speech", act("speak", "flite|kal|“hello”"), want{0, SeverityNote, "speak holds a typographic quote", "anew"}),
		fight("quotes of a plan", act("set", "tapdeck_plan=“survey”"), want{0, SeverityError, "there is no such plan", "anew"}),
		fight("quotes of an application", `<action application="“set”" data="x=y"/>`, want{0, SeverityError, "no such application", "anew"}),
		{"quotes of the socket", in(act("socket", "“127.0.0.1:8084” async full")), 1, []want{{4, SeverityError, "socket's data", "anew"}}},
		{"quotes of a number", strings.ReplaceAll(in(good), "^9999$", "“9999”"), 1, []want{{3, SeverityError, "the expression", "anew"}}},
		{"quotes of a name", strings.ReplaceAll(strings.ReplaceAll(in(good), "^9999$", "O’Brien"), "destination_number", "caller_id_name"), 1, nil},
		{"elsewhere", several(ext(`name="a"`, "^1$", act("playback", "a\u00a0b")), ext(`name="b"`, "^2$", good)), 1, nil},
	}
}

// The tapdeck_ variables that actions set, and the plan that their calls ask for.
func TestCheckVariables(t *testing.T) {
	text := several(
		ext(`name="a" continue="true"`, "^1", act("set", "tapdeck_listen=30s"), act("export", "nolocal:tapdeck_x=1"), act("set", "my_tapdeck_x=1")),
		ext(`name="b"`, "^1$", act("multiset", "^^;TAPDECK_Silence=2s;tapdeck_prompt='a b.wav'"), act("set", "tapdeck_listen='30s'"), act("set", "tapdeck_listen = 30s"),
			act("set", "tapdeck_finish_on=$1"), act("set", "tapdeck_finish_on="), act("log", "INFO tapdeck_x=1"), `<action application="socket" data="127.0.0.1:8084/survey async full"/>`),
		ext(`name="c"`, "^2$", act("set", "tapdeck_plan=mine"), act("export", "tapdeck_listen=1x"), `<anti-action application="bridge_export" data="tapdeck_listen=2s"/>`, good),
		ext(`name="d"`, "^3$", act("set", "tapdeck_listen,3s")))
	got, err := Check(strings.NewReader(text), nil)
	if err != nil || len(got.Findings) > 0 {
		t.Fatalf("%+v, %v", got.Findings, err)
	}
	var list []string
	for _, v := range got.Variables {
		list = append(list, fmt.Sprintf("%d %s=%s, plan %s", v.Line, v.Name, v.Value, v.Plan))
	}
	want := []string{
		"2 tapdeck_listen=30s, plan survey", "3 tapdeck_silence=2s, plan survey", "3 tapdeck_prompt=a b.wav, plan survey", "3 tapdeck_listen='30s', plan survey",
		"3 tapdeck_listen = 30s, plan survey", "4 tapdeck_listen=1x, plan mine", "4 tapdeck_listen=2s, plan ", "5 tapdeck_listen=3s, plan ",
	}
	if diff := cmp.Diff(want, list); diff != "" {
		t.Errorf("variables (-want +got):\n%s", diff)
	}
}

// What multiset takes for its parts: F113 of controller/switchsim/FACTS.md.
func TestSeparate(t *testing.T) {
	for _, tc := range []struct {
		data string
		want []string
	}{
		{"a=1 b=2", []string{"a=1", "b=2"}},
		{"a='x y'  b=2", []string{"a=x y", "b=2"}},
		{"^^;a='x;y'; b = c d ", []string{"a=x;y", "b = c d"}},
		{"^^,a=1,b=2", []string{"a=1", "b=2"}},
		{`a=x\ y it's`, []string{"a=x y", "it's"}},
		{"", nil},
	} {
		if got := separate(tc.data); !slices.Equal(got, tc.want) {
			t.Errorf("%q: %q, want %q", tc.data, got, tc.want)
		}
	}
}
