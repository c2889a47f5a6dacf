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
// extension's context, conf/dialplan/CONTEXT/00_NAME.xml. If Validate refuses the
// extension it writes nothing and returns that error, else the error of w.
func Render(w io.Writer, e Extension) error {
	if err := e.Validate(); err != nil {
		return fmt.Errorf("check extension: %w", err)
	}
	if _, err := io.WriteString(w, e.file()); err != nil {
		return fmt.Errorf("write extension: %w", err)
	}
	return nil
}

// The parts of the file: fileHead, the variables, the socket action with its
// comments, fileFallback, the actions of the fallback, fileEnd.
const (
	fileHead = `<!-- tapdeck: calls to %s in the context "%s".

     FreeSWITCH's stock configuration includes the files of conf/dialplan/%[2]s/*.xml
     inside that context, in the order of their names: save this one as
     conf/dialplan/%[2]s/00_tapdeck.xml and type reloadxml in fs_cli. If your
     context has no such folder, paste the extension element into its context element,
     before any extension that takes all numbers. -->
<include>
  <extension name="%[3]s">
    <condition field="destination_number" expression="%[4]s">
`
	aboutSocket = `      <!-- tapdeck answers the call, plays, records and hangs up. async lets audio flow while
           it only listens, full lets it start the stream: without either it refuses the call.`
	aboutPlan = `
           What follows the slash is the plan.`
	aboutHosts = `
           The hosts are tried in this order for every call, until one takes the TCP
           connection. Write a port after each: a host without one gets the port of the host
           before it. A host that doesn't answer at all, not even with a refusal, costs the
           call the connect timeout of the operating system before the next is tried.`
	fileFallback = `      <!-- From here on only for calls that no controller took, or that one gave back (full,
           draining, or the plan's on_stream_failure is dialplan), or whose controller died. A
           call that tapdeck has hung up, or that the caller has, ends above. sched_cancel takes
           away the time limit that a controller which died has left on the call. -->
      <action application="sched_cancel"/>
`
	fileEnd = `    </condition>
  </extension>
</include>
`
)

// file returns the whole file of a valid extension.
func (e Extension) file() string {
	var b strings.Builder
	fmt.Fprintf(&b, fileHead, commentText(e.Number), commentText(e.Context),
		escape(e.Name), escape("^"+regexp.QuoteMeta(e.Number)+"$"))
	for _, name := range slices.Sorted(maps.Keys(e.Variables)) {
		b.WriteString(Action{"set", name + "=" + e.Variables[name]}.element())
	}
	b.WriteString(aboutSocket)
	if e.Plan != "" {
		b.WriteString(aboutPlan)
	}
	if len(e.Hosts) > 1 {
		b.WriteString(aboutHosts)
	}
	b.WriteString(" -->\n" + Action{"socket", socketData(e.Hosts, e.Plan)}.element() + fileFallback)
	fallback := e.Fallback
	if len(fallback) == 0 {
		fallback = DefaultFallback()
	}
	for _, a := range fallback {
		b.WriteString(a.element())
	}
	return b.String() + fileEnd
}

// element returns the action as a line of the file.
func (a Action) element() string {
	if a.Data == "" {
		return fmt.Sprintf("      <action application=%q/>\n", a.Application)
	}
	return fmt.Sprintf("      <action application=\"%s\" data=\"%s\"/>\n", a.Application, escape(a.Data))
}

// socketData returns the argument of the socket action. Nothing in it needs quotes:
// Validate lets through neither blanks nor quotes, bars or backslashes. The host of
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

// escape returns s as it stands in an attribute.
func escape(s string) string { return html.EscapeString(s) }

// commentText returns s without the two dashes that XML forbids in a comment.
func commentText(s string) string {
	for strings.Contains(s, "--") {
		s = strings.ReplaceAll(s, "--", "- -")
	}
	return s
}
