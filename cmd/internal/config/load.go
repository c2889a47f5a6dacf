package config

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"reflect"

	"tapdeck/controller/flow"
)

// DefaultPath is the file that Load reads, if it is there, when no other is named.
const DefaultPath = "tapdeck.yaml"

// EnvPrefix begins the names of the environment variables that Load reads.
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

	steps []flow.Step // what plans can be made of, if not of stepTypes
}

// Loaded is a configuration that has been read and found good.
type Loaded struct {
	// Config has every value in effect.
	Config Config
	// File is the file that was read; empty if there was none.
	File string
	// Warnings are about combinations that can hardly be meant.
	Warnings []error

	schema  schema
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
	s := newSchema(opts.stepTypes())
	l := &Loaded{Config: Default(), File: file, schema: s, origins: map[string]Origin{}}
	d := &decoder{schema: s, overrides: newOverrides(opts), origins: l.origins}
	root := node{Node: document{file: file, bad: &d.bad}.root(data), d: d, at: Origin{File: file}}
	root.mapping(s.root, reflect.ValueOf(&l.Config).Elem())
	d.refuseUnknown()
	l.followListen()
	l.checkTogether(&d.bad)
	if err := d.bad.err(); err != nil {
		return nil, err
	}
	l.Warnings = l.warnings()
	return l, nil
}

func (o Options) stepTypes() []flow.Step {
	if o.steps != nil {
		return o.steps
	}
	return stepTypes()
}

func readFile(opts Options) (path string, data []byte, err error) {
	path = cmp.Or(opts.Path, environment(opts.Environ)[EnvConfig])
	data, err = content(cmp.Or(path, DefaultPath))
	if path == "" && errors.Is(err, fs.ErrNotExist) {
		return "", nil, nil
	}
	return cmp.Or(path, DefaultPath), data, err
}

// content reads a regular file, and at most one byte more than it may have:
// opening a pipe would wait for whoever writes it.
func content(path string) (data []byte, err error) {
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		err = &fs.PathError{Op: "open", Path: path, Err: errors.New("not a regular file")}
	}
	var f *os.File
	if err == nil {
		f, err = os.Open(path)
	}
	if err == nil {
		defer func() { _ = f.Close() }()
		data, err = io.ReadAll(io.LimitReader(f, maxFile+1))
	}
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	return data, nil
}
