package dialplan

import (
	"cmp"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// walk checks every action of a dialplan. Its error names the line.
func (c *checker) walk(r io.Reader) error {
	var read strings.Builder
	dec := xml.NewDecoder(io.TeeReader(r, &read))
	dec.Entity = xml.HTMLEntity
	dec.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
	elements := 0
	for {
		line, _ := dec.InputPos()
		t, err := dec.Token()
		switch t := t.(type) {
		case xml.StartElement:
			elements++
			err = c.start(dec, line, t)
		case xml.EndElement:
			c.end(t.Name.Local)
		}
		var syntax *xml.SyntaxError
		switch {
		case err == nil:
		case errors.As(err, &syntax):
			return fmt.Errorf("line %d: %s%s", syntax.Line, syntax.Msg, pastedInLine(read.String(), syntax.Line))
		case !errors.Is(err, io.EOF):
			return fmt.Errorf("line %d: %w", line, err)
		case elements == 0:
			return errors.New("line 1: no XML element in it")
		default:
			return nil
		}
	}
}

func (c *checker) start(dec *xml.Decoder, line int, e xml.StartElement) error {
	switch e.Name.Local {
	case "context":
		c.at = Location{Context: attr(e, "name")}
	case "profile":
		c.profile = &profile{name: attr(e, "name")}
		c.profiles = append(c.profiles, c.profile)
	case "param":
		c.param(line, attr(e, "name"), attr(e, "value"))
	case "extension":
		c.at = Location{Context: c.at.Context, Extension: attr(e, "name")}
		c.open()
		c.order += 2
		c.began, c.commands = c.order, map[string]string{}
		c.place = place{extension: c.opened, goesOn: isTrue(attr(e, "continue"))}
	case "condition", "regex":
		c.open()
		c.field = attr(e, "field")
		c.at.Line = line
		c.expression(attr(e, "expression"))
	case "expression":
		var text string
		err := dec.DecodeElement(&text, &e)
		c.at.Line = line
		c.expression(trim(text))
		return err
	case "action", "anti-action":
		var a struct {
			Text string `xml:",chardata"` // which the data can be, too
		}
		err := dec.DecodeElement(&a, &e)
		c.at.Line = line
		c.stand(e.Name.Local == "anti-action", isTrue(attr(e, "inline")))
		c.action(attr(e, "application"), trim(cmp.Or(trim(a.Text), attr(e, "data"))))
		return err
	}
	return nil
}

func (c *checker) end(name string) {
	switch name {
	case "profile":
		c.profile = nil
	case "extension":
		c.at = Location{Context: c.at.Context}
		c.close()
	case "condition", "regex":
		c.close()
	}
}

// open begins an extension or a condition.
func (c *checker) open() {
	c.opened++
	c.conditions = append(c.conditions, c.opened)
}

// close ends what was opened last.
func (c *checker) close() {
	c.conditions = c.conditions[:max(0, len(c.conditions)-1)]
}

// inside reports whether an action counts here: within a condition of an extension only.
func (c *checker) inside() bool { return len(c.conditions) > 1 }

// stand says where the action stands that comes now.
func (c *checker) stand(anti, inline bool) {
	c.order += 2 // what a bridge sets comes before it
	c.place.order = c.order
	if inline {
		c.place.order = c.began
	}
	c.place.Location = c.at
	c.place.anti = anti
	c.place.condition = 0
	if c.inside() {
		c.place.condition = c.conditions[len(c.conditions)-1]
	}
}

// expression keeps what the condition that was opened last asks of the dialled number.
func (c *checker) expression(s string) {
	dialled := c.field == "destination_number"
	if dialled || strings.ContainsFunc(s, IsOddBlank) { // a name can have a typographic quote
		c.pasted("expression", s, "it matches nothing that is dialled")
	}
	if dialled && s != "" {
		c.at.Number = s
		c.place.dialled = newDialled(s)
	}
}

// trim cuts XML's own blanks: others are a part of the text.
func trim(s string) string { return strings.Trim(s, " \t\r\n") }

func attr(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}
