package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// maxFile bounds a configuration file, in bytes.
const maxFile = 1 << 20

// document reads a file's bytes into YAML nodes. What is wrong goes to bad.
type document struct {
	file string
	bad  *problems
}

// root returns the root node of the file's one document, or nil if there is
// nothing in it or it is no YAML.
func (d document) root(data []byte) *yaml.Node {
	switch {
	case len(data) > maxFile:
		return d.refuse(0, fmt.Sprintf("a configuration file has at most %s", Size(maxFile)), "")
	case !utf8.Valid(data):
		return d.refuse(lineAt(data, bytes.IndexRune(data, utf8.RuneError)), "the file must be UTF-8", "")
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var first, second yaml.Node
	if err := dec.Decode(&first); errors.Is(err, io.EOF) {
		return nil
	} else if err != nil {
		return d.syntax(data, err)
	}
	if err := dec.Decode(&second); err == nil {
		return d.refuse(second.Line, "the file must hold one YAML document, here begins a second one", "remove the line ---")
	} else if !errors.Is(err, io.EOF) {
		return d.syntax(data, err)
	}
	root := first.Content[0]
	switch {
	case root.Kind == yaml.ScalarNode && root.ShortTag() == tagNull && root.Value == "":
		return nil
	case root.Kind != yaml.MappingNode:
		return d.refuse(root.Line, "the file must hold keys with values, such as esl: {listen: 127.0.0.1:8084}", "")
	}
	return root
}

// refuse reports something wrong with the file, and returns no node.
func (d document) refuse(line int, rule, hint string) *yaml.Node {
	d.bad.add(&FieldError{Origin: Origin{File: d.file, Line: line}, Rule: rule, Hint: hint})
	return nil
}

// lineAt is the line of the first byte that is found in data.
func lineAt(data []byte, found int) int { return 1 + bytes.Count(data[:max(found, 0)], []byte("\n")) }

// syntax reports an error of the YAML reader, which leaves line 1 out, and with
// some errors every line.
func (d document) syntax(data []byte, err error) *yaml.Node {
	line, hint := 1, ""
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	if m := regexp.MustCompile(`(?s)^line (\d+): (.*)$`).FindStringSubmatch(text); m != nil {
		line, _ = strconv.Atoi(m[1])
		text = m[2]
	}
	const stars = `a value that begins with * or & stands in quotes: "*"`
	anchor, unknown := strings.CutPrefix(text, "unknown anchor '")
	anchor, _, _ = strings.Cut(anchor, "'")
	tab := regexp.MustCompile(`(?m)^ *\t\s*\S`).FindIndex(data)
	remark := regexp.MustCompile(`: +#[0-9A-D*#]*[]},]`).FindIndex(data) // finish_on: #}
	pastedLine, pasted := firstPasted(string(data))
	switch {
	case tab != nil:
		line, hint = lineAt(data, tab[0]), "indent with blanks: YAML takes no tabs"
	case unknown:
		line, hint = lineAt(data, bytes.Index(data, []byte("*"+anchor))), stars
	case strings.HasPrefix(text, "control characters"):
		line = lineAt(data, bytes.IndexFunc(data, isControl))
	case strings.Contains(text, "alphabetic or numeric character"):
		hint = stars
	case remark != nil:
		line, hint = lineAt(data, remark[0]), `# begins a comment: a value that begins with # stands in quotes: "#"`
	case pasted != "":
		line, hint = pastedLine, pasted
	}
	return d.refuse(line, "not YAML: "+text, hint)
}

func isControl(r rune) bool { return unicode.IsControl(r) && !strings.ContainsRune("\t\r\n\u0085", r) }
