package controller_test

import (
	"flag"
	"testing"

	"go.uber.org/goleak"
)

// TestMain runs more tests at a time than there are cores: they mostly wait.
func TestMain(m *testing.M) {
	if err := flag.Set("test.parallel", "6"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}
