package main

import (
	"fmt"
	"runtime"

	"tapdeck/cmd/internal/app"
)

type versionCommand struct{}

// Run prints the version of the build.
func (versionCommand) Run(p *program) error {
	_, err := fmt.Fprintf(p.Stdout, "tapdeck %s %s %s/%s\n", app.Version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}
