package controller

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"tapdeck/controller/esl"
)

// Plans chooses the plan of a call from its channel variables and from the path
// of its socket action. It returns an error for each value that it could not use,
// which names the variable, its value and the rule; the plan is always usable.
type Plans func(variables Variables, socketPath string) (Plan, []error)

// Variables are the channel variables of a call, without the event socket's variable_.
// Only those are there that Headers names: tapdeck_* and a few that FreeSWITCH sets.
type Variables interface {
	// Get returns a variable's value, "" if it is not set.
	Get(name string) string
	// Names yields the names that begin with prefix, in lower case and in no order.
	Names(prefix string) iter.Seq[string]
}

// variables are those of a call's channel.
type variables struct{ channel *esl.Event }

const variablePrefix = "variable_"

// Get returns a copy: what a plan keeps of a value must not keep the whole reply to
// connect, of which the value is a part.
func (v variables) Get(name string) string {
	return strings.Clone(v.channel.Get(variablePrefix + name))
}

func (v variables) Names(prefix string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for name := range v.channel.Names(variablePrefix + prefix) {
			if !yield(strings.ToLower(name[len(variablePrefix):])) {
				return
			}
		}
	}
}

// ErrShutdown is the cause of the calls that a shutdown ends.
var ErrShutdown = errors.New("tapdeck was told to stop")

// Controller runs the calls that come in over event sockets.
type Controller struct {
	cfg       Config
	recorder  Recorder
	plans     Plans
	log       *zap.Logger
	metrics   *metrics
	ending    sync.WaitGroup // conversations that their calls wait for no more
	maxCalls  atomic.Int64
	draining  atomic.Bool
	lastWords atomic.Int64 // calls that wait for them

	mu       sync.Mutex
	running  map[*call]struct{}
	channels map[string][]*call // the running calls of each channel, the oldest first
	admitted int                // how many of running were not refused
	last     []Ended            // the latest ended calls
}

// MaxEnded is how many ended calls Ended remembers.
const MaxEnded = 1000

// New returns a controller that keeps its recordings with recorder and asks
// plans for each call's plan. It registers its metrics with reg.
func New(cfg Config, recorder Recorder, plans Plans, log *zap.Logger, reg prometheus.Registerer) *Controller {
	c := &Controller{cfg: cfg, recorder: recorder, plans: plans, log: log, metrics: newMetrics(reg), running: map[*call]struct{}{}, channels: map[string][]*call{}}
	c.SetMaxCalls(cfg.MaxCalls)
	return c
}

// SetMaxCalls changes how many calls run at once, from the next call on.
func (c *Controller) SetMaxCalls(n int) { c.maxCalls.Store(int64(n)) }

// Serve runs the calls that server accepts on ln. If ln is closed, it waits
// for the running calls to end by themselves and returns nil. If ctx is done,
// the calls are ended in order (streams closed, recordings published, channels
// hung up) within AbortTimeout, and its cause is returned.
func (c *Controller) Serve(ctx context.Context, ln net.Listener, server *esl.Server) error {
	connections, cut := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cut(nil)
	stop := context.AfterFunc(ctx, func() {
		ln.Close()
		time.AfterFunc(c.cfg.AbortTimeout, func() { cut(context.Cause(ctx)) })
	})
	defer stop()
	err := server.Serve(connections, ln, func(_ context.Context, conn *esl.Conn) { c.handle(ctx, conn) })
	c.ending.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// Drain refuses every call that is not running yet.
func (c *Controller) Drain() { c.draining.Store(true) }

// Draining says that Drain was called.
func (c *Controller) Draining() bool { return c.draining.Load() }

// Full says that one more call would be over MaxCalls.
func (c *Controller) Full() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return int64(c.admitted) >= c.maxCalls.Load()
}

// handle runs one call in its connection's goroutine.
func (c *Controller) handle(ctx context.Context, conn *esl.Conn) {
	var k *call
	defer func() {
		if p := recover(); p != nil {
			c.afterPanic(ctx, conn, k, p)
		}
	}()
	id := strings.Clone(conn.Channel().Get("Unique-ID")) // not the whole reply, of which it is a part
	peer := conn.RemoteAddr().String()
	if err := esl.CheckChannelID(id); err != nil {
		c.metrics.calls.WithLabelValues(string(Failed)).Inc()
		c.log.Error("call without a usable id", zap.String("peer", peer), zap.String("result", string(Failed)), zap.NamedError("err", err),
			zap.String("hint", nextAction+"; where does the id come from: origination_uuid, or a SIP Call-ID by inbound-use-callid-as-uuid?"))
		return
	}
	k = c.newCall(conn, id, peer)
	c.begin(k)
	defer k.voice.close()
	k.run(ctx)
}

