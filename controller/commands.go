package controller

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"tapdeck/controller/esl"
	"tapdeck/controller/flow"
)

// bgapi sends an API command and returns the UUID of its job.
func (c *call) bgapi(ctx context.Context, command string) (job string, err error) {
	job, err = c.conn.BgAPI(context.WithoutCancel(ctx), command)
	if err != nil {
		return "", c.commandEnd(command, err)
	}
	return job, nil
}

// api runs an API command and waits for its answer, which is empty if the
// switch gives none in time. What interrupts the call leaves it unanswered: see
// awaitAnswer.
func (c *call) api(ctx context.Context, command string) (answer string, err error) {
	c.answered = ""
	if c.job, err = c.bgapi(ctx, command); err != nil {
		return "", err
	}
	err = c.wait(ctx, c.ctl.cfg.CommandTimeout, func() bool { return c.job == "" })
	if errors.Is(err, flow.ErrTimeout) {
		c.job = ""
		return "", nil
	}
	return c.answered, err
}

// isRefusal says whether the answer to an API command is an error of the switch; it may give none.
func isRefusal(answer string) bool { return answer != "" && !strings.HasPrefix(answer, "+OK") }

// awaitJob waits for the answer to an API command; "" is none that was given.
func (c *call) awaitJob(ctx context.Context, job string) {
	c.job = job
	c.awaitAnswer(ctx)
}

// awaitAnswer waits for the answer to the latest API command, if it has none yet: the next one
// could overtake it (F15), and what undoes it would come first.
func (c *call) awaitAnswer(ctx context.Context) {
	c.waitAfterPlan(ctx, c.ctl.cfg.CommandTimeout, func() bool { return c.job == "" })
}

// commandEnd returns how a call ends whose command could not be given.
func (c *call) commandEnd(command string, err error) error {
	var reply *esl.ReplyError
	switch {
	case errors.As(err, &reply):
		return &callEnd{result: Failed, err: err, hint: "FreeSWITCH refused a command that every `async full` socket may give; is the switch older than 1.10?"}
	case errors.Is(err, esl.ErrUnsafe), errors.Is(err, esl.ErrTooLong):
		words := strings.Fields(command)
		name := strings.Join(words[:min(3, len(words))], " ") // not what follows: the URL of start is a secret
		return &callEnd{
			result: Failed, err: fmt.Errorf("give command %q: %w", name, err),
			hint: "a value of the plan, of a tapdeck_ channel variable, or sink.advertise holds a line break, or is too long for FreeSWITCH",
		}
	}
	return c.connectionEnd()
}
