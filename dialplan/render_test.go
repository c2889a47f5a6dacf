package dialplan

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type action struct {
	Application string `xml:"application,attr"`
	Data        string `xml:"data,attr"`
}

func render(t testing.TB, e Extension) string {
	t.Helper()
	var b bytes.Buffer
	if err := Render(&b, e); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func defaultExtension() Extension {
	return Extension{Name: "tapdeck", Number: "9999", Context: "default", Hosts: []string{"127.0.0.1:8084"}}
}

func TestRender(t *testing.T) {
	e := defaultExtension()
	e.Number, e.Plan = "*98", "survey"
	e.Hosts = []string{"127.0.0.1:8084", "[2001:db8::5]:9000", "recorder.example.net:8084"}
	e.Variables = map[string]string{"tapdeck_prompt": `it's "new" <&> --.wav`, "tapdeck_listen": "30s"}
	text := render(t, e)
	var got struct {
		XMLName   xml.Name
		Extension struct {
			Name      string `xml:"name,attr"`
			Condition struct {
				Field      string   `xml:"field,attr"`
				Expression string   `xml:"expression,attr"`
				Actions    []action `xml:"action"`
			} `xml:"condition"`
		} `xml:"extension"`
	}
	if err := xml.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	c := got.Extension.Condition
	if got.XMLName.Local != "include" || got.Extension.Name != "tapdeck" || c.Field != "destination_number" || c.Expression != `^\*98$` {
		t.Errorf("rendered %+v", got)
	}
	want := []action{
		{"set", "tapdeck_listen=30s"},
		{"set", `tapdeck_prompt=it's "new" <&> --.wav`},
		{"socket", "127.0.0.1:8084/survey|2001:db8::5:9000/survey|recorder.example.net:8084/survey async full"},
		{"sched_cancel", "tapdeck-${uuid}"}, // a group of its own: not what the user has scheduled
		{"log", "WARNING tapdeck did not take call ${uuid} to ${destination_number}, or gave it back"},
		{"hangup", "NORMAL_TEMPORARY_FAILURE"},
	}
	if diff := cmp.Diff(want, c.Actions); diff != "" {
		t.Errorf("actions (-want +got):\n%s", diff)
	}
	for _, s := range []string{"conf/dialplan/default/*.xml", "|2001:db8::5:9000/survey|", "<!--", `full"/>`} {
		if !strings.Contains(text, s) {
			t.Errorf("%q is missing in\n%s", s, text)
		}
	}
}

// Every comment keeps XML's rule of no two dashes, whatever the values.
func TestRenderDashes(t *testing.T) {
	e := defaultExtension()
	e.Number, e.Context, e.Name, e.Plan = "1---2", "a----b", "-->", "--"
	text := render(t, e)
	for _, part := range strings.Split(text, "<!--")[1:] {
		comment, _, _ := strings.Cut(part, "-->")
		if strings.Contains(comment, "--") || strings.HasSuffix(comment, "-") {
			t.Errorf("comment %q", comment)
		}
	}
	if _, err := Check(strings.NewReader(text), nil); err != nil {
		t.Error(err)
	}
}

func TestValidate(t *testing.T) {
	for _, tc := range []struct {
		field, value string
		change       func(e *Extension)
	}{
		{"name", "", func(e *Extension) { e.Name = "" }},
		{"name", "a\nb", func(e *Extension) { e.Name = "a\nb" }},
		{"number", "^9(", func(e *Extension) { e.Number = "^9(" }},
		{"number", "", func(e *Extension) { e.Number = "" }},
		{"number", "99 99", func(e *Extension) { e.Number = "99 99" }},
		{"context", "a/b", func(e *Extension) { e.Context = "a/b" }},
		{"plan", "a:b", func(e *Extension) { e.Plan = "a:b" }},
		{"plan", "a b", func(e *Extension) { e.Plan = "a b" }},
		{"plan", "a|b", func(e *Extension) { e.Plan = "a|b" }},
		{"host", "", func(e *Extension) { e.Hosts = nil }},
		{"host", "127.0.0.1", func(e *Extension) { e.Hosts[0] = "127.0.0.1" }},
		{"host", "::1", func(e *Extension) { e.Hosts[0] = "::1" }},
		{"host", ":8084", func(e *Extension) { e.Hosts[0] = ":8084" }},
		{"host", "[fe80::1%eth0]:8084", func(e *Extension) { e.Hosts[0] = "[fe80::1%eth0]:8084" }},
		{"host", "a|b:8084", func(e *Extension) { e.Hosts[0] = "a|b:8084" }},
		{"host", "it's:8084", func(e *Extension) { e.Hosts[0] = "it's:8084" }},
		{"host", "a:0", func(e *Extension) { e.Hosts[0] = "a:0" }},
		{"host", "a:65536", func(e *Extension) { e.Hosts[0] = "a:65536" }},
		{"host", "a:http", func(e *Extension) { e.Hosts[0] = "a:http" }},
		{"host", "0.0.0.0:8084", func(e *Extension) { e.Hosts[0] = "0.0.0.0:8084" }},
		{"host", "h50:1", func(e *Extension) {
			e.Hosts = nil
			for i := range 51 {
				e.Hosts = append(e.Hosts, fmt.Sprintf("h%d:1", i))
			}
		}},
		{"variable", "a=b", func(e *Extension) { e.Variables = map[string]string{"a=b": "c"} }},
		{"variable a", "\x00", func(e *Extension) { e.Variables = map[string]string{"a": "\x00"} }},
	} {
		e := defaultExtension()
		tc.change(&e)
		text := fmt.Sprintf("%s %q: ", tc.field, tc.value)
		if err := e.validate(); err == nil || !strings.HasPrefix(err.Error(), text) || len(err.Error()) == len(text) {
			t.Errorf("%s %q: %v", tc.field, tc.value, err)
		}
		var b bytes.Buffer
		if err := Render(&b, e); err == nil || b.Len() > 0 {
			t.Errorf("%s %q: Render = %v and %d bytes", tc.field, tc.value, err, b.Len())
		}
	}
	if err := defaultExtension().validate(); err != nil {
		t.Error(err)
	}
}

// What Render writes passes Check without findings, and goes where it should.
func TestRenderPassesCheck(t *testing.T) {
	for _, number := range []string{"9999", "*98#", "+4930123456", "audio.test-1"} {
		for _, hosts := range [][]string{{"127.0.0.1:8084"}, {"[::1]:8085"}, {"a.example:1", "10.0.0.1:8084", "[2001:db8::1]:65535"}} {
			for _, plan := range []string{"", "survey", "a-b_c.d"} {
				e := Extension{Name: "x & <y>", Number: number, Context: "public", Hosts: hosts, Plan: plan, Variables: map[string]string{"tapdeck_listen": "3s"}}
				text := render(t, e)
				got, err := Check(strings.NewReader(text), hosts[len(hosts)-1:])
				if err != nil || len(got.Findings) > 0 {
					t.Fatalf("Check = %+v, %v of\n%s", got, err, text)
				}
				s := got.Sockets[0]
				if !s.Right || !s.Async || !s.Full || s.Plan != plan || s.Extension != e.Name || !cmp.Equal(s.Hosts, hosts) {
					t.Errorf("socket %+v of\n%s", s, text)
				}
			}
		}
	}
}

// A port with leading zeros is what FreeSWITCH takes it for.
func TestRenderPort(t *testing.T) {
	e := defaultExtension()
	e.Hosts = []string{"127.0.0.1:08084"}
	text := render(t, e)
	if !strings.Contains(text, `data="127.0.0.1:8084 async full"`) {
		t.Errorf("no port 8084 in\n%s", text)
	}
	got, err := Check(strings.NewReader(text), e.Hosts)
	if err != nil || len(got.Findings) > 0 || !got.Sockets[0].Right {
		t.Errorf("Check = %+v, %v", got, err)
	}
}

func FuzzRender(f *testing.F) {
	f.Add("tapdeck", "9999", "default", "127.0.0.1:8084", "[::1]:8084", "survey", "tapdeck_listen", "30s")
	f.Add("-->", "*#+", "--", "a:1", "::1:2", "a:b", "x", "${y}\"'")
	f.Add("tapdeck", "9999", "default", "127.0.0.1:08084", "[::1]:0884", "survey", "tapdeck_listen", "30s")
	f.Fuzz(func(t *testing.T, name, number, context, host, host2, plan, variable, value string) {
		e := Extension{name, number, context, []string{host, host2}, plan, map[string]string{variable: value}}
		var b bytes.Buffer
		if Render(&b, e) != nil {
			return
		}
		got, err := Check(&b, []string{host2})
		if err != nil || len(got.Sockets) != 1 || !got.Sockets[0].Right {
			t.Fatalf("Check = %+v, %v", got, err)
		}
	})
}
