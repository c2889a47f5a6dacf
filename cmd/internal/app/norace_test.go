//go:build !race

package app

// simultaneousCalls is how many calls are placed at one moment.
const simultaneousCalls = 200
