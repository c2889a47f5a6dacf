package switchsim

import (
	"bufio"
	"context"
	"net"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"tapdeck/controller/switchsim/eventsocket"
)

// outbound is one event socket of a call, and what its controller has done. A call that was
// transferred to a socket action again, or whose dialplan has several, has had several.
type outbound struct {
	*Call
	async, full bool
	conn        net.Conn
	listener    *eventsocket.Listener

	connected   chan struct{} // closed when the controller has said connect
	connectOnce sync.Once
	over        chan struct{} // closed when the socket is over
	released    chan struct{} // closed when the end of another socket has unparked the channel (F95)

	// Protected by the call's mutex.
	linger   int  // seconds; -1 without end; noLinger
	resumed  bool // resume was given
	executed bool // the channel's thread has executed something: so it has parked
	stranded bool // nobody has the channel, or will
}

// socket runs a socket action. It returns when the channel is hung up, transferred, or let
// go by the controller.
func (c *Call) socket(ctx context.Context, address, arguments string) {
	c.setFrame(-1)
	data := socketData(address, arguments)
	id := c.beginApp("socket", data, "")
	k := c.connectController(ctx, address, arguments)
	if k != nil {
		c.wg.Go(k.serve)
		k.run()
		c.mu.Lock()
		c.current = nil
		c.mu.Unlock()
	}
	c.endApp("socket", data, id, "")
}

// connectController tries the hosts in order, within the operating system's own patience.
func (c *Call) connectController(ctx context.Context, address, arguments string) *outbound {
	hosts, paths := hostList(address)
	var d net.Dialer
	for i, host := range hosts {
		conn, err := d.DialContext(ctx, "tcp", host)
		if err != nil {
			c.sw.log.Debug("controller not reached", zap.String("call", c.uuid), zap.String("peer", host), zap.Error(err))
			continue
		}
		name, _, _ := net.SplitHostPort(host)
		c.setVars(header{Name: "socket_path", Value: paths[i]}, header{Name: "socket_host", Value: name})
		k := c.newOutbound(conn, arguments)
		c.mu.Lock()
		c.report.Controller, c.report.Connected = host, time.Now()
		c.mu.Unlock()
		if ctx.Err() != nil {
			conn.Close() // torn down while it was being connected
		}
		c.note("connected", host)
		return k
	}
	return nil
}

func (c *Call) newOutbound(conn net.Conn, arguments string) *outbound {
	k := &outbound{
		Call: c, async: hasWord(arguments, "async"), full: hasWord(arguments, "full"), conn: conn,
		listener:  eventsocket.NewListener(conn, c.uuid),
		connected: make(chan struct{}), over: make(chan struct{}), released: make(chan struct{}), linger: noLinger,
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.outbounds, c.listeners, c.current = append(slices.Clip(c.outbounds), k), append(slices.Clip(c.listeners), k.listener), k
	return k
}

// allOutbounds returns every event socket that the call has had.
func (c *Call) allOutbounds() []*outbound {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.outbounds
}

// serve reads the controller's commands until its socket is over.
func (c *outbound) serve() {
	defer c.endSocket()
	r := bufio.NewReaderSize(c.conn, 512)
	c.conn.SetReadDeadline(time.Now().Add(c.sw.cfg.ConnectWait))
	for first := true; ; first = false {
		cmd, err := eventsocket.ReadCommand(r)
		if err != nil {
			c.silentController(first, err)
			return
		}
		if first {
			c.conn.SetReadDeadline(time.Time{})
			c.mu.Lock()
			c.report.FirstCommand = time.Now()
			c.mu.Unlock()
		}
		if !c.handle(cmd) {
			return
		}
	}
}

// silentController ends a socket that is over, or on which no first command
// came in time.
func (c *outbound) silentController(first bool, err error) {
	timeout, ok := err.(net.Error)
	if first && ok && timeout.Timeout() && !c.isHungUp() {
		c.fault("controller sent no command")
	}
	c.listener.Notice(c.notice("disconnect"), true)
}

// endSocket wakes the channel: the controller is gone.
func (c *outbound) endSocket() {
	c.conn.Close()
	c.listener.Drop(false)
	c.sw.bus.Remove(c.listener)
	c.letGo()
	close(c.over)
	c.poke()
}

// letGo decides what the end of the socket does to the channel. One that its thread has not
// parked for yet is not noticed: so that a test finds it each time, the thread parks with the
// first application that it executes, or with resume (F8). Without async, resume strands (F94).
// If the call has gone on to something else, the socket's end unparks that (F95).
func (c *outbound) letGo() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.report.SocketClosed = time.Now()
	if c.state.cause != "" {
		return
	}
	if c.current != c {
		c.unparkOther()
		return
	}
	c.stranded = c.async != c.resumed && !(c.async && c.executed)
	c.report.Stranded = c.report.Stranded || c.stranded
}

