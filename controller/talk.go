package controller

import (
	"context"
	"errors"

	"tapdeck/controller/flow"
)

// Talk implements flow.Channel.
func (c *call) Talk(context.Context, *flow.Agent) (flow.TalkEnd, error) {
	return "", errors.New("no bot here yet")
}
