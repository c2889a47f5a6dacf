// Package agent is one call's conversation with a bot.
package agent
