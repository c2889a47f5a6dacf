package switchsim

import "strings"

// splitArguments splits the arguments of an API command at a separator, into at most n: the
// last is the rest (F96, F117). What is between two ' is not split.
func splitArguments(text string, separator byte, n int) []string {
	var list []string
	start, quoted := 0, false
	for i := 0; i < len(text) && len(list) < n-1; i++ {
		switch {
		case text[i] == '\\':
			i++
		case isQuote(text, i, quoted):
			quoted = !quoted
		case text[i] == separator && !quoted && (separator != ' ' || i > start):
			list, start = append(list, unquote(text[start:i], separator)), i+1
		case text[i] == separator && !quoted:
			start = i + 1 // several blanks are one
		}
	}
	if last := unquote(text[min(start, len(text)):], separator); last != "" || separator != ' ' {
		list = append(list, last)
	}
	return list
}

// isQuote says whether text[i] begins or ends a quotation: a ' that has no other one is text.
func isQuote(text string, i int, quoted bool) bool {
	return text[i] == '\'' && (quoted || strings.Contains(text[i+1:], "'"))
}

// unquote takes the blanks around an argument, its quotes and its escapes away.
func unquote(text string, separator byte) string {
	text = strings.Trim(text, " \t")
	out := make([]byte, 0, len(text))
	for i, quoted := 0, false; i < len(text); i++ {
		switch {
		case text[i] == '\\' && i+1 < len(text):
			if c := unescape(text[i+1], separator); c != 0 {
				i++
				out = append(out, c)
				continue
			}
			out = append(out, '\\')
		case isQuote(text, i, quoted):
			quoted = !quoted
		default:
			out = append(out, text[i])
		}
	}
	return string(out)
}

// unescape is the character that \c stands for, or 0.
func unescape(c, separator byte) byte {
	switch c {
	case '\'', '"', '\\', separator:
		return c
	case 's':
		return ' '
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	}
	return 0
}

// expand replaces ${name} in an application's data by what get returns, and takes escapes away:
// \\ is one \, and \' is nothing (F117). A ${ without an end cuts the rest off.
func expand(data string, get func(name string) string) string {
	var out strings.Builder
	for i := 0; i < len(data); i++ {
		rest := data[i:]
		switch {
		case strings.HasPrefix(rest, `\'`):
			i++
		case strings.HasPrefix(rest, `\\`):
			i++
			out.WriteByte('\\')
		case strings.HasPrefix(rest, "$${"), strings.HasPrefix(rest, `\${`): // as ${
		case strings.HasPrefix(rest, "${"):
			name, _, closed := strings.Cut(rest[2:], "}")
			if !closed {
				return out.String()
			}
			out.WriteString(get(name))
			i += len("${}") + len(name) - 1
		default:
			out.WriteByte(data[i])
		}
	}
	return out.String()
}
