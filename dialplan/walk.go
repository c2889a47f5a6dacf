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
			return fmt.Errorf("line %d: %s%s", syntax.Line, syntax.Msg, pasted(read.String(), syntax.Line))
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
	case "extension":
		c.at = Location{Context: c.at.Context, Extension: attr(e, "name")}
		c.depth++
	case "condition", "regex":
		c.depth++
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
		c.action(attr(e, "application"), trim(cmp.Or(trim(a.Text), attr(e, "data"))))
		return err
	}
	return nil
}

func (c *checker) end(name string) {
	switch name {
	case "extension":
		c.at = Location{Context: c.at.Context}
		c.depth--
	case "condition", "regex":
		c.depth--
	}
}

// expression keeps what the condition that was opened last asks of the dialled number.
func (c *checker) expression(s string) {
	c.oddBlank("expression", s, "it matches nothing that is dialled")
	if c.field == "destination_number" && s != "" {
		c.at.Number = s
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
