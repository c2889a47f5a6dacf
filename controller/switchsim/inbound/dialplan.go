package inbound

import (
	"encoding/xml"
	"slices"
	"strings"
)

// xmlLocate answers xml_locate dialplan [context name NAME], as the switch has
// the dialplan loaded (F75).
func (f *Facts) xmlLocate(argument string) string {
	words := strings.Fields(argument)
	switch {
	case len(words) == 1 && words[0] == "dialplan":
		return f.dialplanXML()
	case len(words) == 4 && words[0] == "dialplan" && words[1] == "context" && words[2] == "name":
		if slices.Contains(f.contexts(), words[3]) {
			return f.contextXML(words[3], "") + "\n"
		}
	}
	return "can't find anything\n"
}

func (f *Facts) contexts() []string {
	var names []string
	for i := range f.Extensions {
		if name := f.Extensions[i].contextName(); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		names = append(names, "default")
	}
	return names
}

func (f *Facts) dialplanXML() string {
	var b strings.Builder
	b.WriteString("<section name=\"dialplan\" description=\"Regex/XML Dialplan\">\n")
	for _, name := range f.contexts() {
		b.WriteString("      " + f.contextXML(name, "  ") + "\n")
	}
	b.WriteString("  </section>\n\n")
	return b.String()
}

func (f *Facts) contextXML(name, indent string) string {
	var b strings.Builder
	b.WriteString("<context name=" + attribute(name) + ">\n  \n")
	for i := range f.Extensions {
		if e := &f.Extensions[i]; e.contextName() == name {
			e.write(&b, indent)
		}
	}
	b.WriteString("    </context>\n")
	return b.String()
}

func (e *Extension) write(b *strings.Builder, indent string) {
	name := e.Name
	if name == "" {
		name = "extension_" + e.Number
	}
	in := "    " + indent
	b.WriteString(in + "<extension name=" + attribute(name) + ">\n")
	b.WriteString(in + "    <condition field=\"destination_number\" expression=" + attribute("^"+e.Number+"$") + ">\n")
	for _, a := range e.Actions {
		b.WriteString(in + "        <action application=" + attribute(a.Application))
		if a.Data != "" {
			b.WriteString(" data=" + attribute(a.Data))
		}
		b.WriteString("></action>\n\n")
	}
	b.WriteString("    </condition>\n\n  </extension>\n\n  \n")
}

func attribute(value string) string {
	var b strings.Builder
	b.WriteByte('"')
	if err := xml.EscapeText(&b, []byte(value)); err != nil {
		return `""`
	}
	b.WriteByte('"')
	return b.String()
}
