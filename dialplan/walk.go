package dialplan

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// ErrNoXML is the error of a Check of something without a single XML element.
var ErrNoXML = errors.New("no XML element in it")

// walker goes through the elements of a dialplan.
type walker struct {
	c          *checker
	location   Location // of what is open; its line is the last action's
	fields     []string // of the conditions that are open
	text       strings.Builder
	action     xml.StartElement
	inside     bool // an extension
	hasElement bool
}

// walk gives every action to the checker. Its error names the line.
func walk(r io.Reader, c *checker) error {
	w := walker{c: c}
	dec := xml.NewDecoder(r)
	dec.Entity = xml.HTMLEntity
	dec.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
	for {
		line, _ := dec.InputPos()
		t, err := dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return lineError(line, err)
		}
		w.token(line, t)
	}
	if !w.hasElement {
		return lineError(1, ErrNoXML)
	}
	return nil
}

// lineError adds the line to an error that doesn't name it itself.
func lineError(line int, err error) error {
	var syntax *xml.SyntaxError
	if errors.As(err, &syntax) {
		return fmt.Errorf("line %d: %s", syntax.Line, syntax.Msg)
	}
	return fmt.Errorf("line %d: %w", line, err)
}

func (w *walker) token(line int, t xml.Token) {
	switch t := t.(type) {
	case xml.StartElement:
		w.hasElement = true
		w.start(line, t)
	case xml.CharData:
		w.text.Write(t)
	case xml.EndElement:
		w.end(t.Name.Local)
	}
}

func (w *walker) start(line int, e xml.StartElement) {
	w.text.Reset()
	switch e.Name.Local {
	case "context":
		w.location = Location{Context: attr(e, "name")}
	case "extension":
		w.location.Extension, w.location.Number, w.inside = attr(e, "name"), "", true
	case "condition", "regex":
		w.fields = append(w.fields, attr(e, "field"))
		w.expression(attr(e, "expression"))
	case "action", "anti-action":
		w.action, w.location.Line = e.Copy(), line
	case "X-PRE-PROCESS":
		w.c.include = w.c.include || attr(e, "cmd") == "include"
	}
}

func (w *walker) end(name string) {
	switch name {
	case "context":
		w.location = Location{}
	case "extension":
		w.location.Extension, w.location.Number, w.inside = "", "", false
	case "condition", "regex":
		w.fields = w.fields[:max(0, len(w.fields)-1)]
	case "expression":
		w.expression(strings.TrimSpace(w.text.String()))
	case "action", "anti-action":
		w.endAction()
	}
	w.text.Reset()
}

// expression keeps what the innermost open condition asks of the dialled number.
func (w *walker) expression(s string) {
	if n := len(w.fields); n > 0 && w.fields[n-1] == "destination_number" && s != "" {
		w.location.Number = s
	}
}

// endAction gives one whole action to the checker; its data can be an attribute or
// text.
func (w *walker) endAction() {
	data := attr(w.action, "data")
	if text := w.text.String(); strings.TrimSpace(text) != "" {
		data = text
	}
	application := attr(w.action, "application")
	if w.inside && len(w.fields) > 0 {
		w.c.action(w.location, application, strings.TrimSpace(data))
	} else if application == "socket" {
		w.c.report(w.location, SeverityError, "socket outside a condition of an extension: FreeSWITCH ignores it",
			"put it into an extension, as tapdeck dialplan prints one")
	}
}

func attr(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}
