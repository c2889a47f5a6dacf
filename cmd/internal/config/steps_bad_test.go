package config

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Every way to write a step wrong, with the whole of what is said about it.
func TestBadSteps(t *testing.T) {
	var words []string
	for _, s := range stepTypes() {
		words = append(words, s.Name())
	}
	known := strings.Join(words, ", ")
	for _, c := range []struct {
		steps string
		want  []string
	}{
		{`- answr`, []string{`f:4: plans.x.steps[0]: "answr": no such step; the nearest known is answer`}},
		{"- answr\n- listen: 1s", []string{`f:4: plans.x.steps[0]: "answr": no such step; the nearest known is answer`}}, // and no order is told
		{`- xyzzyx`, []string{`f:4: plans.x.steps[0]: "xyzzyx": no such step; known are ` + known}},
		{`- play greeting.wav`, []string{`f:4: plans.x.steps[0]: "play greeting.wav": no such step; a value stands behind a colon and a blank: play: greeting.wav`}},
		{`- Play: a.wav`, []string{`f:4: plans.x.steps[0].Play: no such step; the nearest known is play`}},
		{`- play:greeting.wav`, []string{`f:4: plans.x.steps[0]: "play:greeting.wav": no such step; a value stands behind a colon and a blank: play: greeting.wav`}},
		{`- transcribe: {url: wss://d}`, []string{`f:4: plans.x.steps[0].transcribe: no such step; transcribe is a key of the plan, beside steps`}},
		{`- stream now`, []string{`f:4: plans.x.steps[0]: "stream now": no such step; a value stands behind a colon and a blank: stream: now`}},
		{`- answer now`, []string{`f:4: plans.x.steps[0]: "answer now": no such step; write answer`}},
		{`- pause:500ms`, []string{`f:4: plans.x.steps[0]: "pause:500ms": no such step; a value stands behind a colon and a blank: pause: 500ms`}},
		{`- plya: x`, []string{`f:4: plans.x.steps[0].plya: no such step; the nearest known is play`}},
		{`- on`, []string{`f:4: plans.x.steps[0]: "on": no such step; known are ` + known}},
		{`- 5`, []string{`f:4: plans.x.steps[0]: "5": no such step; known are ` + known}},
		{`- true`, []string{`f:4: plans.x.steps[0]: "true": no such step; known are ` + known}},
		{`- dial: {url: wss://x}`, []string{`f:4: plans.x.steps[0].dial: no such step; known are ` + known}},
		{`- listenn`, []string{`f:4: plans.x.steps[0]: "listenn": no such step; the nearest known is listen`}},
		{`- wait: 3s`, []string{`f:4: plans.x.steps[0].wait: no such step; known are ` + known}},
		{`- answer: 3`, []string{`f:4: plans.x.steps[0].answer: "3": takes no value; write answer`}},
		{`- answer: `, []string{`f:4: plans.x.steps[0].answer: takes no value; write answer without a colon`}},
		{`- answer: {}`, []string{`f:4: plans.x.steps[0].answer: takes no value; write answer`}},
		{`- hangup:`, []string{`f:4: plans.x.steps[0].hangup: has no value behind the colon; write hangup, or a value`}},
		{`- pause`, []string{`f:4: plans.x.steps[0].pause: needs a value; write pause: 500ms`}},
		{`- play`, []string{`f:4: plans.x.steps[0].play: needs a value; write play: greeting.wav`, `f:4: plans.x.steps[0].play: must come after answer; write the step answer before it`}},
		{`- listen`, []string{`f:4: plans.x.steps[0].listen: needs a value; write listen: 15s`, `f:4: plans.x.steps[0].listen: must come after answer; write the step answer before it`}},
		{`- transfer`, []string{`f:4: plans.x.steps[0].transfer: needs a value; write transfer: 5000`}},
		{`- set`, []string{`f:4: plans.x.steps[0].set: needs a value; must be NAME=VALUE, or {name: …, value: …}`}},
		{`- tone`, []string{`f:4: plans.x.steps[0].tone: needs a value; write tone: 500ms`, `f:4: plans.x.steps[0].tone: must come after answer; write the step answer before it`}},
		{`- pause:`, []string{`f:4: plans.x.steps[0].pause: needs a value; write pause: 500ms`}},
		{`- play:`, []string{`f:4: plans.x.steps[0].play: needs a value; write play: greeting.wav`, `f:4: plans.x.steps[0].play: must come after answer; write the step answer before it`}},
		{`- tone: {}`, []string{`f:4: plans.x.steps[0].tone.duration: is missing; such as 500ms`, `f:4: plans.x.steps[0].tone: must come after answer; write the step answer before it`}},
		{`- tone: {frequency: 800}`, []string{`f:4: plans.x.steps[0].tone.duration: is missing; such as 500ms`, `f:4: plans.x.steps[0].tone: must come after answer; write the step answer before it`}},
		{`- pause: 500`, []string{`f:4: plans.x.steps[0].pause: "500": a duration needs a unit; write 500s or 500ms`}},
		{`- pause: 7200`, []string{`f:4: plans.x.steps[0].pause: "7200": a duration needs a unit; write 7200ms`}},
		{`- pause: 90000000`, []string{`f:4: plans.x.steps[0].pause: "90000000": a duration needs a unit, and must be 0s to 1h; such as 500ms`}},
		{`- pause: 5s5`, []string{`f:4: plans.x.steps[0].pause: "5s5": a duration is a number and a unit; such as 500ms, 15s, 2m or 1h30m`}},
		{"- answer\n- listen: 90000", []string{`f:5: plans.x.steps[1].listen: "90000": a duration needs a unit; write 90000ms`}},
		{`- pause: 2h`, []string{`f:4: plans.x.steps[0].pause: "2h": must be 0s to 1h; such as 500ms`}},
		{`- pause: -1s`, []string{`f:4: plans.x.steps[0].pause: "-1s": a duration can't be negative; such as 10s`}},
		{`- pause: [1s]`, []string{`f:4: plans.x.steps[0].pause: must be one value (0s to 1h), not a list`}},
		{`- pause: {for: 1s, fro: 2s}`, []string{`f:4: plans.x.steps[0].pause.fro: unknown key; the nearest known is plans.x.steps[0].pause.for`}},
		{`- pause: {while: 1s}`, []string{`f:4: plans.x.steps[0].pause.while: unknown key; known here are for`, `f:4: plans.x.steps[0].pause.for: is missing; such as 500ms`}},
		{`- tone: 800`, []string{`f:4: plans.x.steps[0].tone: "800": a duration needs a unit; write 800ms`, `f:4: plans.x.steps[0].tone: must come after answer; write the step answer before it`}},
		{`- tone: {frequency: 5, duration: 1s}`, []string{`f:4: plans.x.steps[0].tone.frequency: "5": must be 20 to 3400 Hz`, `f:4: plans.x.steps[0].tone: must come after answer; write the step answer before it`}},
		{"- answer\n- play: \"\"", []string{`f:5: plans.x.steps[1].play: "": must not be empty; such as greeting.wav`}},
		{"- answer\n- play: []", []string{`f:5: plans.x.steps[1].play: must not be empty; such as greeting.wav`}},
		{"- answer\n- play: [a.wav, [b.wav]]", []string{`f:5: plans.x.steps[1].play[1]: must be one value (a file), not a list`}},
		{"- answer\n- play: [a.wav, {file: b.wav}]", []string{`f:5: plans.x.steps[1].play[1]: must be one value (a file), not a group of keys`}},
		{"- answer\n- play: [a.wav, \"\"]", []string{`f:5: plans.x.steps[1].play[1]: "": must not be empty; such as greeting.wav`}},
		{"- answer\n- play: {file: {a: b}}", []string{`f:5: plans.x.steps[1].play.file: must be one value (a file) or a list; such as greeting.wav`}},
		{"- answer\n- play: {stop_on: \"#\"}", []string{`f:5: plans.x.steps[1].play.file: is missing; such as greeting.wav`}},
		{"- answer\n- play: {file: a.wav, stop_on: 12x}", []string{`f:5: plans.x.steps[1].play.stop_on: "12x": must be DTMF digits, of 0-9 A-D * #, each at most once and with nothing between them: any one of them is enough`}},
		{"- answer\n- play: {file: a.wav, stop_on: *#}", []string{`f:5: not YAML: did not find expected alphabetic or numeric character; a value that begins with * or & stands in quotes: "*"`}},
		{"- answer\n- play: {file: a.wav, stop_on: *1}", []string{`f:5: not YAML: unknown anchor '1' referenced; a value that begins with * or & stands in quotes: "*"`}},
		{"- answer\n- listen: {for: 1s, finish_on: #}", []string{`f:5: not YAML: did not find expected node content; # begins a comment: a value that begins with # stands in quotes: "#"`}},
		{"- answer\n- play: 5", []string{`f:5: plans.x.steps[1].play: "5": a text is needed, and YAML takes this for a number, a truth value or a date; write it in quotes`}},
		{"- answer\n- play: ${x}.wav", []string{`f:5: plans.x.steps[1].play: "${x}.wav": must not hold ${ or begin with { or [: FreeSWITCH would expand it and run what stands in it, or take it for parameters; write the file's name itself`}},
		{"- answer\n- play: {loops=2}a.wav", []string{`f:4: not YAML: did not find expected key`}},
		{"- answer\n- play: '{loops=2}a.wav'", []string{`f:5: plans.x.steps[1].play: "{loops=2}a.wav": must not hold ${ or begin with { or [: FreeSWITCH would expand it and run what stands in it, or take it for parameters; write the file's name itself`}},
		{"- answer\n- play: {file: [a.wav], file: b.wav}", []string{`f:5: plans.x.steps[1].play.file: the key is given twice, first in line 5`}},
		{`- [answer, hangup]`, []string{`f:4: plans.x.steps[0]: must be a step, not a list; write each step with a - of its own, and all of them in one list`}},
		{`- {answer: , hangup: }`, []string{`f:4: plans.x.steps[0]: must be one step, and has the keys "answer" and "hangup"; write each step with a - of its own`}},
		{`- {}`, []string{`f:4: plans.x.steps[0]: must be a step, not an empty group of keys; write a step, such as answer`}},
		{`- `, []string{`f:4: plans.x.steps[0]: is empty; write a step, such as answer, or remove the -`}},
		{`- ~`, []string{`f:4: plans.x.steps[0]: is empty; write a step, such as answer, or remove the -`}},
		{"- answer\n- listen: 15s\n  finish_on: 5", []string{`f:5: plans.x.steps[1]: must be one step, and has the keys "listen" and "finish_on"; the values of listen stand below it, further to the right, or in braces: listen: {for: …, finish_on: …}`}},
		{"- answer\n- listen:\n  for: 15s", []string{`f:5: plans.x.steps[1]: must be one step, and has the keys "listen" and "for"; the values of listen stand below it, further to the right, or in braces: listen: {for: …}`}},
		{"- pause: 1s\n  hangup: USER_BUSY", []string{`f:4: plans.x.steps[0]: must be one step, and has the keys "pause" and "hangup"; write each step with a - of its own`}},
		{`- - answer`, []string{`f:4: plans.x.steps[0]: must be a step, not a list; write each step with a - of its own, and all of them in one list`}},
		{`- hangup: NO`, []string{`f:4: plans.x.steps[0].hangup: "NO": must be one of the hangup causes of FreeSWITCH that a plan may give; such as NORMAL_CLEARING, USER_BUSY or CALL_REJECTED`}},
		{`- hangup: user_busy`, []string{`f:4: plans.x.steps[0].hangup: "user_busy": must be one of the hangup causes of FreeSWITCH that a plan may give; the nearest known is USER_BUSY`}},
		{`- hangup: BUSY`, []string{`f:4: plans.x.steps[0].hangup: "BUSY": must be one of the hangup causes of FreeSWITCH that a plan may give; the nearest known is USER_BUSY`}},
		{`- hangup: busy`, []string{`f:4: plans.x.steps[0].hangup: "busy": must be one of the hangup causes of FreeSWITCH that a plan may give; the nearest known is USER_BUSY`}},
		{`- hangup: ANSWER`, []string{`f:4: plans.x.steps[0].hangup: "ANSWER": must be one of the hangup causes of FreeSWITCH that a plan may give; the nearest known is NO_ANSWER`}},
		{`- hangup: ROUTE`, []string{`f:4: plans.x.steps[0].hangup: "ROUTE": must be one of the hangup causes of FreeSWITCH that a plan may give; the nearest known is NO_ROUTE_TRANSIT_NET`}},
		{`- hangup: NORMAL`, []string{`f:4: plans.x.steps[0].hangup: "NORMAL": must be one of the hangup causes of FreeSWITCH that a plan may give; the nearest known is NORMAL_CLEARING`}},
		{`- hangup: NORMAL_CLEAR`, []string{`f:4: plans.x.steps[0].hangup: "NORMAL_CLEAR": must be one of the hangup causes of FreeSWITCH that a plan may give; the nearest known is NORMAL_CLEARING`}},
		{`- hangup: 17`, []string{`f:4: plans.x.steps[0].hangup: "17": must be one of the hangup causes of FreeSWITCH that a plan may give; such as NORMAL_CLEARING, USER_BUSY or CALL_REJECTED`}},
		{`- hangup: USR_BUSY`, []string{`f:4: plans.x.steps[0].hangup: "USR_BUSY": must be one of the hangup causes of FreeSWITCH that a plan may give; the nearest known is USER_BUSY`}},
		{`- hangup: ""`, []string{`f:4: plans.x.steps[0].hangup: "": must be one of the hangup causes of FreeSWITCH that a plan may give; such as NORMAL_CLEARING, USER_BUSY or CALL_REJECTED`}},
		{`- transfer: 1e3`, []string{`f:4: plans.x.steps[0].transfer: "1e3": a text is needed, and YAML takes this for a number, a truth value or a date; write it in quotes`}},
		{`- transfer: a b`, []string{`f:4: plans.x.steps[0].transfer: "a b": must be one word without blanks, quotes, backslashes and ${: dialplan and context are values of their own; such as 5000`}},
		{`- transfer: -all`, []string{`f:4: plans.x.steps[0].transfer: "-all": must not begin with - or ^^, which FreeSWITCH takes for an option; such as 5000`}},
		{`- transfer: ""`, []string{`f:4: plans.x.steps[0].transfer: "": must not be empty; such as 5000`}},
		{`- transfer: {context: x}`, []string{`f:4: plans.x.steps[0].transfer.number: is missing; such as 5000`}},
		{`- transfer: ${x}`, []string{`f:4: plans.x.steps[0].transfer: "${x}": must be one word without blanks, quotes, backslashes and ${: dialplan and context are values of their own; such as 5000`}},
		{`- set: a`, []string{`f:4: plans.x.steps[0].set: "a": must be NAME=VALUE, or {name: …, value: …}`}},
		{`- set: 5`, []string{`f:4: plans.x.steps[0].set: "5": must be NAME=VALUE, or {name: …, value: …}`}},
		{`- set: a=`, []string{`f:4: plans.x.steps[0].set: "a=": must be NAME=VALUE, or {name: …, value: …}`}},
		{`- set: 1a=b`, []string{`f:4: plans.x.steps[0].set: "1a=b": must be the name of a channel variable: letters, digits, _ . and -, and no digit at its begin`}},
		{`- set: playback_terminators=none`, []string{`f:4: plans.x.steps[0].set: "playback_terminators=none": is set by tapdeck itself: write stop_on in the step play`}},
		{`- set: tapdeck_listen=3s`, []string{`f:4: plans.x.steps[0].set: "tapdeck_listen=3s": has no effect any more: tapdeck reads its variables when the call comes`}},
		{`- set: a=${b}`, []string{`f:4: plans.x.steps[0].set: "a=${b}": must not hold ${: FreeSWITCH would expand it and run what stands in it`}},
		{`- set: {name: a}`, []string{`f:4: plans.x.steps[0].set.value: is missing; such as VALUE`}},
		{`- set: {name: a, value: ''}`, []string{`f:4: plans.x.steps[0].set.value: "": must not be empty; such as VALUE`}},
		{`- set: {name: a, value: true}`, []string{`f:4: plans.x.steps[0].set.value: "true": a text is needed, and YAML takes this for a number, a truth value or a date; write it in quotes`}},
		{`- set: [a=b]`, []string{`f:4: plans.x.steps[0].set: must be one value (a text), not a list`}},
		{"- set: a=b\n- set: nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn=x", []string{`f:5: plans.x.steps[1].set.name: "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn…": must be at most 100 bytes long`}},
		{`- true: 1s`, []string{`f:4: plans.x.steps[0].true: no such step; known are ` + known}},
		{"- answer\n- stream: {mix: stereo}", []string{`f:5: plans.x.steps[1].stream.mix: unknown key; mix is of the plan's own key stream, beside steps: stream: {mix: …}`}},
		{"- answer\n- stream: {action: start, sample_rate: 16000}", []string{`f:5: plans.x.steps[1].stream.sample_rate: unknown key; sample_rate is of the plan's own key stream, beside steps: stream: {sample_rate: …}`}},
		{"- answer\n- stream:\n  mix: stereo", []string{`f:5: plans.x.steps[1]: must be one step, and has the keys "stream" and "mix"; mix is of the plan's own key stream, beside steps: stream: {mix: …}`}},
		{"- answer\n- tone: 1s\n  frequency: 400", []string{`f:5: plans.x.steps[1]: must be one step, and has the keys "tone" and "frequency"; the values of tone stand below it, further to the right, or in braces: tone: {duration: …, frequency: …}`}},
		{"- answer\n- stream: on", []string{`f:5: plans.x.steps[1].stream: "on": must be start or stop`}},
		{"- answer\n- stream: strat", []string{`f:5: plans.x.steps[1].stream: "strat": must be start or stop; the nearest known is start`}},
		{"- answer\n- stream: \"\"", []string{`f:5: plans.x.steps[1].stream: "": must be start or stop`}},
		{"- answer\n- stream\n- stream", []string{`f:6: plans.x.steps[2].stream: a stream runs already; remove it, or write stream: stop before it`}},
		{"- answer\n- stream: stop", []string{`f:5: plans.x.steps[1].stream: there is no stream to stop; write the step stream before it, or remove it`}},
		{"- answer\n- stream: {}\n- stream: stop\n- stream: stop", []string{`f:7: plans.x.steps[3].stream: there is no stream to stop; write the step stream before it, or remove it`}},
		{"- listen: 15s\n- play: a.wav\n- answer", []string{`f:4: plans.x.steps[0].listen: must come after answer; write the step answer before it`}},
		{"- answer\n- answer", []string{`f:5: plans.x.steps[1].answer: the call is answered already; remove it`}},
		{"- hangup\n- answer\n- pause: 1s", []string{`f:5: plans.x.steps[1].answer: nothing can follow hangup, which ends the plan; remove it, or move it before that`}},
		{"- transfer: 5000\n- hangup", []string{`f:5: plans.x.steps[1].hangup: nothing can follow transfer, which ends the plan; remove it, or move it before that`}},
		{"- answer\n- listen: {for: 9s, silence: 1s}", []string{`f:5: plans.x.steps[1].listen: silence needs a stream; write the step stream before it`}},
		{"- answer\n- listen: {for: 9s, no_input: 1s}", []string{`f:5: plans.x.steps[1].listen: no_input needs a stream; write the step stream before it`}},
		{"- answer\n- listen: {for: 9s, silence_level: -5}", []string{`f:5: plans.x.steps[1].listen.silence_level: "-5": must be auto or -90 to -10: a level in dB of full scale, -40 by default`}},
		{"- &a answer\n- *a", []string{`f:4: plans.x.steps[0]: "answer": anchors and aliases (& and *) are not read; write the value out`, `f:5: plans.x.steps[1]: anchors and aliases (& and *) are not read; write the value out`}},
		{"- answer\n- pause: !!str 1s", []string{`f:5: plans.x.steps[1].pause: "1s": YAML tags (!) are not read; write the value without !!str`}},
		{"- answer\u00a0", []string{`f:4: plans.x.steps[0]: "answer\u00a0": must hold plain blanks only; in column 13 stands a no-break space (U+00A0): write a plain blank or none, or put the value in quotes`}},
		{"- pause:\u00a01s", []string{`f:4: plans.x.steps[0]: "pause:\u00a01s": must hold plain blanks only; in column 13 stands a no-break space (U+00A0): write a plain blank or none, or put the value in quotes`}},
		{"-\u00a0answer", []string{`f:4: not YAML: could not find expected ':'; in column 6 stands a no-break space (U+00A0): write a plain blank or none, or put the value in quotes`}},
		{"\t- answer", []string{`f:4: not YAML: found character that cannot start any token; indent with blanks: YAML takes no tabs`}},
		{`- play: “a.wav”`, []string{`f:4: plans.x.steps[0].play: "“a.wav”": must stand in plain quotes; in column 13 stands a typographic quote (U+201C): write " instead`, `f:4: plans.x.steps[0].play: must come after answer; write the step answer before it`}},
		{`- answer: *x`, []string{`f:4: not YAML: unknown anchor 'x' referenced; a value that begins with * or & stands in quotes: "*"`}},
		{"- ? [a]\n  : b", []string{`f:4: plans.x.steps[0]: a key must be a plain word`}},
		{`- "": 1`, []string{`f:4: plans.x.steps[0]: a key must be a plain word`}},
		{`- ""`, []string{`f:4: plans.x.steps[0]: "": no such step; known are ` + known}},
		{`- <<: {a: b}`, []string{`f:4: plans.x.steps[0]: merge keys (<<) are not read; a plan has what plan default states; write out what differs`}},
		{"- answer # x\n- pause: 1s # y\n- listn: 3s", []string{`f:6: plans.x.steps[2].listn: no such step; the nearest known is listen`}},
	} {
		t.Run(c.steps, func(t *testing.T) {
			checkBad(t, "plans:\n  x:\n    steps:\n    "+strings.ReplaceAll(c.steps, "\n", "\n    "), c.want)
		})
	}
}

