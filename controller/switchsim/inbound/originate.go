package inbound

import (
	"strings"

	"github.com/google/uuid"
)

// OriginateUsage is the answer to an originate that is not understood.
const OriginateUsage = "-USAGE: <call url> <exten>|&<application_name>(<app_args>) [<dialplan>] [<context>] [<cid_name>] [<cid_num>] [<timeout_sec>]\n"

// Originate is what originate was given: {VARIABLES}loopback/NUMBER/CONTEXT, or null/NUMBER, and the
// application of the calling leg, whose id is ID.
type Originate struct {
	ID, Number, Context string
	Null                bool
	Variables           map[string]string
	Application, Data   string
}

// ParseOriginate reads the argument of originate; ok is false if it is not understood.
func ParseOriginate(arg string) (*Originate, bool) {
	o := &Originate{ID: uuid.NewString(), Variables: map[string]string{}}
	if vars, rest, ok := strings.Cut(strings.TrimPrefix(arg, "{"), "}"); ok && strings.HasPrefix(arg, "{") {
		for _, one := range strings.Split(vars, ",") {
			name, value, _ := strings.Cut(one, "=")
			o.Variables[strings.TrimSpace(name)] = strings.Trim(value, "'")
		}
		arg = rest
	}
	target, app, ok := strings.Cut(arg, " ")
	address, isLoopback := strings.CutPrefix(target, "loopback/")
	if address, o.Null = strings.CutPrefix(address, "null/"); isLoopback {
		o.Null = false
	}
	o.Number, o.Context, _ = strings.Cut(address, "/")
	o.Context, _, _ = strings.Cut(o.Context, "/")
	if o.Context == "" {
		o.Context = "default"
	}
	if id := o.Variables["origination_uuid"]; id != "" {
		o.ID = id
	}
	isApp := o.application(strings.TrimSpace(app))
	return o, ok && (isLoopback || o.Null) && isApp
}

// application reads &APP(DATA), in quotes if there are blanks in it, where DATA ends at the first closing parenthesis
// whatever it is, or one application of the inline dialplan: [m:DELIMITER:]APP:DATA inline.
func (o *Originate) application(text string) bool {
	if quoted, ok := strings.CutPrefix(text, "'"); ok {
		text, _, _ = strings.Cut(quoted, "'")
	} else if strings.HasPrefix(text, "&") {
		text, _, _ = strings.Cut(text, " ") // the rest is the dialplan's name and more
	}
	if app, ok := strings.CutPrefix(text, "&"); ok {
		app, _, _ = strings.Cut(app, ")")
		o.Application, o.Data, _ = strings.Cut(app, "(")
		return true
	}
	inline, ok := strings.CutSuffix(text, " inline")
	delimiter := ","
	if strings.HasPrefix(inline, "m:") && len(inline) > 4 && inline[3] == ':' {
		delimiter, inline = inline[2:3], inline[4:]
	}
	inline, _, _ = strings.Cut(inline, delimiter)
	o.Application, o.Data, _ = strings.Cut(inline, ":")
	return ok && o.Application != ""
}
