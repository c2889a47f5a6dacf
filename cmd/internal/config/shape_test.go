package config

import (
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// What the keys of tomorrow need, in structs of the test's own: a further key is
// a struct field with tags, its default, and its entry in the example file.

// farther is a configuration with keys that tapdeck does not have.
type farther struct {
	Retention struct {
		Age   time.Duration `yaml:"age" range:"0s|1h..720h" reload:"now"`
		Size  Size          `yaml:"size" range:"0..1000TiB" reload:"now"`
		Modes []string      `yaml:"modes" oneof:"fast safe" reload:"restart"`
	} `yaml:"retention"`
	Webhooks []webhook         `yaml:"webhooks" reload:"now"`
	Plans    map[string]script `yaml:"plans" base:"default" reload:"next call"`
}

type webhook struct {
	URL    string   `yaml:"url" needed:"true"`
	Secret string   `yaml:"secret" secret:"true" max:"8"`
	Events []string `yaml:"events" oneof:"call.started call.ended"`
}

type script struct {
	Parameters map[string]string `yaml:"parameters" max:"16"`
}

// decodeFarther reads a file with those keys.
func decodeFarther(file string, opts Options) (farther, *decoder) {
	c := farther{Plans: map[string]script{"default": {}}}
	d := &decoder{schema: schema{root: newField(reflect.TypeFor[farther](), "", "")}, overrides: newOverrides(opts), origins: map[string]Origin{}}
	root := node{Node: document{file: "f", bad: &d.bad}.root([]byte(file)), d: d, at: Origin{File: "f"}}
	root.mapping(d.root, reflect.ValueOf(&c).Elem())
	d.refuseUnknown()
	return c, d
}

func TestKeysOfTomorrow(t *testing.T) {
	got, d := decodeFarther(`
retention: {age: 24h, size: 1GiB, modes: [fast]}
webhooks:
- url: https://a.example/x
  events: [call.started, call.ended]
- {url: https://b.example, secret: s3cret}
plans:
  default:
    parameters: {from: "{caller}", "1": x}
  voicemail: {}
`, Options{Environ: []string{"TAPDECK_RETENTION_MODES=safe, fast"}, Flags: map[string]string{"retention.age": "1h"}})
	if err := d.bad.err(); err != nil {
		t.Fatal(err)
	}
	parameters := map[string]string{"from": "{caller}", "1": "x"}
	want := farther{
		Webhooks: []webhook{{URL: "https://a.example/x", Events: []string{"call.started", "call.ended"}}, {URL: "https://b.example", Secret: "s3cret"}},
		Plans:    map[string]script{"default": {Parameters: parameters}, "voicemail": {Parameters: parameters}},
	}
	want.Retention.Age, want.Retention.Size, want.Retention.Modes = time.Hour, GiB, []string{"safe", "fast"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for key, want := range map[string]string{"retention.age": "flag -s retention.age", "retention.size": "f:2", "webhooks": "f:3", "plans.default.parameters": "f:9"} {
		if from := d.origins[key].String(); from != want {
			t.Errorf("%s comes from %s, want %s", key, from, want)
		}
	}
	if text := d.root.child("webhooks").show(reflect.ValueOf(got.Webhooks)); text != masked {
		t.Errorf("a secret in a list is shown: %s", text)
	}
}

func TestEveryErrorNamesItsPlace(t *testing.T) {
	_, d := decodeFarther(`
retention: {age: 1m, modes: [fast, slow]}
webhooks:
- evnts: [call.started]
- {url: "", secret: too-long-a-secret, events: [call.ended, {a: b}]}
- https://a.example
plans:
  voicemail:
    parameters: {from: [a], to: "01234567890123456"}
`, Options{Environ: []string{"TAPDECK_RETENTION_MODES=fast,slow"}})
	want := []string{
		`f:2: retention.age: "1m": must be 0s or 1h to 720h`,
		`f:2: retention.modes[1]: "slow": must be fast or safe`,
		`f:4: webhooks[0].evnts: unknown key; the nearest known is webhooks[0].events`,
		`f:4: webhooks[0].url: is missing`,
		`f:5: webhooks[1].url: "": must not be empty`,
		`f:5: webhooks[1].secret: "***": must be at most 8 bytes long`,
		`f:5: webhooks[1].events[1]: must be one value (call.started or call.ended), not a group of keys`,
		`f:6: webhooks[2]: "***": needs keys below it, not a single value`,
		`f:9: plans.voicemail.parameters.from: must be one value (a text), not a list`,
		`f:9: plans.voicemail.parameters.to: "01234567890123456": must be at most 16 bytes long`,
		`environment TAPDECK_RETENTION_MODES: retention.modes[1]: "slow": must be fast or safe`,
	}
	if diff := cmp.Diff(want, messages(d.bad.err())); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// The next scalar key: its field with tags and its default; the third line is in
// the example file.
func TestTheNextScalarKey(t *testing.T) {
	type config struct {
		Grace time.Duration `yaml:"grace" range:"0s..10s" reload:"now"`
	}
	c := config{Grace: 2 * time.Second}
	d := &decoder{schema: schema{root: newField(reflect.TypeFor[config](), "", "")}, overrides: newOverrides(Options{Environ: []string{"TAPDECK_GRACE=11s"}}), origins: map[string]Origin{}}
	root := node{Node: document{file: "f", bad: &d.bad}.root([]byte("grace: 3s")), d: d, at: Origin{File: "f"}}
	root.mapping(d.root, reflect.ValueOf(&c).Elem())
	want := `environment TAPDECK_GRACE: grace: "11s": must be 0s to 10s`
	if got := d.bad.err().Error(); c.Grace != 3*time.Second || got != want {
		t.Errorf("%v, %s; want %s", c.Grace, got, want)
	}
}
