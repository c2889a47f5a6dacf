package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"reflect"
	"slices"
	"strings"
)

// DefaultPath is the file that Load reads, if it is there, when no other is named.
const DefaultPath = "tapdeck.yaml"

// EnvPrefix begins the names of the environment variables that Load takes.
const EnvPrefix = "TAPDECK_"

// EnvConfig is the environment variable that names the file, as Options.Path does.
const EnvConfig = EnvPrefix + "CONFIG"

// Options says what Load reads.
type Options struct {
	// Path is the file; it must be there. Empty: the file that the environment's
	// TAPDECK_CONFIG names, else ./tapdeck.yaml if there is one, else none.
	Path string
	// Environ is the environment as os.Environ gives it. Only names that begin
	// with TAPDECK_ are looked at.
	Environ []string
	// Reserved are further TAPDECK_ names that are no settings, and no errors.
	Reserved []string
	// Flags are values of the command line by key, such as "esl.listen".
	Flags map[string]string
}

// Loaded is a configuration that has been read and found good.
type Loaded struct {
	// Config has every value in effect.
	Config Config
	// File is the file that was read; empty if there was none.
	File string
	// Warnings are about combinations that can hardly be meant.
	Warnings []Warning

	schema  *schema
	origins map[string]Origin
}

// Load reads file, environment and flags, each of which overrides the one
// before it. The error joins a *FieldError for everything that is wrong; if the
// file can't be read it wraps the error of that, such as fs.ErrNotExist.
func Load(opts Options) (*Loaded, error) {
	path, data, err := readFile(opts)
	if err != nil {
		return nil, err
	}
	return Parse(path, data, opts)
}

// Parse is Load with the file's bytes given; file is its name in messages and
// origins, and opts.Path is not looked at.
func Parse(file string, data []byte, opts Options) (*Loaded, error) {
	bad := &problems{}
	s := newSchema()
	doc := readDocument(s, file, data, bad)
	names := planNames(doc.plans)
	inputs := append(doc.inputs, s.environment(opts, names, bad)...)
	inputs = append(inputs, s.flags(opts.Flags, names, bad)...)
	l := &Loaded{Config: Default(), File: file, schema: s, origins: map[string]Origin{}}
	l.apply(s.parseAll(inputs, bad), names)
	l.followListen()
	l.checkTogether(bad)
	if err := bad.err(); err != nil {
		return nil, err
	}
	l.warn()
	return l, nil
}

func readFile(opts Options) (path string, data []byte, err error) {
	path, must := opts.Path, true
	if path == "" {
		path = lookupEnv(opts.Environ, EnvConfig)
	}
	if path == "" {
		path, must = DefaultPath, false
	}
	f, err := openRegular(path)
	if errors.Is(err, fs.ErrNotExist) && !must {
		return "", nil, nil
	} else if err != nil {
		return "", nil, fmt.Errorf("open configuration: %w", err)
	}
	defer func() { _ = f.Close() }()
	data, err = io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return "", nil, fmt.Errorf("read configuration: %w", err)
	}
	return path, data, nil
}

// openRegular opens a file that can be read to its end: opening a pipe would wait
// for whoever writes it.
func openRegular(path string) (*os.File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, &fs.PathError{Op: "open", Path: path, Err: errors.New("not a regular file")}
	}
	return os.Open(path)
}

func lookupEnv(environ []string, name string) string {
	value := ""
	for _, e := range environ {
		if k, v, _ := strings.Cut(e, "="); k == name {
			value = v
		}
	}
	return value
}

// planNames sorts the names, with "default" first, which is always there.
func planNames(stated []string) []string {
	names := []string{DefaultPlan}
	for _, n := range slices.Compact(slices.Sorted(slices.Values(stated))) {
		if n != DefaultPlan {
			names = append(names, n)
		}
	}
	return names
}

// parseAll checks every input; of several for one key the last counts.
func (s *schema) parseAll(inputs []input, bad *problems) map[string]parsed {
	good := map[string]parsed{}
	for _, in := range inputs {
		set, _ := s.find(in.key)
		if p, ok := set.parse(in, bad); ok {
			good[in.key] = p
		}
	}
	return good
}

// apply puts the values into l.Config: plan default first, which the other
// plans are then copies of until they get their own.
func (l *Loaded) apply(values map[string]parsed, names []string) {
	fill(reflect.ValueOf(&l.Config).Elem(), l.schema.top, "", values, l.origins)
	base := l.Config.Plans[DefaultPlan]
	prefix := planKey(DefaultPlan, "")
	fill(reflect.ValueOf(&base).Elem(), l.schema.plan, prefix, values, l.origins)
	l.Config.Plans[DefaultPlan] = base
	for _, name := range names[1:] {
		plan := base
		for _, set := range l.schema.plan {
			from := l.origins[prefix+set.key]
			from.Inherited = true
			l.origins[planKey(name, set.key)] = from
		}
		fill(reflect.ValueOf(&plan).Elem(), l.schema.plan, planKey(name, ""), values, l.origins)
		l.Config.Plans[name] = plan
	}
}

func fill(holder reflect.Value, list []setting, prefix string, values map[string]parsed, origins map[string]Origin) {
	for _, set := range list {
		if p, ok := values[prefix+set.key]; ok {
			set.set(holder, p.value)
			origins[prefix+set.key] = p.origin
		}
	}
}
