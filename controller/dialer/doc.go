// Package dialer is the client side of a WebSocket to a service of somebody else's: a bot, a recogniser.
package dialer
