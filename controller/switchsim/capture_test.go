package switchsim

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// captured is a frame of a capture file, written out: its header lines in order.
type captured struct {
	name  string
	lines []string
}

// readCapture reads a capture file, without the code that renders events from it.
func readCapture(t *testing.T, file string) []captured {
	t.Helper()
	text, err := os.ReadFile("capture/" + file)
	if err != nil {
		t.Fatal(err)
	}
	var all []captured
	stands := map[string][]string{}
	has := map[string]bool{"data": true, "media": file == "loopback.txt"}
	for _, section := range strings.Split(string(text), "\n## ")[1:] {
		lines := strings.Split(strings.TrimRight(section, "\n"), "\n")
		name, lines := lines[0], lines[1:]
		if name == "event" || name == "channel" {
			stands["@"+name] = lines
			continue
		}
		has["media"] = has["media"] || name == "CHANNEL_PROGRESS_MEDIA"
		has["cause"] = has["cause"] || name == "CHANNEL_HANGUP"
		f := captured{name: name}
		for _, line := range lines {
			f.add(line, stands, has)
		}
		f.lines = slices.DeleteFunc(f.lines, func(line string) bool { return line == "" })
		if set := f.variables(); len(set) > 0 {
			stands["@variables"] = set
		}
		all = append(all, f)
	}
	return all
}

// add adds what a line of the file stands for.
func (f *captured) add(line string, stands map[string][]string, has map[string]bool) {
	name, _, _ := strings.Cut(line, ": ")
	condition, rest, _ := strings.Cut(strings.TrimPrefix(line, "?"), " ")
	switch {
	case line == "@body":
		f.lines = append(f.lines, "Content-Length: ${length}")
	case strings.HasPrefix(line, "@unset "):
		for _, name := range strings.Fields(rest) {
			f.remove("variable_" + name)
		}
	case strings.HasPrefix(line, "@"):
		for _, one := range stands[line] {
			f.add(one, stands, has)
		}
	case strings.HasPrefix(line, "?"):
		if has[condition] {
			f.lines = append(f.lines, rest)
		}
	default:
		if strings.HasPrefix(name, "variable_") {
			f.remove(name)
		}
		f.lines = append(f.lines, line)
	}
}

func (f *captured) remove(name string) {
	f.lines = slices.DeleteFunc(f.lines, func(line string) bool { return strings.HasPrefix(line, name+": ") })
}

func (f *captured) variables() []string {
	return slices.DeleteFunc(slices.Clone(f.lines), func(line string) bool { return !strings.HasPrefix(line, "variable_") })
}

// masked are the lines of a frame that was received, with ${…} where the captured
// line has it, so that only what never varies is compared.
func (f *captured) masked(lines []string) []string {
	masked := slices.Clone(lines)
	for i := range masked {
		name, _, _ := strings.Cut(masked[i], ": ")
		if i < len(f.lines) && strings.HasPrefix(f.lines[i], name+": ") && strings.Contains(f.lines[i], "${") {
			masked[i] = f.lines[i]
		}
	}
	return masked
}

func headerLines(m *message) []string {
	block := m.raw
	if strings.HasPrefix(m.kind, "text/event") {
		block, _, _ = strings.Cut(m.body, "\n\n")
	}
	return strings.Split(strings.TrimRight(block, "\n"), "\n")
}

// checkFrame wants a received frame to be the captured one but for what varies.
func checkFrame(t *testing.T, f captured, m *message) {
	t.Helper()
	f.lines = slices.DeleteFunc(f.lines, func(line string) bool { return !strings.Contains(line, ": ") }) // a notice's body
	if d := cmp.Diff(f.lines, f.masked(headerLines(m))); d != "" {
		t.Errorf("%s: %s", f.name, d)
	}
}

// The captured call once more: every frame has the captured headers, in order.
func TestCallIsAsCaptured(t *testing.T) {
	t.Parallel()
	web := newWebServer(t)
	call, c := place(t, New(Config{Speed: 10}), CallSpec{UUID: callID})
	got := []*message{c.command("connect")}
	until := func(name string) {
		for {
			m := c.next()
			got = append(got, m)
			if m.is(name) {
				return
			}
		}
	}
	c.wants("myevents", "+OK Events Enabled")
	c.wants("event plain CUSTOM mod_audio_stream::connect", "+OK event listener enabled plain")
	c.wants("nixevent CHANNEL_PARK", "+OK events nixed")
	c.wants("linger 0", "+OK will linger 0 seconds")
	c.execute("answer", "", "ans-1")
	until("CHANNEL_EXECUTE_COMPLETE")
	c.api("uuid_audio_stream "+callID+" start "+web.url+" mono 8000", "+OK Success\n")
	until("CUSTOM")
	c.execute("playback", "ivr/ivr-please_state_your_name_and_reason_for_calling.wav", "play-1")
	until("CHANNEL_EXECUTE_COMPLETE")
	for c.command("getvar current_loop").outer.Get("Reply-Text") == "1" { // the end of the sendmsg
	}
	call.Hangup()
	until("CHANNEL_HANGUP_COMPLETE")
	until("text/disconnect-notice")
	got = slices.DeleteFunc(got, func(m *message) bool { return m.is("CHANNEL_PARK") })
	want := slices.DeleteFunc(readCapture(t, "sip.txt"), func(f captured) bool {
		return f.name == "ack" || f.name == "DTMF" || f.name == "CHANNEL_PARK"
	})
	if len(got) != len(want) {
		t.Fatalf("%d frames, want %d", len(got), len(want))
	}
	for i, f := range want {
		checkFrame(t, f, got[i])
	}
}

// A loopback leg and a digit have the captured headers, too.
func TestOtherFramesAreAsCaptured(t *testing.T) {
	t.Parallel()
	frame := func(file, name string) captured {
		all := readCapture(t, file)
		return all[slices.IndexFunc(all, func(f captured) bool { return f.name == name })]
	}
	_, c := place(t, New(Config{}), CallSpec{Loopback: true})
	checkFrame(t, frame("loopback.txt", "connect"), c.command("connect"))
	call, c := answered(t, New(Config{Speed: 20}), CallSpec{})
	call.Press("7")
	digit := frame("sip.txt", "DTMF")
	digit.lines = slices.DeleteFunc(digit.lines, func(line string) bool { return strings.HasPrefix(line, "Hangup-Cause: ") })
	checkFrame(t, digit, c.until("DTMF"))
}
