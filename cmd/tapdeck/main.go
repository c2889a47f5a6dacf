package main

import (
	"context"
	"os"
)

func main() {
	if os.Getenv(configVariable) == "" {
		os.Unsetenv(configVariable) // as compose files leave it: empty is not set
	}
	m := &program{Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Environ: os.Environ()}
	os.Exit(m.Run(context.Background(), os.Args[1:]))
}
