package app

import (
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// A part of the daemon that panics has ended with an error, and its stack is in the log.
func TestPanicOfAPart(t *testing.T) {
	core, logs := observer.New(zap.InfoLevel)
	part := start(zap.New(core), "sink", func() error { panic("told to") })
	if err := part.wait(); err == nil || !strings.Contains(err.Error(), "told to") {
		t.Errorf("error %v", err)
	}
	lines := logs.FilterMessage("panic").FilterLevelExact(zap.ErrorLevel).All()
	if len(lines) != 1 {
		t.Fatalf("%d lines", len(lines))
	}
	fields := lines[0].ContextMap()
	if stack, _ := fields["stack"].(string); !strings.Contains(stack, "TestPanicOfAPart") || fields["hint"] == "" || fields["cause"] != "sink" {
		t.Errorf("line %v", fields)
	}
}
