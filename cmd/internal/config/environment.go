package config

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// EnvName returns the environment variable of a key: TAPDECK_ESL_LISTEN for esl.listen.
func EnvName(key string) string {
	return EnvPrefix + strings.ToUpper(strings.NewReplacer(".", "_", "-", "_").Replace(key))
}

// environment returns the values of the TAPDECK_ variables.
func (s *schema) environment(opts Options, plans []string, bad *problems) []input {
	known := map[string][]string{}
	for _, key := range s.keys(plans) {
		known[EnvName(key)] = append(known[EnvName(key)], key)
	}
	var list []input
	for _, e := range opts.Environ {
		name, text, _ := strings.Cut(e, "=")
		if !strings.HasPrefix(name, EnvPrefix) || name == EnvConfig || slices.Contains(opts.Reserved, name) {
			continue
		}
		if keys := known[name]; len(keys) == 1 {
			list = append(list, s.textInput(keys[0], text, Origin{Environment: name}))
			continue
		}
		if !injected(name) {
			bad.add(envError(name, known))
		}
	}
	return list
}

// injected tells the variables that Kubernetes and Docker links put into the
// environment beside a service whose name is tapdeck: its addresses, no settings.
func injected(name string) bool {
	rest := strings.TrimPrefix(name, EnvPrefix)
	switch {
	case rest == "PORT", rest == "SERVICE_HOST", rest == "SERVICE_PORT":
		return true
	case strings.HasPrefix(rest, "SERVICE_PORT_"):
		return len(rest) > len("SERVICE_PORT_")
	}
	rest, ok := strings.CutPrefix(rest, "PORT_")
	if !ok {
		return false
	}
	parts := strings.Split(rest, "_") // 8084 TCP, and ADDR, PORT or PROTO
	if _, err := strconv.ParseUint(parts[0], 10, 16); err != nil || len(parts) < 2 || len(parts) > 3 || !slices.Contains([]string{"TCP", "UDP", "SCTP"}, parts[1]) {
		return false
	}
	return len(parts) == 2 || slices.Contains([]string{"ADDR", "PORT", "PROTO"}, parts[2])
}

// envError says what is wrong with a variable that is not exactly one key's.
func envError(name string, known map[string][]string) *FieldError {
	const typo = 3
	e := &FieldError{Source: "environment " + name, Rule: "no such setting", keyOnly: true}
	if keys := known[name]; len(keys) > 1 {
		e.Rule, e.Hint = "could mean "+strings.Join(keys, " and "), "set it in the file"
		return e
	}
	e.Nearest = closest(name, slices.Sorted(maps.Keys(known)), typo)
	if e.Nearest == "" && strings.HasPrefix(name, EnvName(plansKey)) {
		e.Hint = "a plan must be stated in the file first"
	}
	return e
}

// flags returns the values of the command line.
func (s *schema) flags(flags map[string]string, plans []string, bad *problems) []input {
	var list []input
	for _, key := range slices.Sorted(maps.Keys(flags)) {
		set, plan := s.find(key)
		if set != nil && (plan == "" || slices.Contains(plans, plan)) {
			list = append(list, s.textInput(key, flags[key], Origin{Flag: key}))
			continue
		}
		e := &FieldError{Source: "flag -s " + key, Rule: "no such setting", keyOnly: true}
		switch {
		case set != nil:
			e.Rule, e.Hint = "no such plan", "a plan must be stated in the file first"
			e.Nearest = nearest(plan, plans)
		case s.isGroup(key):
			e.Hint = "it holds " + strings.Join(s.children(key), ", ")
		default:
			e.Nearest = nearestKey(key, s.keys(plans))
		}
		bad.add(e)
	}
	return list
}

// textInput makes an input of a text; the elements of a list have commas between them.
func (s *schema) textInput(key, text string, origin Origin) input {
	in := input{key: key, origin: origin}
	set, _ := s.find(key)
	if !set.rule.list {
		in.items = []item{{text: text}}
		return in
	}
	if strings.TrimSpace(text) == "" {
		return in
	}
	for part := range strings.SplitSeq(text, ",") {
		in.items = append(in.items, item{text: strings.TrimSpace(part)})
	}
	return in
}
