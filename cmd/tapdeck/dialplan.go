package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"iter"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"

	"tapdeck/cmd/internal/config"
	"tapdeck/dialplan"
)

type dialplanCommand struct {
	configured `embed:""`
	Number     string            `default:"9999" help:"The number to dial."`
	Context    string            `default:"default" help:"The dialplan context."`
	Name       string            `default:"tapdeck" help:"The extension's name."`
	Host       []string          `placeholder:"HOST:PORT" help:"Where tapdeck listens, as FreeSWITCH reaches it; repeated for fail-over, tried in this order (default: esl.listen of the configuration)."`
	Plan       string            `placeholder:"NAME" help:"The plan that these calls follow (default: left to tapdeck)."`
	Variable   map[string]string `short:"v" mapsep:"none" placeholder:"NAME=VALUE" help:"A channel variable to set before, such as tapdeck_listen=30s; may be repeated. A tapdeck_ one that no call of the plan could use is an error."`
	Check      string            `placeholder:"FILE" help:"Read this dialplan, or whole configuration of FreeSWITCH (- for standard input), instead, and say what is wrong with its socket lines, what fights with tapdeck beside them (uuid_audio_stream by api_on_answer, execute_on_media or a script, proxy_media, bypass_media, a profile's inbound-use-callid-as-uuid, blanks and quotes of web pages), and which tapdeck_ variables and plans no call can use."`
}

// Run prints the extension, or checks a file.
func (c *dialplanCommand) Run(p *program) error {
	loaded, hosts, plans, err := c.hosts(p)
	if err != nil {
		return err
	}
	if c.Check != "" {
		return c.check(p, loaded, hosts, plans)
	}
	e := dialplan.Extension{Name: c.Name, Number: c.Number, Context: c.Context, Hosts: hosts, Plan: c.Plan, Variables: c.Variable}
	var page bytes.Buffer
	err = dialplan.Render(&page, e)
	if err == nil {
		err = judge(loaded, page.Bytes(), plans)
	}
	if err != nil {
		return usage(err)
	}
	_, err = p.Stdout.Write(page.Bytes())
	return err
}

// judge says which variables of a rendered extension no call could use.
func judge(loaded *config.Loaded, page []byte, plans []string) error {
	result, err := dialplan.Check(bytes.NewReader(page), nil)
	if err != nil {
		return err
	}
	findings := badVariables(loaded, result.Variables)
	if plans != nil {
		findings = append(findings, result.UnknownPlans(plans)...)
	}
	var bad []error
	for _, f := range findings {
		bad = append(bad, fmt.Errorf("--variable: %s", f.Text))
	}
	return errors.Join(bad...)
}

// hosts are those of the command line, else the configuration's own. A plan must be
// one of the configuration, unless there is none here: the command line alone can
// speak for another machine, whose plans are nil.
func (c *dialplanCommand) hosts(p *program) (loaded *config.Loaded, hosts, plans []string, err error) {
	if err := checkHosts(c.Host); err != nil {
		return nil, nil, nil, usage(err)
	}
	loaded, err = c.load(p, nil)
	if err != nil {
		return nil, nil, nil, err
	}
	if loaded.File != "" || len(c.Host) == 0 {
		plans = loaded.PlanNames()
	}
	if c.Plan != "" && plans != nil && !slices.Contains(plans, c.Plan) {
		return nil, nil, nil, usage(fmt.Errorf("--plan %q: there is no such plan in the configuration; there are %q", c.Plan, plans))
	}
	if len(c.Host) > 0 {
		return loaded, c.Host, plans, nil
	}
	hosts, err = c.listening(loaded)
	return loaded, hosts, plans, err
}

// listening is esl.listen, if FreeSWITCH can be told it.
func (c *dialplanCommand) listening(loaded *config.Loaded) ([]string, error) {
	listen := loaded.Config.ESL.Listen
	host, port, err := net.SplitHostPort(listen)
	switch {
	case err != nil || c.Check != "":
	case host == "" || net.ParseIP(host).IsUnspecified():
		return nil, usage(fmt.Errorf("esl.listen %q is every address of this machine: say with --host which one FreeSWITCH reaches", listen))
	case port == "0":
		return nil, usage(fmt.Errorf("esl.listen %q is any free port: say with --host which one it is", listen))
	}
	return []string{listen}, nil
}

func checkHosts(hosts []string) error {
	for _, h := range hosts {
		if _, _, err := net.SplitHostPort(h); err != nil {
			return fmt.Errorf("--host %q: must be HOST:PORT", h)
		}
	}
	return nil
}

// check says what is wrong with a dialplan file; it fails if a call would.
func (c *dialplanCommand) check(p *program, loaded *config.Loaded, hosts, plans []string) error {
	in, name := p.Stdin, "standard input"
	if c.Check != "-" {
		f, err := os.Open(c.Check)
		if err != nil {
			return usage(fmt.Errorf("--check: %w", err))
		}
		defer func() { _ = f.Close() }()
		in, name = f, c.Check
	}
	result, err := dialplan.Check(in, hosts)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if plans != nil {
		result.Findings = append(result.Findings, result.UnknownPlans(plans)...)
	}
	result.Findings = append(result.Findings, badVariables(loaded, result.Variables)...)
	slices.SortStableFunc(result.Findings, func(a, b dialplan.Finding) int { return cmp.Compare(a.Line, b.Line) })
	return printFindings(p.Stdout, name, result)
}

// badVariables returns a warning for each channel variable that is none of tapdeck's, or that sets
// a value which a call can't use: the plan's own holds.
func badVariables(loaded *config.Loaded, uses []dialplan.VariableUse) (findings []dialplan.Finding) {
	for _, use := range uses {
		_, errs := loaded.ForCall(oneVariable(use), use.Plan)
		for _, err := range errs {
			var field *config.FieldError
			if errors.As(err, &field) && field.Field != config.PlanVariable && field.Field != "socket_path" {
				findings = append(findings, dialplan.Finding{
					Location: use.Location, Severity: dialplan.SeverityWarning, Text: err.Error(),
					Hint: "correct it; until then the plan's own value is used, and each call logs a warning",
				})
			}
		}
	}
	return findings
}

// oneVariable is a call's only channel variable.
type oneVariable dialplan.VariableUse

// Get returns the value of the variable, "" of any other.
func (v oneVariable) Get(name string) string {
	if name != v.Name {
		return ""
	}
	return v.Value
}

// Names yields the variable if its name begins with prefix.
func (v oneVariable) Names(prefix string) iter.Seq[string] {
	return func(yield func(string) bool) {
		if strings.HasPrefix(v.Name, prefix) {
			yield(v.Name)
		}
	}
}

func printFindings(w io.Writer, name string, result dialplan.Result) error {
	for _, s := range result.Sockets {
		if s.Right {
			fmt.Fprintf(w, "%s: ok: calls to %s come to tapdeck\n", at(name, s.Line), cmp.Or(s.Number, "any number"))
		}
	}
	bad := 0
	for _, f := range result.Findings {
		fmt.Fprintf(w, "%s: %s: %s\n", at(name, f.Line), f.Severity, f.Text)
		if f.Hint != "" {
			fmt.Fprintf(w, "    → %s\n", f.Hint)
		}
		if f.Severity == dialplan.SeverityError {
			bad++
		}
	}
	if bad > 0 {
		return errors.New("calls by this dialplan do not reach tapdeck as they should")
	}
	return nil
}

// at is a line of a file; line 0 is the file as a whole.
func at(name string, line int) string {
	if line == 0 {
		return name
	}
	return name + ":" + strconv.Itoa(line)
}
