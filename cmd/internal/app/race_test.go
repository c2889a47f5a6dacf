//go:build race

package app

// simultaneousCalls is less under the race detector, which makes a call several
// times as dear: two cores could not answer 200 within the module's second.
const simultaneousCalls = 40
