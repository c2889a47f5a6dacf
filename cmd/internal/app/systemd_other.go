//go:build !linux

package main

// monotonicMicros is only asked for under systemd.
func monotonicMicros() int64 { return 0 }
