package main

import (
	"context"
	"os"
)

func main() {
	m := &program{Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Environ: os.Environ()}
	os.Exit(m.Run(context.Background(), os.Args[1:]))
}
