package doctor

import (
	"context"
	"errors"
	"net"
	"syscall"

	"go.uber.org/zap"

	"tapdeck/controller/esl"
)

// eventSocket is the name of the check that everything else needs.
const eventSocket = "event socket"

// connect logs in to the event socket.
func (x *examination) connect(ctx context.Context) bool {
	settings := esl.DefaultConfig()
	settings.ConnectTimeout, settings.ReplyTimeout = x.timeouts.connect, x.timeouts.answer
	limited, cancel := context.WithTimeoutCause(ctx, x.timeouts.connect, errSilent)
	defer cancel()
	conn, err := esl.Dial(limited, x.FreeSWITCH, x.Password, settings, zap.NewNop())
	switch {
	case err == nil:
		x.conn = conn
		x.pass(eventSocket, "%s answers, and accepts the password", x.FreeSWITCH)
		return true
	case ctx.Err() == nil:
		x.notConnected(err)
	}
	return false
}

// notConnected reports why there is no event socket.
func (x *examination) notConnected(err error) {
	const file = "autoload_configs/event_socket.conf.xml"
	var dial *net.OpError
	seen, todo := "", "does --freeswitch name listen-ip and listen-port of "+file+"?"
	switch {
	case errors.Is(err, esl.ErrAuth):
		seen, todo = "refuses the password", "give the one of "+file+" with --password-file or TAPDECK_FREESWITCH_PASSWORD"
	case errors.Is(err, esl.ErrUnsafe):
		seen, todo = "can't be given this password: it has a line end in it", "give the one of "+file
	case errors.Is(err, esl.ErrRejected):
		seen, todo = "refuses this machine's address", "add it to the access list that apply-inbound-acl of "+file+" names, or run doctor on the switch's own machine"
	case errors.Is(err, syscall.ECONNREFUSED):
		seen, todo = "refuses the connection: nothing listens there", "is FreeSWITCH running, with mod_event_socket loaded? "+todo
	case errors.As(err, &dial) && !dial.Timeout():
		seen = "can't be reached (" + dial.Err.Error() + ")"
	default:
		seen = "is no event socket: " + ended(err, x.timeouts.connect)
	}
	x.report(Fail, eventSocket, todo, "%s %s", x.FreeSWITCH, seen)
}
