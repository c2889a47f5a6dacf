package controller

import (
	"maps"
	"strings"
	"unicode/utf8"

	"tapdeck/controller/esl"
)

// maxVariable is how many bytes of a channel variable's value are kept.
const maxVariable = 1024

// recordedVariables are those of Config.Variables that ev has, over the earlier ones, which stay
// as they are. nil is none.
func (c *Controller) recordedVariables(ev *esl.Event, earlier map[string]string) map[string]string {
	variables := maps.Clone(earlier)
	for _, name := range c.cfg.Variables {
		value := ev.Get(variablePrefix + name)
		if value == "" {
			continue
		}
		if variables == nil {
			variables = make(map[string]string, len(c.cfg.Variables))
		}
		variables[name] = strings.Clone(clipped(value)) // not the whole event, of which it is a part
	}
	return variables
}

// clipped is a value in valid UTF-8, maxVariable bytes of it at most.
func clipped(value string) string {
	value = strings.ToValidUTF8(value[:min(len(value), maxVariable+utf8.UTFMax)], "\ufffd")
	if len(value) <= maxVariable {
		return value
	}
	end := maxVariable
	for !utf8.RuneStart(value[end]) {
		end--
	}
	return value[:end]
}
