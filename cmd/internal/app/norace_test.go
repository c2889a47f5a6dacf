//go:build !race

package main

// simultaneousCalls is how many calls are placed at one moment.
const simultaneousCalls = 200
