//go:build race

package sink

// raced says that the race detector watches. Its runtime bears no more than some ten
// thousand acts of synchronisation of one goroutine in a bubble of fake time, so that
// the longest tests are shorter there.
const raced = true
