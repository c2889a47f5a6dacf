package flow_test

import (
	"encoding"
	"strings"
	"testing"

	"tapdeck/controller/flow"
)

func TestTextsOfValues(t *testing.T) {
	for _, c := range []struct {
		to   encoding.TextUnmarshaler
		text string
		bad  string // a part of the error; "" is good
	}{
		{new(flow.Level), "auto", ""},
		{new(flow.Level), "-46", ""},
		{new(flow.Level), "-90", ""},
		{new(flow.Level), "-10", ""},
		{new(flow.Level), "-91", "auto or -90 to -10"},
		{new(flow.Level), "-9", "auto or -90 to -10"},
		{new(flow.Level), "40", "auto or -90 to -10"},
		{new(flow.Level), "-40.5", "auto or -90 to -10"},
		{new(flow.Level), "-040", "auto or -90 to -10"},
		{new(flow.Level), "Auto", "auto or -90 to -10"},
		{new(flow.VariableName), "sip_h_X-Account.1", ""},
		{new(flow.VariableName), "", "the name of a channel variable"},
		{new(flow.VariableName), "a b", "the name of a channel variable"},
		{new(flow.VariableName), "a=b", "the name of a channel variable"},
		{new(flow.VariableName), "1a", "the name of a channel variable"},
		{new(flow.VariableName), "Playback_Terminators", "write stop_on"},
		{new(flow.VariableName), "STREAM_BUFFER_SIZE", "write the plan's stream"},
		{new(flow.VariableName), "stream_no_reconnect", "write the plan's stream"},
		{new(flow.VariableName), "send_silence_when_idle", "write the plan's stream"},
		{new(flow.VariableName), "STREAM_TLS_CA_FILE", ""},
		{new(flow.VariableName), "stream_prebuffer", ""},
		{new(flow.VariableName), "tapdeck_listen", "has no effect"},
		{new(flow.VariableValue), `it's; "a" = $x \n`, ""},
		{new(flow.VariableValue), "a${b}", "must not hold ${"},
		{new(flow.VariableValue), `a\\b`, "backslash"},
		{new(flow.VariableValue), `a\'b`, "backslash"},
		{new(flow.TransferWord), "+49*#5@x;y", ""},
		{new(flow.TransferWord), "5000 XML", "one word"},
		{new(flow.TransferWord), "it's", "one word"},
		{new(flow.TransferWord), `a\s`, "one word"},
		{new(flow.TransferWord), "-both", "must not begin with -"},
		{new(flow.Set), "a=b=c", ""},
		{new(flow.Set), "a", "NAME=VALUE"},
		{new(flow.Set), "a=", "NAME=VALUE"},
		{new(flow.Set), "a b=c", "the name of a channel variable"},
		{new(flow.Set), "a=${b}", "must not hold ${"},
	} {
		err := c.to.UnmarshalText([]byte(c.text))
		if (err == nil) != (c.bad == "") || err != nil && !strings.Contains(err.Error(), c.bad) {
			t.Errorf("%T %q: %v, want %q", c.to, c.text, err, c.bad)
		}
	}
}

func TestLevelAsText(t *testing.T) {
	for level, want := range map[flow.Level]string{{}: "-40", {DBFS: -46}: "-46", {Auto: true}: "auto"} {
		if got := level.String(); got != want {
			t.Errorf("%+v = %q, want %q", level, got, want)
		}
	}
}

func TestDigits(t *testing.T) {
	press := func(d *flow.Digits, keys string) {
		for _, key := range keys {
			d.Press(flow.Digit{Digit: string(key)})
		}
	}
	d := &flow.Digits{}
	press(d, "1#2")
	if early := d.Begin("#*"); len(early) != 1 || early[0].Digit != "#" || d.Find("#") || d.Count() != 0 {
		t.Errorf("early %v, find %v", early, d.Find("#"))
	}
	press(d, "3*")
	if d.Find("12") || d.Find("") || d.Count() != 2 || !d.Find("#*") {
		t.Errorf("%d count", d.Count())
	}
	d.End()
	if early := d.Begin("*"); len(early) != 0 {
		t.Errorf("early %v of the listening time before", early)
	}

	d = &flow.Digits{Typeahead: true}
	press(d, "1#")
	if early := d.Begin("#"); len(early) != 0 || d.Count() != 2 || !d.Find("#") {
		t.Errorf("early %v, count %d", early, d.Count())
	}
	d.End()
	if d.Begin("#"); d.Find("#") {
		t.Error("a digit counts twice")
	}
	d.End()

	press(d, "1#2#3")
	for _, want := range []bool{true, true, false, false} {
		if d.Begin("#"); d.Find("#") != want {
			t.Errorf("%d unused digits: want one that ends the listening time: %v", d.Count(), want)
		}
		d.End()
	}
	press(d, "5#")
	d.Use("#")
	d.Use("#")
	if d.Begin("#"); d.Find("#") || d.Count() != 1 {
		t.Error("a digit that has ended a prompt ends the listening time, too")
	}
	d.End()

	d = &flow.Digits{}
	press(d, strings.Repeat("5", flow.MaxDigits+7))
	if len(d.All) != flow.MaxDigits || d.Dropped != 7 {
		t.Errorf("%d digits, %d dropped", len(d.All), d.Dropped)
	}
	if press(d, "#"); !d.Find("#") {
		t.Error("a digit that is not kept has no effect")
	}
}
