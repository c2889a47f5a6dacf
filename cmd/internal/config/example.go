package config

import _ "embed"

//go:embed example.yaml
var example string

// Example returns a commented configuration file that states every key with
// its default.
func Example() []byte { return []byte(example) }