// afterPanic keeps a panic within its connection: the other calls go on, and what was
// recorded is kept. k is nil if the call had not begun.
func (c *Controller) afterPanic(ctx context.Context, conn *esl.Conn, k *call, p any) {
	c.logPanic(conn, k, p)
	conn.Close()
	switch {
	case k == nil:
		c.metrics.calls.WithLabelValues(string(Failed)).Inc()
		return
	case k.ended:
		return
	}
	k.outcome.Result, k.outcome.Err, k.outcome.Hint, k.outcome.Ended = Failed, fmt.Sprint(p), panicHint, time.Now()
	defer func() { // to keep the record may panic, too
		if p := recover(); p != nil {
			c.logPanic(conn, k, p)
			if !k.ended {
				c.ended(k, nil)
			}
		}
	}()
	k.publish(context.WithoutCancel(ctx), 0)
	k.transcribing.stop()
	k.noteIncomplete()
	k.save()
}

func (c *Controller) logPanic(conn *esl.Conn, k *call, p any) {
	id := conn.Channel().Get("Unique-ID")
	if k != nil {
		id = k.channel
	}
	c.log.Error("call ended by a panic", zap.String("call", CallID(id)), zap.Stringer("peer", conn.RemoteAddr()),
		zap.String("result", string(Failed)), zap.String("err", fmt.Sprint(p)), zap.Stack("stack"), zap.String("hint", panicHint))
}

// panicHint is what to do about a panic.
const panicHint = "please report this with its stack; the other calls go on"

// newCall reads who calls whom and by which plan.
func (c *Controller) newCall(conn *esl.Conn, id, peer string) *call {
	channel := conn.Channel()
	of := variables{channel}
	plan, warnings := c.plans(of, of.Get("socket_path"))
	k := &call{ctl: c, conn: conn, channel: id, plan: plan, turn: make(chan struct{}, 1), cameBack: make(chan struct{}, 1), hangUp: make(chan struct{}, 1)}
	k.core = strings.Clone(channel.Get("Core-UUID"))
	k.terminators = strings.Clone(of.Get("playback_terminators"))
	// A controller that died has set this for this very channel, which has the variable then
	// that every call sets (setVariables), or for an earlier one whose id was no random UUID.
	k.leftOver = k.terminators != "" || uuid.Validate(id) != nil
	k.ringing = channel.Get("Answer-State") == "ringing"
	k.terminating, k.digits.Typeahead = k.terminators, plan.Typeahead
	k.info = Info{
		UUID:        CallID(id),
		Caller:      strings.Clone(channel.Get("Caller-Caller-ID-Number")),
		Destination: strings.Clone(channel.Get("Caller-Destination-Number")),
		Plan:        plan.Name,
		Peer:        peer,
		Started:     conn.AcceptedAt(),
		Variables:   c.recordedVariables(channel, nil),
	}
	k.log = c.log.With(zap.String("call", k.info.UUID))
	k.stream.c, k.stream.timer = k, time.NewTimer(time.Hour)
	k.stream.timer.Stop()
	k.voice.c = k
	k.status.Store(&Status{Info: k.info})
	k.log.Info("call started", zap.String("caller", k.info.Caller), zap.String("destination", k.info.Destination),
		zap.String("plan", plan.Name), zap.String("peer", peer))
	for _, w := range warnings {
		k.log.Warn("plan value ignored", zap.NamedError("err", w), zap.String("hint", "the plan's own value is used, or the plan default; correct the channel variable, or the socket action's path, in the dialplan"))
	}
	return k
}

// CallID returns the id of a channel as records have it: a UUID, which FreeSWITCH may write in
// any case, in lower case, and every other id as it is.
func CallID(channel string) string {
	if _, err := uuid.Parse(channel); err == nil && len(channel) == len(uuid.Nil.String()) {
		return strings.ToLower(channel)
	}
	return channel
}

// ended moves a call from the running to the ended ones. record is nil if none was kept.
func (c *Controller) ended(k *call, record Record) {
	c.metrics.calls.WithLabelValues(string(k.outcome.Result)).Inc()
	k.endStep()
	k.ended = true
	c.letGo(k)
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.running, k)
	e := Ended{Info: k.info, Outcome: k.outcome, Record: record}
	if record != nil { // which has them
		e.Info.Variables, e.Outcome.Variables = nil, nil
		e.Outcome.Timeline, e.Outcome.Digits, e.Outcome.Prompts, e.Outcome.Agent = nil, nil, nil, nil
	}
	e.Outcome.Transcript = nil // which may be long
	c.last = append(c.last, e)
	if len(c.last) > MaxEnded {
		c.last[0] = Ended{}
		c.last = c.last[1:]
	}
}
