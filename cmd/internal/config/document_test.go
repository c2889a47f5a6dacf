package config

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Every way to write a file wrong, with the whole of what is said about it.
func TestBadFiles(t *testing.T) {
	for name, c := range map[string]struct {
		file string
		want []string
	}{
		"unknown key":             {"esl:\n  lisen: x", []string{`tapdeck.yaml:2: esl.lisen: unknown key; the nearest known is esl.listen`}},
		"unknown group":           {"log: {level: info}\nsnik: {listen: x}", []string{`tapdeck.yaml:2: snik: unknown key; the nearest known is sink`}},
		"unknown, none near":      {"sink: {tls: {zzzzzz: 1}}", []string{`tapdeck.yaml:1: sink.tls.zzzzzz: unknown key; known here are certificate, key`}},
		"unknown at the top":      {"qqqqqq: 1", []string{`tapdeck.yaml:1: qqqqqq: unknown key; known here are instance, esl, sink, record, admin, player, drain_timeout, log, plans`}},
		"unknown in a plan":       {"plans:\n  survey:\n    listne: 3s", []string{`tapdeck.yaml:3: plans.survey.listne: unknown key; the nearest known is plans.survey.listen`}},
		"flat instead of deep":    {"plans: {survey: {sample_rate: 8000}}", []string{`tapdeck.yaml:1: plans.survey.sample_rate: unknown key; the nearest known is plans.survey.stream.sample_rate`}},
		"a step as a key":         {"plans: {x: {play: a.wav, answer: }}", []string{`tapdeck.yaml:1: plans.x.play: unknown key; a step stands in the list steps: [play: greeting.wav]`, `tapdeck.yaml:1: plans.x.answer: unknown key; a step stands in the list steps: [answer]`}},
		"dotted key":              {"esl.listen: 127.0.0.1:1", []string{`tapdeck.yaml:1: esl.listen: unknown key; the nearest known is esl.listen`}},
		"key twice":               {"esl:\n  max_calls: 1\n  max_calls: 2", []string{`tapdeck.yaml:3: esl.max_calls: the key is given twice, first in line 2`}},
		"group twice":             {"esl: {max_calls: 1}\nlog: {}\nesl: {}", []string{`tapdeck.yaml:3: esl: the key is given twice, first in line 1`}},
		"plan twice":              {"plans:\n  a: {}\n  a: {}", []string{`tapdeck.yaml:3: plans.a: the key is given twice, first in line 2`}},
		"no unit":                 {"plans:\n  survey:\n    listen: 15", []string{`tapdeck.yaml:3: plans.survey.listen: "15": a duration needs a unit; write 15s or 15ms`}},
		"no unit, in quotes":      {"plans:\n  survey:\n    listen: \"15\"", []string{`tapdeck.yaml:3: plans.survey.listen: "15": a duration needs a unit; write 15s or 15ms`}},
		"rate of 8k":              {"plans: {default: {stream: {sample_rate: 8k}}}", []string{`tapdeck.yaml:1: plans.default.stream.sample_rate: "8k": must be a whole number in plain decimal digits: 8000 or 16000; in Hz: mod_audio_stream only stretches the audio to other multiples of 8000, and refuses the rest, with the socket left open`}},
		"number in quotes":        {"esl: {max_calls: \"10\"}", []string{`tapdeck.yaml:1: esl.max_calls: "10": must be written without quotes`}},
		"truth in quotes":         {"admin: {pprof: \"true\"}", []string{`tapdeck.yaml:1: admin.pprof: "true": must be written without quotes`}},
		"truth of YAML 1.1":       {"admin: {pprof: yes}", []string{`tapdeck.yaml:1: admin.pprof: "yes": must be true or false`}},
		"octal":                   {"esl: {max_calls: 0100}", []string{`tapdeck.yaml:1: esl.max_calls: "0100": must be a whole number in plain decimal digits: 1 to 100000 calls`}},
		"number for a text":       {"sink: {directory: 2026}", []string{`tapdeck.yaml:1: sink.directory: "2026": a text is needed, and YAML takes this for a number, a truth value or a date; write it in quotes`}},
		"date for a text":         {"sink: {directory: 2026-11-22}", []string{`tapdeck.yaml:1: sink.directory: "2026-11-22": a text is needed, and YAML takes this for a number, a truth value or a date; write it in quotes`}},
		"truth for a text":        {"plans: {default: {prompt: true}}", []string{`tapdeck.yaml:1: plans.default.prompt: "true": a text is needed, and YAML takes this for a number, a truth value or a date; write it in quotes`}},
		"list for a value":        {"log: {level: [info]}", []string{`tapdeck.yaml:1: log.level: must be one value (debug, info, warn or error), not a list`}},
		"group for a value":       {"log: {level: {a: b}}", []string{`tapdeck.yaml:1: log.level: must be one value (debug, info, warn or error), not a group of keys`}},
		"value for a group":       {"log: info", []string{`tapdeck.yaml:1: log: "info": needs keys below it, not a single value`}},
		"a secret too high":       {"admin: s3cret", []string{`tapdeck.yaml:1: admin: "***": needs keys below it, not a single value`}},
		"list for a group":        {"plans: [default]", []string{`tapdeck.yaml:1: plans: needs keys below it, not a list`}},
		"value for a list":        {"esl: {allow: 10.0.0.1}", []string{`tapdeck.yaml:1: esl.allow: "10.0.0.1": must be a list; such as [a, b]`}},
		"group for a list":        {"esl: {allow: {a: b}}", []string{`tapdeck.yaml:1: esl.allow: must be a list; such as [a, b]`}},
		"list in a list":          {"esl: {allow: [[a]]}", []string{`tapdeck.yaml:1: esl.allow[0]: must be one value (IP addresses and networks (CIDR)), not a list`}},
		"no element":              {"esl: {allow: []}", []string{`tapdeck.yaml:1: esl.allow: must not be empty; nobody could connect: 0.0.0.0/0 and ::/0 are everybody`}},
		"bad elements":            {"esl:\n  allow:\n  - 10.0.0.1\n  - fs1\n  - fs2", []string{`tapdeck.yaml:4: esl.allow[1]: "fs1": must be an IP address or a network such as 10.0.0.0/8, without a port or zone; names are not looked up`, `tapdeck.yaml:5: esl.allow[2]: "fs2": must be an IP address or a network such as 10.0.0.0/8, without a port or zone; names are not looked up`}},
		"empty element":           {"esl: {allow: [~]}", []string{`tapdeck.yaml:1: esl.allow[0]: has no value; write one, or remove the key to have the default; the empty text is "", and # begins a comment`}},
		"no value":                {"plans:\n  survey:\n    listen:", []string{`tapdeck.yaml:3: plans.survey.listen: has no value; write one, or remove the key to have the default; the empty text is "", and # begins a comment`}},
		"null":                    {"log: {level: null}", []string{`tapdeck.yaml:1: log.level: has no value; write one, or remove the key to have the default; the empty text is "", and # begins a comment`}},
		"group of nothing":        {"esl:\n", []string{`tapdeck.yaml:1: esl: has no value; write one, or remove the key to have the default; the empty text is "", and # begins a comment`}},
		"plan of nothing":         {"plans:\n  a:\n", []string{`tapdeck.yaml:2: plans.a: has no value; write one, or remove the key to have the default; the empty text is "", and # begins a comment`}},
		"# without quotes":        {"plans: {default: {\n  finish_on: #\n}}", []string{`tapdeck.yaml:2: plans.default.finish_on: has no value; write one, or remove the key to have the default; the empty text is "", and # begins a comment`}},
		"plan name":               {"plans: {a/b: {}}", []string{`tapdeck.yaml:1: plans.a/b: a plan's name has 1 to 64 letters, digits, - and _; it also stands in the dialplan: 127.0.0.1:8084/NAME`}},
		"anchor":                  {"esl: &a {max_calls: 1}", []string{`tapdeck.yaml:1: esl: anchors and aliases (& and *) are not read; write the value out`}},
		"alias":                   {"plans:\n  a: &a {listen: 1s}\n  b: *a", []string{`tapdeck.yaml:2: plans.a: anchors and aliases (& and *) are not read; write the value out`, `tapdeck.yaml:3: plans.b: anchors and aliases (& and *) are not read; write the value out`}},
		"merge key":               {"plans:\n  a: {}\n  b: {<<: {listen: 1s}}", []string{`tapdeck.yaml:3: plans.b: merge keys (<<) are not read; a plan has what plan default states; write out what differs`}},
		"tag":                     {"plans: {default: {prompt: !!str 15}}", []string{`tapdeck.yaml:1: plans.default.prompt: "15": YAML tags (!) are not read; write the value without !!str`}},
		"key that is a list":      {"? [a]\n: b", []string{`tapdeck.yaml:1: a key must be a plain word`}},
		"empty key":               {"\"\": 1", []string{`tapdeck.yaml:1: a key must be a plain word`}},
		"two documents":           {"log: {}\n---\nesl: {}", []string{`tapdeck.yaml:2: the file must hold one YAML document, here begins a second one; remove the line ---`}},
		"a list":                  {"- a", []string{`tapdeck.yaml:1: the file must hold keys with values, such as esl: {listen: 127.0.0.1:8084}`}},
		"a word":                  {"hello", []string{`tapdeck.yaml:1: the file must hold keys with values, such as esl: {listen: 127.0.0.1:8084}`}},
		"tabs":                    {"log:\n\tlevel: info", []string{`tapdeck.yaml:2: not YAML: found character that cannot start any token; indent with blanks: YAML takes no tabs`}},
		"* without quotes":        {"log: {}\nplans: {default: {finish_on: *}}", []string{`tapdeck.yaml:2: not YAML: did not find expected alphabetic or numeric character; a value that begins with * or & stands in quotes: "*"`}},
		"* that is a word":        {"log: {}\nplans: {default: {finish_on: *x}}", []string{`tapdeck.yaml:2: not YAML: unknown anchor 'x' referenced; a value that begins with * or & stands in quotes: "*"`}},
		"first line":              {"log: {level: info level: x}", []string{`tapdeck.yaml:1: not YAML: did not find expected ',' or '}'`}},
		"control character":       {"log:\n  level: \x01", []string{`tapdeck.yaml:2: not YAML: control characters are not allowed`}},
		"too deep":                {strings.Repeat("[", 20000), []string{`tapdeck.yaml:1: not YAML: exceeded max depth of 10000`}},
		"no-break space":          {"log:\n\u00a0 level: loud", []string{`tapdeck.yaml:1: log: has no value; write one, or remove the key to have the default; the empty text is "", and # begins a comment`, `tapdeck.yaml:2: a key must be a plain word; in column 1 stands a no-break space (U+00A0): write a plain blank or none, or put the value in quotes`}},
		"no-break after colon":    {"log:\n  level:\u00a0info # it's \u00a0", []string{`tapdeck.yaml:2: log: "level:\u00a0info": must hold plain blanks only; in column 9 stands a no-break space (U+00A0): write a plain blank or none, or put the value in quotes`}},
		"narrow and figure":       {"esl: {allow: [10.0.0.1,\u202f10.0.0.2,\u200710.0.0.3]}", []string{`tapdeck.yaml:1: esl.allow[1]: "\u202f10.0.0.2": must hold plain blanks only; in column 24 stands a narrow no-break space (U+202F): write a plain blank or none, or put the value in quotes`, `tapdeck.yaml:1: esl.allow[2]: "\u200710.0.0.3": must hold plain blanks only; in column 34 stands a figure space (U+2007): write a plain blank or none, or put the value in quotes`}},
		"no width":                {"\ufefflog:\n  le\u200bvel: in\ufefffo", []string{`tapdeck.yaml:2: log: a key must be a plain word; in column 5 stands a zero-width space (U+200B): write a plain blank or none, or put the value in quotes`}},
		"wide blank":              {"log: {level: info\u3000}", []string{`tapdeck.yaml:1: log.level: "info\u3000": must hold plain blanks only; in column 18 stands a blank that is none to YAML (U+3000): write a plain blank or none, or put the value in quotes`}},
		"no-break indentation":    {"esl:\n\u00a0\u00a0max_calls:\u00a05\nlog:\n\u00a0\u00a0level: info\n", []string{`tapdeck.yaml:2: not YAML: could not find expected ':'; in column 1 stands a no-break space (U+00A0): write a plain blank or none, or put the value in quotes`}},
		"no-break after -":        {"esl:\n  allow:\n  -\u00a010.0.0.1 # a\n", []string{`tapdeck.yaml:3: not YAML: could not find expected ':'; in column 4 stands a no-break space (U+00A0): write a plain blank or none, or put the value in quotes`}},
		"not the one in a remark": {"# “a”\u00a0b\nlog: {level: info}\u00a0# x", []string{`tapdeck.yaml:2: not YAML: did not find expected key; in column 19 stands a no-break space (U+00A0): write a plain blank or none, or put the value in quotes`}},
		"no-break in quotes":      {"log:\n  level: \"info\u00a0\"", []string{`tapdeck.yaml:2: log.level: "info\u00a0": must not begin or end with a blank; in column 15 stands a no-break space (U+00A0): write a plain blank or none`}},
		"no width in quotes":      {"plans: {default: {listen: '15\u200bs'}}", []string{`tapdeck.yaml:1: plans.default.listen: "15\u200bs": a duration is a number and a unit; such as 500ms, 15s, 2m or 1h30m; in column 30 stands a zero-width space (U+200B): write a plain blank or none`}},
		"no-break in a block":     {"log:\n  level: |\n    info\u00a0\n", []string{`tapdeck.yaml:2: log.level: "info\u00a0\n": must be one line without control characters; character 5 of it is a no-break space (U+00A0): write a plain blank or none, or put the value in quotes`}},
		"soft hyphen":             {"log: {level: in\u00adfo}", []string{`tapdeck.yaml:1: log.level: "in\u00adfo": must hold plain blanks only; in column 16 stands a soft hyphen (U+00AD): write a plain blank or none, or put the value in quotes`}},
		"typographic quotes":      {"plans:\n  default:\n    prompt: “ivr/x.wav”", []string{`tapdeck.yaml:3: plans.default.prompt: "“ivr/x.wav”": must stand in plain quotes; in column 13 stands a typographic quote (U+201C): write " instead`}},
		"single ones":             {"plans: {default: {finish_on: ‘#’}}", []string{`tapdeck.yaml:1: plans.default.finish_on: "‘#’": must stand in plain quotes; in column 30 stands a typographic quote (U+2018): write " instead`}},
		"typographic key":         {"“log”: {level: info}", []string{`tapdeck.yaml:1: a key must be a plain word; in column 1 stands a typographic quote (U+201C): write " instead`}},
		"typographic secret":      {"admin: {token: “se cret”}", []string{`tapdeck.yaml:1: admin.token: "***": must stand in plain quotes; in column 16 stands a typographic quote (U+201C): write " instead`}},
		"tab after blanks":        {"log:\n  level: info\n  \tformat: json", []string{`tapdeck.yaml:3: not YAML: found a tab character that violates indentation; indent with blanks: YAML takes no tabs`}},
		"not UTF-8":               {"log:\n  level: \"\xff\"", []string{`tapdeck.yaml:2: the file must be UTF-8`}},
		"UTF-16":                  {"\xff\xfel\x00o\x00", []string{`tapdeck.yaml:1: the file must be UTF-8`}},
		"half of TLS":             {"sink:\n  tls:\n    certificate: a.pem", []string{`tapdeck.yaml:3: sink.tls.certificate: "a.pem": TLS needs both certificate and key; set both, or none`}},
		"other half of TLS":       {"sink: {tls: {key: a.pem}}", []string{`tapdeck.yaml:1: sink.tls.key: "a.pem": TLS needs both certificate and key; set both, or none`}},
		"token missing":           {"admin:\n  listen: 0.0.0.0:9084", []string{`tapdeck.yaml:2: admin.listen: "0.0.0.0:9084": an address that others can reach needs admin.token; set admin.token, or listen on 127.0.0.1`}},
		"bad token":               {"admin:\n  listen: 0.0.0.0:9084\n  token: \"se cret\"", []string{`tapdeck.yaml:3: admin.token: "***": must be printable ASCII without blanks`}},
		"token of a number":       {"admin: {token: 12345}", []string{`tapdeck.yaml:1: admin.token: "***": a text is needed, and YAML takes this for a number, a truth value or a date; write it in quotes`}},
		"one port for two":        {"esl: {listen: \":8080\"}\n", []string{`tapdeck.yaml:1: esl.listen: ":8080": takes the port of sink.listen (127.0.0.1:8080); give each listener its own port`}},
		"all of it at once":       {"esl: {max_calls: 0}\nzzzz: 1\nlog: {level: loud}", []string{`tapdeck.yaml:1: esl.max_calls: "0": must be 1 to 100000 calls`, `tapdeck.yaml:2: zzzz: unknown key; known here are instance, esl, sink, record, admin, player, drain_timeout, log, plans`, `tapdeck.yaml:3: log.level: "loud": must be debug, info, warn or error`}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse("tapdeck.yaml", []byte(c.file), Options{})
			if diff := cmp.Diff(c.want, messages(err)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if err != nil && strings.Contains(err.Error(), "se cret") {
				t.Error("a secret is shown")
			}
		})
	}
}