// And what is no list of steps.
func TestNoListOfSteps(t *testing.T) {
	for _, c := range []struct {
		steps string
		want  []string
	}{
		{`[]`, []string{`f:3: plans.x.steps: must not be empty; write the steps, such as [answer, {play: greeting.wav}, hangup]`}},
		{`{}`, []string{`f:3: plans.x.steps: must be a list of steps, each with a - of its own; such as [answer, {play: greeting.wav}, hangup]`}},
		{`answer`, []string{`f:3: plans.x.steps: "answer": must be a list of steps, each with a - of its own; such as [answer, {play: greeting.wav}, hangup]`}},
		{`~`, []string{`f:3: plans.x.steps: has no value; write one, or remove the key to have the default; the empty text is "", and # begins a comment`}},
		{`{answer: , pause: 1s}`, []string{`f:3: plans.x.steps: must be a list of steps, each with a - of its own; such as [answer, {play: greeting.wav}, hangup]`}},
		{"\n      answer:\n      pause: 1s", []string{`f:4: plans.x.steps: must be a list of steps, each with a - of its own; such as [answer, {play: greeting.wav}, hangup]`}},
		{"\n      - answer:\n       hangup: x", []string{`f:3: not YAML: did not find expected '-' indicator`}},
		{`5`, []string{`f:3: plans.x.steps: "5": must be a list of steps, each with a - of its own; such as [answer, {play: greeting.wav}, hangup]`}},
	} {
		t.Run(c.steps, func(t *testing.T) { checkBad(t, "plans:\n  x:\n    steps: "+c.steps, c.want) })
	}
}

func checkBad(t *testing.T, file string, want []string) {
	t.Helper()
	_, err := Parse("f", []byte(file+"\n"), Options{})
	if diff := cmp.Diff(want, messages(err)); diff != "" {
		t.Errorf("%s\n(-want +got):\n%s", file, diff)
	}
}

// Too many steps are one error, however many they are.
func TestTooManySteps(t *testing.T) {
	for n, of := range map[int]string{101: "101", 1000: "1000", 100_000: "100000"} {
		for _, step := range []string{"answer, ", "answr, ", "[a], "} {
			checkBad(t, "plans:\n  x: {steps: ["+strings.Repeat(step, n)+"]}", []string{
				`f:2: plans.x.steps: has ` + of + ` steps, and a plan has at most 100; transfer the call to an extension with another plan for the rest`,
			})
		}
	}
	mustParse(t, "plans:\n  x:\n    steps:\n"+strings.Repeat("    - pause: 1s\n", 100), Options{})
}
