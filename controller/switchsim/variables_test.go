package switchsim

import (
	"testing"
)

// unset is what getvar answers for a variable that is not set.
const unset = "-ERR command not found"

// Which values set, uuid_setvar and uuid_setvar_multi bring to the channel unchanged (F117).
func TestValuesOfVariables(t *testing.T) {
	t.Parallel()
	_, c := answered(t, New(Config{Speed: 20}), CallSpec{Caller: "501"})
	for _, tc := range []struct{ value, set, one, multi string }{
		{"plain", "plain", "plain", "plain"},
		{"a  b", "a  b", "a  b", "a  b"},
		{"  lead", "  lead", "lead", "  lead"},
		{"trail  ", "trail  ", "trail", "trail"},
		{`"dq" a"b`, `"dq" a"b`, `"dq" a"b`, `"dq" a"b`},
		{"'sq'", "'sq'", "sq", "sq"},
		{"it's", "it's", "it's", "it's"},
		{"it's Tom's", "it's Tom's", "its Toms", "its Toms"},
		{"'a;b'", "'a;b'", "a;b", "a;b"},
		{"a;b", "a;b", "a;b", "a"},
		{`a\;b`, `a\;b`, `a\;b`, "a;b"},
		{"a,b=c|d:e", "a,b=c|d:e", "a,b=c|d:e", "a,b=c|d:e"},
		{`back\slash`, `back\slash`, "back lash", "back lash"},
		{`a\\b`, `a\b`, `a\b`, `a\b`},
		{`a\'b`, "ab", "a'b", "a'b"},
		{`\"`, `\"`, `"`, `"`},
		{`c:\dir\file`, `c:\dir\file`, `c:\dir\file`, `c:\dir\file`},
		{`end\`, `end\`, `end\`, "end;after=ok"},
		{"100%", "100%", "100%", "100%"},
		{"^^:a:b", "^^:a:b", "^^:a:b", "^^:a:b"},
		{"größe ∞", "größe ∞", "größe ∞", "größe ∞"},
		{"$x a$b $", "$x a$b $", "$x a$b $", "$x a$b $"},
		{`\$x`, `\$x`, `\$x`, `\$x`},
		{"_undef_", "_undef_", "_undef_", "_undef_"},
		{"${caller_number}x", "501x", "${caller_number}x", "former"},
		{"$${caller_number}", "501", "$${caller_number}", "former"},
		{"${nosuch}", unset, "${nosuch}", "former"},
		{"a${", "a", "a${", "former"},
		{"", unset, unset, unset},
	} {
		c.api("uuid_setvar "+callID+" caller_number 501", "+OK\n")
		c.execute("set", "s="+tc.value, "s")
		c.until("CHANNEL_EXECUTE_COMPLETE set _none_")
		c.api("uuid_setvar "+callID+" o "+tc.value, "+OK\n")
		c.api("uuid_setvar_multi "+callID+" m=former;after=", "+OK\n")
		c.api("uuid_setvar_multi "+callID+" m="+tc.value+";after=ok", "+OK\n")
		for name, want := range map[string]string{"s": tc.set, "o": tc.one, "m": tc.multi} {
			if got := c.command("getvar " + name).outer.Get("Reply-Text"); got != want {
				t.Errorf("%s of %q: %q, want %q", name, tc.value, got, want)
			}
		}
	}
	c.api("uuid_setvar_multi "+callID+" m", "+OK\n")
	c.api("uuid_setvar_multi "+callID+" =1", "-ERR No variable specified\n"+setVarMultiUsage)
	c.api("uuid_setvar_multi nosuch a=b", "-ERR No such channel!\n"+setVarMultiUsage)
	c.api("uuid_setvar nosuch a b", "-ERR No such channel!\n")
}

// A plain event does not encode a % that seems to be encoded already (F123).
func TestPercentInAPlainEvent(t *testing.T) {
	t.Parallel()
	_, c := answered(t, New(Config{Speed: 20}), CallSpec{})
	for value, want := range map[string]string{"a%20b": "a b", "100%41": "100A", "100%": "100%", "%4g": "%4g", "%4a": "%4a"} {
		c.execute("set", "v="+value, "1")
		if got := c.until("CHANNEL_EXECUTE_COMPLETE set _none_").headers["variable_v"]; got != want {
			t.Errorf("%q in an event is %q, want %q", value, got, want)
		}
		c.wants("getvar v", value)
	}
}
