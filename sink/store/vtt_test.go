package store_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"tapdeck/sink/store"
)

// cue is one of a WebVTT file.
type cue struct {
	from, to int64 // ms
	voice    string
	text     string
}

var (
	cueTimes = regexp.MustCompile(`\A(\d{2,}):([0-5]\d):([0-5]\d)\.(\d{3}) --> (\d{2,}):([0-5]\d):([0-5]\d)\.(\d{3})\z`)
	cueText  = regexp.MustCompile(`\A<v ([^<>&\n]+)>((?:[^<>&]|&amp;|&lt;|&gt;)*)\z`)
	unescape = strings.NewReplacer("&amp;", "&", "&lt;", "<", "&gt;", ">")
)

// parseVTT reads a WebVTT file as strictly as its syntax is, of what tapdeck uses of it.
func parseVTT(text []byte) (cues []cue, err error) {
	if !utf8.Valid(text) {
		return nil, errors.New("no UTF-8")
	}
	if i := strings.IndexFunc(string(text), func(r rune) bool { return unicode.IsControl(r) && r != '\n' }); i >= 0 {
		return nil, fmt.Errorf("a control character at %d", i)
	}
	blocks := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n\n")
	if blocks[0] != "WEBVTT" {
		return nil, fmt.Errorf("begins with %q", blocks[0])
	}
	for _, block := range blocks[1:] {
		c, err := parseCue(block)
		if err != nil {
			return nil, err
		}
		if n := len(cues); n > 0 && cues[n-1].from > c.from {
			return nil, fmt.Errorf("cue %d is before the last one", n)
		}
		cues = append(cues, c)
	}
	return cues, nil
}

func parseCue(block string) (c cue, err error) {
	lines := strings.Split(block, "\n")
	if len(lines) != 2 {
		return c, fmt.Errorf("a cue of %d lines: %q", len(lines), block)
	}
	times, text := cueTimes.FindStringSubmatch(lines[0]), cueText.FindStringSubmatch(lines[1])
	if times == nil || text == nil || strings.Contains(lines[1], "-->") {
		return c, fmt.Errorf("no cue: %q", block)
	}
	ms := func(t []string) (sum int64) {
		for i, unit := range []int64{3_600_000, 60_000, 1000, 1} {
			n, _ := strconv.ParseInt(t[i], 10, 64) // digits
			sum += n * unit
		}
		return sum
	}
	c = cue{ms(times[1:5]), ms(times[5:9]), text[1], unescape.Replace(text[2])}
	if c.to <= c.from {
		err = fmt.Errorf("a cue without a length: %q", block)
	}
	return c, err
}

// checkVTT checks the file that a record names against its segments.
func checkVTT(t *testing.T, dir string, record store.Record) {
	t.Helper()
	if record.Transcript.VTT != strings.TrimSuffix(record.WAV, ".wav")+".vtt" {
		t.Errorf("VTT %q beside %q", record.Transcript.VTT, record.WAV)
	}
	text, err := os.ReadFile(filepath.Join(dir, record.Transcript.VTT))
	if err != nil {
		t.Fatal(err)
	}
	got, err := parseVTT(text)
	if err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	var want []cue
	for _, s := range record.Transcript.Segments {
		want = append(want, cue{s.FromMS, max(s.ToMS, s.FromMS+1), s.Channel, s.Text})
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(cue{})); diff != "" {
		t.Errorf("cues (-want +got):\n%s", diff)
	}
}

// The words are WebVTT, to the letter.
func TestVTT(t *testing.T) {
	got := string(store.VTTText([]store.Segment{
		{Channel: "caller", FromMS: 1020, ToMS: 2500, Text: "Hello & goodbye"},
		{Channel: "callee", FromMS: 61_000, ToMS: 3_723_004, Text: "yes"},
		{Channel: "both", FromMS: 400_000_000, ToMS: 400_000_000, Text: "1 < 2 --> 3"},
	}))
	want := `WEBVTT

00:00:01.020 --> 00:00:02.500
<v caller>Hello &amp; goodbye

00:01:01.000 --> 01:02:03.004
<v callee>yes

111:06:40.000 --> 111:06:40.001
<v both>1 &lt; 2 --&gt; 3
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// No text breaks the file, and none that is harmless is changed.
func TestVTTOfHostileTexts(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"arrow":         {"a --> b", "a --> b"},
		"times":         {"\n\n00:00:01.000 --> 00:00:02.000\n<v callee>mine", "00:00:01.000 --> 00:00:02.000 <v callee>mine"},
		"voice":         {"<v x>hi</v>", "<v x>hi</v>"},
		"entity":        {"&lt;b&gt; &amp; &", "&lt;b&gt; &amp; &"},
		"lines":         {"a\nb\r\nc\rd", "a b c d"},
		"blank lines":   {"\n\na\n\n\nb\n\n", "a b"},
		"other lines":   {"a\u2028b\u2029c\u0085d\ve\ff", "a b c d e f"},
		"controls":      {"a\x00b\x1b[31mc\x7fd\u009be", "a b [31mc d e"},
		"NUL":           {"\x00", ""},
		"no UTF-8":      {"a\xff\xfeb", "a\ufffdb"},
		"long":          {strings.Repeat("long words ", 300), strings.Repeat("long words ", 300)},
		"right to left": {"שלום \u202eعربي\u202c \u200f", "שלום \u202eعربي\u202c \u200f"},
		"header":        {"WEBVTT", "WEBVTT"},
		"note":          {"NOTE a\n\nSTYLE b", "NOTE a STYLE b"},
		"BOM":           {"\ufeffa", "\ufeffa"},
		"emoji":         {"👩‍👩‍👧 é", "👩‍👩‍👧 é"},
		"empty":         {"", ""},
	} {
		segments := []store.Segment{{Channel: "caller", FromMS: 5, ToMS: 9, Text: c.text}, {Channel: "callee", FromMS: 7, ToMS: 7, Text: "next"}}
		got, err := parseVTT(store.VTTText(segments))
		want := []cue{{5, 9, "caller", c.want}, {7, 8, "callee", "next"}}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(cue{})); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
		}
	}
}

// Whatever a service says and whenever, the file is well-formed and has a cue for each segment.
func FuzzVTT(f *testing.F) {
	for _, text := range []string{"", "hello", "a --> b", "<v x>", "&amp;", "a\n\nb\r", "\x00", "\xff", "\u2028"} {
		f.Add(text, int64(0), int64(1000), text)
		f.Add(text, int64(-5), int64(-7), "next")
	}
	f.Fuzz(func(t *testing.T, first string, from, to int64, second string) {
		const most = 1 << 52 // ms
		from, to = from%most, to%most
		segments := []store.Segment{{Channel: "caller", FromMS: from, ToMS: to, Text: first}, {Channel: "both", FromMS: max(from, to), ToMS: to, Text: second}}
		text := store.VTTText(segments)
		if got, err := parseVTT(text); err != nil || len(got) != 2 || got[0].voice != "caller" || got[1].voice != "both" {
			t.Errorf("%v: %d cues in %q", err, len(got), text)
		}
	})
}
