package dialplan

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Render writes the extension as a file that FreeSWITCH includes inside the
// extension's context, conf/dialplan/CONTEXT/00_NAME.xml. It writes nothing when
// Validate objects, and returns what Validate says or the error of w.
func Render(w io.Writer, e Extension) error {
	if err := e.Validate(); err != nil {
		return fmt.Errorf("check extension: %w", err)
	}
	var p printer
	p.enc = xml.NewEncoder(&p.buf)
	p.file(e)
	if p.err == nil {
		p.err = p.enc.Close()
	}
	if p.err != nil {
		return fmt.Errorf("encode extension: %w", p.err)
	}
	// encoding/xml has no empty elements; in attributes it writes > as &gt;, so
	// that this is found at the end of an action only.
	if _, err := w.Write(bytes.ReplaceAll(p.buf.Bytes(), []byte("></action>"), []byte("/>"))); err != nil {
		return fmt.Errorf("write extension: %w", err)
	}
	return nil
}

// socketData returns the argument of the socket action. Nothing in it needs quotes:
// Validate lets through neither blanks nor quotes, bars or backslashes.
func (e Extension) socketData() string {
	var hosts []string
	for _, h := range e.Hosts {
		host, _ := socketHost(h) // validated
		if e.Plan != "" {
			host += "/" + e.Plan
		}
		hosts = append(hosts, host)
	}
	return strings.Join(hosts, "|") + " async full"
}

// file writes the whole file.
func (p *printer) file(e Extension) {
	p.comment(aboutFile(e))
	p.open("include")
	p.open("extension", "name", e.Name)
	p.open("condition", "field", "destination_number", "expression", "^"+regexp.QuoteMeta(e.Number)+"$")
	for _, name := range slices.Sorted(maps.Keys(e.Variables)) {
		p.action(Action{"set", name + "=" + e.Variables[name]})
	}
	p.comment(aboutSocket(e))
	p.action(Action{"socket", e.socketData()})
	p.comment(aboutFallback)
	p.action(Action{"sched_cancel", ""})
	fallback := e.Fallback
	if len(fallback) == 0 {
		fallback = DefaultFallback()
	}
	for _, a := range fallback {
		p.action(a)
	}
	p.close("condition")
	p.close("extension")
	p.close("include")
}

func aboutFile(e Extension) string {
	return fmt.Sprintf(`tapdeck: calls to %s in the context "%s".

FreeSWITCH's stock configuration includes the files of conf/dialplan/%[2]s/*.xml
inside that context, in the order of their names: save this one as
conf/dialplan/%[2]s/00_tapdeck.xml and type reloadxml in fs_cli. If your
context has no such folder, paste the extension element into its context element,
before any extension that takes all numbers.`, e.Number, e.Context)
}

func aboutSocket(e Extension) string {
	s := `tapdeck answers the call, plays, records and hangs up. async lets audio flow while
it only listens, full lets it start the stream: without either it refuses the call.`
	if e.Plan != "" {
		s += "\nWhat follows the slash is the plan."
	}
	if len(e.Hosts) > 1 {
		s += `
The hosts are tried in this order for every call, until one takes the TCP
connection. Write a port after each: a host without one gets the port of the host
before it. A host that doesn't answer at all, not even with a refusal, costs the
call the connect timeout of the operating system before the next is tried.`
	}
	return s
}

const aboutFallback = `From here on only for calls that no controller took, or that one gave back (full,
draining, or the plan's on_stream_failure is dialplan), or whose controller died. A
call that tapdeck has hung up, or that the caller has, ends above. sched_cancel takes
away the time limit that a controller which died has left on the call.`

// printer writes indented XML with comments on lines of their own, which
// encoding/xml's own indentation doesn't do. Its error is the first one.
type printer struct {
	buf   bytes.Buffer
	enc   *xml.Encoder
	depth int
	err   error
}

func (p *printer) token(t xml.Token) {
	if p.err == nil {
		p.err = p.enc.EncodeToken(t)
	}
}

func (p *printer) indent() { p.token(xml.CharData(strings.Repeat("  ", p.depth))) }

func (p *printer) newline() { p.token(xml.CharData("\n")) }

// comment writes text in lines; XML forbids two dashes in it.
func (p *printer) comment(text string) {
	margin := "\n" + strings.Repeat("  ", p.depth)
	text = strings.ReplaceAll(text, "\n", margin+"     ")
	text = strings.ReplaceAll(text, margin+"     \n", "\n\n")
	for strings.Contains(text, "--") {
		text = strings.ReplaceAll(text, "--", "- -")
	}
	p.indent()
	p.token(xml.Comment(" " + text + " "))
	p.newline()
}

func (p *printer) start(name string, attrs []string) {
	e := xml.StartElement{Name: xml.Name{Local: name}}
	for i := 0; i < len(attrs); i += 2 {
		e.Attr = append(e.Attr, xml.Attr{Name: xml.Name{Local: attrs[i]}, Value: attrs[i+1]})
	}
	p.indent()
	p.token(e)
}

func (p *printer) end(name string) {
	p.token(xml.EndElement{Name: xml.Name{Local: name}})
	p.newline()
}

func (p *printer) open(name string, attrs ...string) {
	p.start(name, attrs)
	p.newline()
	p.depth++
}

func (p *printer) close(name string) {
	p.depth--
	p.indent()
	p.end(name)
}

func (p *printer) action(a Action) {
	attrs := []string{"application", a.Application}
	if a.Data != "" {
		attrs = append(attrs, "data", a.Data)
	}
	p.start("action", attrs)
	p.end("action")
}
