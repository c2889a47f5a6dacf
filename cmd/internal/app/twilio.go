package app

import (
	"cmp"
	"errors"

	"tapdeck/cmd/internal/admin"
	"tapdeck/controller/agent"
	"tapdeck/controller/flow"
)

// twilio is what bots that were written for Twilio find at the admin listener.
func (d *Daemon) twilio() *admin.Twilio {
	return &admin.Twilio{Accounts: d.twilioAccounts, CallSID: agent.CallSID, HangUp: d.controller.HangUp}
}

// twilioAccounts are those of the plans in effect, for each bot that has an auth token.
func (d *Daemon) twilioAccounts() (accounts []admin.Account, err error) {
	loaded := d.loaded.Load()
	for _, name := range loaded.PlanNames() {
		plan, _ := loaded.Plan(name)
		for _, step := range plan.Steps {
			bot, is := step.(*flow.Agent)
			if !is {
				continue
			}
			token, bad := bot.TwilioToken()
			err = errors.Join(err, bad)
			if token != "" {
				accounts = append(accounts, admin.Account{Plan: name, SID: cmp.Or(bot.AccountSID, agent.AccountSID(loaded.Config.InstanceName())), Token: token})
			}
		}
	}
	return accounts, err
}
