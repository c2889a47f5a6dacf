package config

import (
	"fmt"
	"net/netip"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// Reload says when a changed setting takes effect.
type Reload string

// The three values of Reload.
const (
	// ReloadNow takes effect at once.
	ReloadNow Reload = "now"
	// ReloadNextCall takes effect for calls that begin later.
	ReloadNextCall Reload = "next call"
	// ReloadRestart takes effect at the next start of the process.
	ReloadRestart Reload = "restart"
)

// setting is one leaf of Config, or of Plan.
type setting struct {
	key    string // esl.listen; within a plan: tone.frequency
	index  []int  // of the field, for reflect's FieldByIndex
	reload Reload
	secret bool
	rule   rule
}

// schema is every setting there is, in the order of the file.
type schema struct {
	top    []setting
	plan   []setting
	byKey  map[string]*setting // of top
	byPart map[string]*setting // of plan
	groups map[string]bool     // esl, sink, sink.tls, …
	parts  map[string]bool     // tone, stream
}

func newSchema() *schema {
	s := &schema{groups: map[string]bool{}, parts: map[string]bool{}}
	s.top = walk(reflect.TypeFor[Config](), "", nil, rules(), s.groups)
	s.plan = walk(reflect.TypeFor[Plan](), "", nil, planRules(), s.parts)
	s.byKey, s.byPart = index(s.top), index(s.plan)
	return s
}

func index(list []setting) map[string]*setting {
	m := make(map[string]*setting, len(list))
	for i := range list {
		m[list[i].key] = &list[i]
	}
	return m
}

// walk lists the leaves of t, and puts the keys of its inner structs into groups.
func walk(t reflect.Type, prefix string, at []int, rules map[string]rule, groups map[string]bool) []setting {
	var list []setting
	for i := range t.NumField() {
		f := t.Field(i)
		key := prefix + f.Tag.Get("yaml")
		path := append(append([]int(nil), at...), i)
		switch f.Type.Kind() {
		case reflect.Map: // the plans, which have a walk of their own
		case reflect.Struct:
			groups[key] = true
			list = append(list, walk(f.Type, key+".", path, rules, groups)...)
		default:
			list = append(list, setting{
				key: key, index: path, rule: rules[key],
				reload: Reload(f.Tag.Get("reload")), secret: f.Tag.Get("secret") == "true",
			})
		}
	}
	return list
}

// rules are the rules of every setting outside the plans.
func rules() map[string]rule {
	const day = 24 * time.Hour
	return map[string]rule{
		"esl.listen":           listenRule(),
		"esl.allow":            allowRule(),
		"esl.max_calls":        intRule(1, 100000, "calls"),
		"sink.listen":          listenRule(),
		"sink.advertise":       advertiseRule(),
		"sink.allow":           allowRule(),
		"sink.tls.certificate": textRule("a file or empty", 4096, checkAny),
		"sink.tls.key":         textRule("a file or empty", 4096, checkAny),
		"sink.directory":       textRule("a directory", 4096, checkDirectory),
		"sink.min_free":        sizeRule(1000 * TiB),
		"sink.max_streams":     intRule(0, 100000, "streams"),
		"sink.max_duration":    durationRule(time.Second, 7*day),
		"sink.idle_timeout":    durationRule(2*time.Second, time.Hour),
		"sink.read_interval":   durationRule(0, time.Second),
		"admin.listen":         listenRule(),
		"admin.token":          textRule("printable ASCII or empty", 256, checkToken),
		"admin.pprof":          boolRule(),
		"drain_timeout":        durationRule(0, day),
		"log.level":            wordRule("debug", "info", "warn", "error"),
		"log.format":           wordRule("json", "console"),
	}
}

// planRules are the rules of every setting of a plan.
func planRules() map[string]rule {
	const frame = 20 * time.Millisecond
	return map[string]rule{
		"answer_pause":           durationRule(0, time.Minute),
		"tone.frequency":         intRule(20, 3400, "Hz"),
		"tone.duration":          orZero(durationRule(frame, time.Minute)),
		"stream.mix":             wordRule("mono", "mixed", "stereo"),
		"stream.sample_rate":     rateRule(),
		"stream.buffer":          bufferRule(),
		"stream.connect_timeout": durationRule(100*time.Millisecond, time.Minute),
		"stream.stop_timeout":    durationRule(100*time.Millisecond, time.Minute),
		"stream.restarts":        intRule(0, 100, "times"),
		"prompt":                 textRule("a file or empty", 1024, checkPrompt),
		"listen":                 durationRule(0, 24*time.Hour),
		"finish_on":              finishRule(),
		"silence":                orZero(durationRule(100*time.Millisecond, time.Hour)),
		"on_stream_failure":      failureRule(),
	}
}

const plansKey = "plans"

// find returns the setting of a whole key; for a plan's also the plan's name.
func (s *schema) find(key string) (set *setting, plan string) {
	rest, ok := strings.CutPrefix(key, plansKey+".")
	if !ok {
		return s.byKey[key], ""
	}
	plan, part, _ := strings.Cut(rest, ".")
	return s.byPart[part], plan
}

// isGroup tells whether the key holds further keys.
func (s *schema) isGroup(key string) bool {
	rest, ok := strings.CutPrefix(key, plansKey+".")
	if !ok {
		return key == "" || key == plansKey || s.groups[key]
	}
	_, part, deep := strings.Cut(rest, ".")
	return !deep || s.parts[part]
}

// keys lists every key that can be set, with the plans of these names.
func (s *schema) keys(plans []string) []string {
	var keys []string
	for _, set := range s.top {
		keys = append(keys, set.key)
	}
	for _, name := range plans {
		for _, set := range s.plan {
			keys = append(keys, planKey(name, set.key))
		}
	}
	return keys
}

func planKey(name, part string) string { return plansKey + "." + name + "." + part }

// get returns the setting's value in the struct (a Config or a Plan) as text.
func (s *setting) get(holder reflect.Value) string {
	switch v := holder.FieldByIndex(s.index).Interface().(type) {
	case time.Duration:
		return formatDuration(v)
	case []netip.Prefix:
		list := make([]string, len(v))
		for i, p := range v {
			list[i] = formatPrefix(p)
		}
		return strings.Join(list, ", ")
	case bool:
		return strconv.FormatBool(v)
	default:
		return fmt.Sprint(v)
	}
}

// set puts a parsed value into the struct (a Config or a Plan).
func (s *setting) set(holder reflect.Value, value any) {
	holder.FieldByIndex(s.index).Set(reflect.ValueOf(value))
}

// show returns the value as it may be printed.
func (s *setting) show(holder reflect.Value) string {
	text := s.get(holder)
	if s.secret && text != "" {
		return masked
	}
	return text
}

const masked = "***"