func TestGoodFiles(t *testing.T) {
	for name, file := range map[string]string{
		"empty":                     "",
		"comments":                  "# nothing\n\n# at all\n",
		"a document of nothing":     "---\n",
		"one document, marked":      "---\nlog: {level: debug}\n...\n",
		"byte order mark":           "\xef\xbb\xbflog: {level: debug}\n",
		"CR LF":                     "log:\r\n  level: debug\r\n",
		"group of no keys":          "esl: {}\nplans: {}\n",
		"no plans":                  "plans:\n",
		"plans of null":             "plans: ~\n",
		"no-break space in quotes":  "plans: {default: {prompt: 'my\u00a0file.wav'}} #\u00a0a remark",
		"no-break space in remark":  "# a\u00a0\u200bb\nlog: {} # it's\u00a0so\n",
		"quotes within a text":      "plans: {default: {prompt: my “own” file.wav}} # “remark”",
		"quotes in quotes":          "plans: {default: {prompt: '“x”.wav'}}",
		"plan that differs nowhere": "plans: {survey: {}}",
		"digits as a number":        "plans: {default: {finish_on: 5}}",
		"zero needs no unit":        "plans: {default: {silence: 0}}",
		"plan named as a number":    "plans: {123: {listen: 3s}}",
	} {
		t.Run(name, func(t *testing.T) { mustParse(t, file, Options{}) })
	}
}

