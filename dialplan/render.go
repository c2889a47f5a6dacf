package dialplan

import (
	"fmt"
	"html"
	"io"
	"maps"
	"net"
	"regexp"
	"slices"
	"strings"
)

// Render writes the extension as a file that FreeSWITCH includes inside the
// extension's context, conf/dialplan/CONTEXT/00_NAME.xml. If a value is one that
// FreeSWITCH would refuse or misread it writes nothing; the error then joins one for
// each such value, with field, value and rule. Else it is the error of w.
//
// A call that no controller accepts, or that one gives back, is hung up such that the
// caller's side tries again later (SIP 503), and a carrier can take another route.
func Render(w io.Writer, e Extension) error {
	if err := e.validate(); err != nil {
		return fmt.Errorf("check extension: %w", err)
	}
	if _, err := io.WriteString(w, e.file()); err != nil {
		return fmt.Errorf("write extension: %w", err)
	}
	return nil
}

// file is what Render writes: of number and context for a comment, name, expression,
// variables, more about the socket action, and that action's data.
const (
	file = `<!-- tapdeck: calls to %s in the context "%s".

     FreeSWITCH's stock configuration includes the files of conf/dialplan/%[2]s/*.xml
     inside that context, in the order of their names: save this one as
     conf/dialplan/%[2]s/00_tapdeck.xml and type reloadxml in fs_cli. If your
     context has no such folder, paste the extension element into its context element,
     before any extension that matches all numbers. -->
<include>
  <extension name="%[3]s">
    <condition field="destination_number" expression="^%[4]s$">
%[5]s      <!-- tapdeck follows the call's plan: most often it answers, plays, records and hangs up.
           async lets audio flow while it only listens, full lets it give API commands: without
           either it refuses the call.%[6]s -->
      <action application="socket" data="%[7]s"/>
      <!-- From here on only for calls that no controller accepted, or that one gave back (full,
           draining, or the plan's on_stream_failure is dialplan), or whose controller died. A
           call that tapdeck has hung up or transferred, or that the caller has hung up, ends
           above. sched_cancel removes the time limit that a controller which died has left on
           the call, and only that one: without a group it would remove your own sched_hangup,
           too. -->
      <action application="sched_cancel" data="tapdeck-${uuid}"/>
      <action application="log" data="WARNING tapdeck did not take call ${uuid} to ${destination_number}, or gave it back"/>
      <action application="hangup" data="NORMAL_TEMPORARY_FAILURE"/>
    </condition>
  </extension>
</include>
`
	variable = `      <action application="set" data="%s=%s"/>
`
	aboutPlan = `
           What follows the slash is the plan.`
	aboutHosts = `
           The hosts are tried in this order for every call, until one accepts the TCP
           connection. Write a port after each: a host without one gets the port of the host
           before it. A host that doesn't answer at all, not even with a refusal, costs the
           call the connect timeout of the operating system before the next is tried.`
)

// file returns the whole file of a valid extension.
func (e Extension) file() string {
	variables, about := "", ""
	for _, name := range slices.Sorted(maps.Keys(e.Variables)) {
		variables += fmt.Sprintf(variable, name, html.EscapeString(e.Variables[name]))
	}
	if e.Plan != "" {
		about += aboutPlan
	}
	if len(e.Hosts) > 1 {
		about += aboutHosts
	}
	return fmt.Sprintf(file, commentText(e.Number), commentText(e.Context), html.EscapeString(e.Name),
		regexp.QuoteMeta(e.Number), variables, about, socketData(e.Hosts, e.Plan))
}

// socketData returns the argument of the socket action. Nothing in it needs quotes:
// Render lets through neither blanks nor quotes, bars or backslashes. The host of
// an address that names no machine, such as 0.0.0.0, is left to the reader.
func socketData(hosts []string, plan string) string {
	var list []string
	for _, h := range hosts {
		host, err := socketHost(h)
		if err != nil {
			_, port, _ := net.SplitHostPort(h)
			host = "HOST:" + port
		}
		if plan != "" {
			host += "/" + plan
		}
		list = append(list, host)
	}
	return strings.Join(list, "|") + " async full"
}

// commentText returns s without the two dashes that XML forbids in a comment; the first
// pass leaves pairs if there are three or more in a row.
func commentText(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "--", "- -"), "--", "- -")
}
