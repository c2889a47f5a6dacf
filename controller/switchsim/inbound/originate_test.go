package inbound

import "testing"

// TestOriginateApplication: FreeSWITCH ends &APP(DATA) at the first closing
// parenthesis, so that a tone can only be given inline.
func TestOriginateApplication(t *testing.T) {
	for text, want := range map[string][2]string{
		"&park": {"park", ""},
		"&endless_playback(tone_stream://%(200,200,1000))":                       {"endless_playback", "tone_stream://%(200,200,1000"},
		"m:^:endless_playback:tone_stream://%(200,200,1000) inline":              {"endless_playback", "tone_stream://%(200,200,1000)"},
		"m:^:endless_playback:tone_stream://%(200,200,1000)^sleep:100000 inline": {"endless_playback", "tone_stream://%(200,200,1000)"},
		"answer,park inline":                   {"answer", ""},
		"'&socket(127.0.0.1:8084 async full)'": {"socket", "127.0.0.1:8084 async full"},
		"&socket(127.0.0.1:8084 async full)":   {"socket", "127.0.0.1:8084"}, // the rest is the dialplan's
		"1000 XML default":                     {"", ""},
	} {
		o, ok := ParseOriginate("{a=b}loopback/9999/default " + text)
		if ok != (want[0] != "") || ok && (o.Application != want[0] || o.Data != want[1]) {
			t.Errorf("%s: %v, %q %q", text, ok, o.Application, o.Data)
		}
	}
}
