// Package config owns tapdeck's configuration: the file tapdeck.yaml, the
// environment (TAPDECK_ESL_LISTEN and so on) and the flags that override it.
//
// Every setting has a default, a type with a unit, bounds, an origin (default,
// file:line, environment, flag) and a word that says when a change of it takes
// effect. Input is read strictly: an unknown or repeated key, a value of the
// wrong type, without its unit or out of bounds is an error that names file,
// line, key, value and rule, and all errors are reported at once. A value is
// never guessed at, and never put in silently for a bad one.
//
// Load reads and checks, a Loaded answers for the plan of a call, Diff says
// what a reload changes, Timeline says what a caller of a plan will hear, and a
// Watcher reports changes of the file.
//
// The struct Config with its tags is the whole schema. A further key is a field
// with tags, its default, and its entry in example.yaml; a type that is written
// in a form of its own brings an UnmarshalText, and one that is more than a
// text a decodeNode.
//
// A plan is flat (answer_pause, tone, prompt, listen, …) or made of steps. The types of
// controller/flow with their tags are the schema of a step, and a further one is its line in
// stepTypes: nothing else here knows a single step.
//
// The package starts goroutines only for a Watcher (those of fsnotify), and
// Watcher.Run or Watcher.Close ends them. It never opens a listener, never
// writes a file, never logs and, but for the secrets that token_env,
// twilio_auth_token_env and key_env name, never reads the process's environment
// by itself: the caller hands it in.
package config
