//go:build !race

package sink

// raced says that the race detector watches.
const raced = false