// unparkOther is the end of the socket of a call that has gone on. It needs c.mu.
func (c *outbound) unparkOther() {
	c.report.Stranded = c.report.Stranded || c.resumed || isTrue(c.state.vars.get("socket_resume"))
	switch {
	case c.current != nil:
		select {
		case <-c.current.released:
		default:
			close(c.current.released)
		}
	case c.inPark:
		select {
		case c.breaks <- struct{}{}:
		default:
		}
	}
}

// noteResume is what resume does, if cmd is one.
func (c *outbound) noteResume(cmd *eventsocket.Command) {
	if word, _ := cmd.Word(); word != "resume" {
		return
	}
	c.mu.Lock()
	c.resumed = true
	c.mu.Unlock()
	c.setVar("socket_resume", "true")
}

// run is the channel's thread while the controller has the call: parked
// in async mode, executing what it is sent; in sync mode doing so within the
// command itself.
func (c *outbound) run() {
	if !c.async {
		c.runSync()
		return
	}
	controlled := c.awaitConnect()
	c.emit("CHANNEL_PARK")
	if !controlled {
		<-c.hungUp // parked with nobody in control, until the caller gives up (F2)
	}
	for c.awaitMessage() {
		c.executeQueued()
	}
	c.staysStranded()
	c.emit("CHANNEL_UNPARK")
}

// staysStranded waits for the hangup if nothing else can end the call.
func (c *outbound) staysStranded() {
	c.mu.Lock()
	stranded := c.stranded
	c.mu.Unlock()
	if stranded {
		<-c.hungUp
	}
}

// awaitConnect waits for the controller's connect. It returns false if the
// controller goes before: nobody will ever let the call go.
func (c *outbound) awaitConnect() bool {
	select {
	case <-c.connected:
		c.sleep(time.Duration(float64(time.Millisecond) * c.sw.cfg.Speed))
		return true
	case <-c.over:
		select {
		case <-c.connected: // before it went
			return true
		default:
			return false
		}
	case <-c.hungUp:
		return true
	}
}

// awaitMessage waits until something is to be executed, then until the next media
// frame. It returns false when the channel is hung up or let go.
func (c *outbound) awaitMessage() bool {
	leaving := c.leavingNow()
	c.setFrame(-1)
	for !c.queued() {
		select {
		case <-c.hungUp:
			return false
		case <-c.over:
			return c.queued() && c.awaitTick()
		case <-leaving: // at the next frame; what is queued by then is executed first (F120)
			return c.awaitTick() && c.queued()
		case <-c.released:
			return false
		case <-c.wake:
		}
	}
	return c.awaitTick()
}

// executeQueued executes what is queued, one after the other.
func (c *outbound) executeQueued() {
	c.mu.Lock()
	c.executed = true
	c.mu.Unlock()
	for !c.isHungUp() {
		if c.queued() {
			c.passFrame()
		}
		cmd := c.dequeue() // what a break has left
		if cmd == nil {
			return
		}
		c.message(cmd)
	}
}

// noticeHangup tells the controller that the channel is gone: with linger the
// socket stays a while, without it ends (F31 to F33).
func (c *outbound) noticeHangup() {
	c.mu.Lock()
	linger := c.linger
	c.mu.Unlock()
	if linger == noLinger {
		c.listener.Notice(c.notice("disconnect"), true)
		return
	}
	c.mu.Lock()
	c.report.Lingered = true
	c.mu.Unlock()
	c.listener.Notice(c.notice("linger"), false)
	if linger >= 0 {
		c.wg.Go(func() { c.endLinger(time.Duration(linger) * time.Second) })
	}
}

// endLinger closes the socket after its seconds: FreeSWITCH counts whole ones,
// so it takes up to one more.
func (c *outbound) endLinger(d time.Duration) {
	t := time.NewTimer(d + 800*time.Millisecond)
	defer t.Stop()
	select {
	case <-t.C:
		c.listener.Notice(c.notice("disconnect"), true)
	case <-c.over:
	}
}

// runSync waits in sync mode, where commands execute in the socket's
// goroutine. A hung up channel stays in the socket action until that ends (F6).
func (c *outbound) runSync() {
	select {
	case <-c.over:
		c.staysStranded()
		return
	case <-c.hungUp:
	}
	c.syncThread.Lock() // no application runs now
	c.noticeHangup()
	c.syncThread.Unlock()
	<-c.over
}
