// Package flow is what a plan is made of: its steps, one file each. A Step says its name, what
// it needs of the switch, how long it can take, where in a plan it may stand and what a caller
// hears of it, and it runs against a Channel, which is the call.
//
// Everything that has to know of a plan asks its steps: the call's runner and its dead man's
// switch, the preview of a plan, the doctor, the record's timeline. So a further step is one
// type, whose tags say how its values are written (as in cmd/internal/config), and its line in
// that package's table of steps. Nothing else in the tree knows of it.
//
// The flat form of a plan is a Flat, which expands to steps that go by the names that the flat
// form has always given them.
//
// The package starts no goroutine: steps run in the call's own, one at a time. It never speaks
// to the switch or to the sink but by a Channel.
package flow