func TestErrorsCarryTheirParts(t *testing.T) {
	_, err := Parse("f.yaml", []byte("\nlog: {levle: info}"), Options{})
	var e *FieldError
	if !errors.As(err, &e) {
		t.Fatalf("no FieldError: %v", err)
	}
	if e.File != "f.yaml" || e.Line != 2 || e.Field != "log.levle" || e.Nearest != "log.level" {
		t.Errorf("%+v", e)
	}
}

func TestManyErrorsAreCut(t *testing.T) {
	var b strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&b, "key%d: %s\n", i, strings.Repeat("x", 150))
	}
	_, err := Parse("f.yaml", []byte(b.String()), Options{})
	got := messages(err)
	if len(got) != maxErrors+1 || got[maxErrors] != "and 4900 more errors" {
		t.Errorf("%d errors, the last: %s", len(got), got[len(got)-1])
	}
}

func TestLargeFileIsRefused(t *testing.T) {
	_, err := Parse("f.yaml", []byte(strings.Repeat("#", maxFile+1)), Options{})
	if diff := cmp.Diff([]string{"f.yaml: a configuration file has at most 1MiB"}, messages(err)); diff != "" {
		t.Error(diff)
	}
	mustParse(t, strings.Repeat("#", maxFile), Options{})
}

func TestLongValuesAreCut(t *testing.T) {
	_, err := Parse("f.yaml", []byte("log: {level: "+strings.Repeat("ä", 1000)+"}"), Options{})
	if n := len(err.Error()); n > 300 {
		t.Errorf("the error has %d bytes: %s", n, err)
	}
}
