package capture

import "strings"

// lines are header lines that are ready to be written in both formats.
type lines []piece

// piece is text that never differs, then the value of a name, if there is one. A
// piece with a condition is left out while that has no value.
type piece struct {
	condition   string
	plain, json []byte
	name        string
}

// compile makes as few pieces of header lines as their values and conditions allow.
func compile(text []string) lines {
	var out lines
	for _, line := range text {
		condition := ""
		if rest, ok := strings.CutPrefix(line, "?"); ok {
			condition, line, _ = strings.Cut(rest, " ")
		}
		out = out.literal(condition, "", "\"")
		name, value, _ := strings.Cut(line, ": ")
		out = out.literal(condition, name+": ", string(appendEscaped(nil, name))+`":"`)
		for value != "" {
			before, rest, found := strings.Cut(value, "${")
			out = out.literal(condition, before, string(appendEscaped(nil, decode(before))))
			value = ""
			if found {
				out[len(out)-1].name, value, _ = strings.Cut(rest, "}")
			}
		}
		out = out.literal(condition, "\n", `",`)
	}
	return out
}

// literal appends text to the last piece, or to a new one.
func (l lines) literal(condition, plain, json string) lines {
	if n := len(l); n == 0 || l[n-1].name != "" || l[n-1].condition != condition {
		l = append(l, piece{condition: condition})
	}
	last := &l[len(l)-1]
	last.plain = append(last.plain, plain...)
	last.json = append(last.json, json...)
	return l
}

// write writes the lines with the values of one frame.
func (l lines) write(w *Writer, v Values) {
	for i := range l {
		p := &l[i]
		if p.condition != "" && v(p.condition) == "" {
			continue
		}
		if w.json {
			w.buf = append(w.buf, p.json...)
		} else {
			w.buf = append(w.buf, p.plain...)
		}
		if p.name == "" {
			continue
		}
		if value := v(p.name); w.json {
			w.buf = appendEscaped(w.buf, value)
		} else {
			w.buf = appendEncoded(w.buf, value)
		}
	}
}
