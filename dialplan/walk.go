package dialplan

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// ErrNoXML says that what Check was given hasn't a single XML element.
var ErrNoXML = errors.New("no XML element in it")

// walker goes through the elements of a dialplan.
type walker struct {
	c       *checker
	dec     *xml.Decoder
	place   Place
	fields  []string // of the conditions that are open
	text    strings.Builder
	action  xml.StartElement
	started int  // line of the action
	inside  bool // an extension
	seen    bool // there was an element
}

// walk gives every action to the checker. Its error names the line.
func walk(r io.Reader, c *checker) error {
	w := walker{c: c, dec: xml.NewDecoder(r)}
	w.dec.Entity = xml.HTMLEntity
	w.dec.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
	for {
		line, _ := w.dec.InputPos()
		t, err := w.dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return lineError(line, err)
		}
		w.token(line, t)
	}
	if !w.seen {
		return lineError(1, ErrNoXML)
	}
	return nil
}

// lineError puts the line into an error that doesn't say it itself.
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
		w.seen = true
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
		w.place = Place{Context: attr(e, "name")}
	case "extension":
		w.place.Extension, w.place.Number, w.inside = attr(e, "name"), "", true
	case "condition", "regex":
		w.fields = append(w.fields, attr(e, "field"))
		w.expression(attr(e, "expression"))
	case "action", "anti-action":
		w.action, w.started = e.Copy(), line
	case "X-PRE-PROCESS":
		w.c.include = w.c.include || attr(e, "cmd") == "include"
	}
}

func (w *walker) end(name string) {
	switch name {
	case "context":
		w.place = Place{}
	case "extension":
		w.place.Extension, w.place.Number, w.inside = "", "", false
	case "condition", "regex":
		w.fields = w.fields[:max(0, len(w.fields)-1)]
	case "expression":
		w.expression(strings.TrimSpace(w.text.String()))
	case "action", "anti-action":
		w.act()
	}
	w.text.Reset()
}

// expression notes what the innermost open condition asks of the number dialled.
func (w *walker) expression(s string) {
	if n := len(w.fields); n > 0 && w.fields[n-1] == "destination_number" && s != "" {
		w.place.Number = s
	}
}

// act looks at one whole action; its data can be an attribute or text.
func (w *walker) act() {
	place := w.place
	place.Line = w.started
	data := attr(w.action, "data")
	if text := w.text.String(); strings.TrimSpace(text) != "" {
		data = text
	}
	application := attr(w.action, "application")
	if w.inside && len(w.fields) > 0 {
		w.c.act(place, application, strings.TrimSpace(data))
	} else if application == "socket" {
		w.c.find(place, SeverityError, "socket outside a condition of an extension: FreeSWITCH ignores it",
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
