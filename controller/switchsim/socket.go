package switchsim

import (
	"bufio"
	"context"
	"net"
	"strings"
	"time"

	"go.uber.org/zap"

	"tapdeck/controller/switchsim/eventsocket"
)

const (
	defaultPort = "8084"
	maxHosts    = 50
)

// hostList splits the socket action's address: hosts tried in order, and their
// paths. A host without a port has the port of the one before it (F4).
func hostList(address string) (hosts, paths []string) {
	port := defaultPort
	for i, h := range strings.Split(address, "|") {
		if i == maxHosts {
			break
		}
		h, path, _ := strings.Cut(strings.TrimSpace(h), "/")
		if host, p, err := net.SplitHostPort(h); err == nil {
			h, port = host, p
		}
		hosts = append(hosts, net.JoinHostPort(strings.Trim(h, "[]"), port))
		paths = append(paths, path)
	}
	return hosts, paths
}

// socket runs the socket action. It returns when the channel is hung up or
// the controller has let it go.
func (c *Call) socket(ctx context.Context) {
	data := c.spec.socketData()
	id := c.beginApp("socket", data, "")
	if conn := c.connectController(ctx); conn == nil {
		close(c.socketOver)
	} else {
		c.wg.Go(func() { c.serve(conn) })
		c.control()
	}
	c.endApp("socket", data, id, "")
}

// connectController tries the hosts in order, within the operating system's own patience.
func (c *Call) connectController(ctx context.Context) net.Conn {
	hosts, paths := hostList(c.spec.Address)
	var d net.Dialer
	for i, host := range hosts {
		conn, err := d.DialContext(ctx, "tcp", host)
		if err != nil {
			c.sw.log.Debug("controller not reached", zap.String("call", c.uuid), zap.String("peer", host), zap.Error(err))
			continue
		}
		name, _, _ := net.SplitHostPort(host)
		c.setVars(header{Name: "socket_path", Value: paths[i]}, header{Name: "socket_host", Value: name})
		c.mu.Lock()
		c.listener = eventsocket.NewListener(conn, c.uuid)
		c.report.Controller, c.report.Connected = host, time.Now()
		c.mu.Unlock()
		if ctx.Err() != nil {
			conn.Close() // torn down while it was being connected
		}
		c.note("connected", host)
		return conn
	}
	return nil
}

// serve reads the controller's commands until its socket is over.
func (c *Call) serve(conn net.Conn) {
	defer c.endSocket(conn)
	r := bufio.NewReaderSize(conn, 512)
	conn.SetReadDeadline(time.Now().Add(c.sw.cfg.ConnectWait))
	for first := true; ; first = false {
		cmd, err := eventsocket.ReadCommand(r)
		if err != nil {
			c.silentController(first, err)
			return
		}
		if first {
			conn.SetReadDeadline(time.Time{})
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
func (c *Call) silentController(first bool, err error) {
	timeout, ok := err.(net.Error)
	if first && ok && timeout.Timeout() && !c.isHungUp() {
		c.mu.Lock()
		c.report.Faults = append(c.report.Faults, "controller sent no command")
		c.mu.Unlock()
	}
	c.listener.Notice(c.notice("disconnect"), true)
}

// endSocket wakes the channel: the controller is gone.
func (c *Call) endSocket(conn net.Conn) {
	conn.Close()
	c.listener.Drop(false)
	c.sw.bus.Remove(c.listener)
	c.mu.Lock()
	c.report.SocketClosed = time.Now()
	c.mu.Unlock()
	close(c.socketOver)
	c.poke()
}

func (c *Call) poke() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// Transfer takes the parked call away from its controller, as uuid_transfer by
// somebody else does: the dialplan goes on with the next action, and the event
// socket stays open (F10).
func (c *Call) Transfer() { c.transferOnce.Do(func() { close(c.transferred) }) }

// control is the channel's thread while the controller has the call: parked
// in async mode, executing what it is sent; in sync mode doing so within the
// command itself.
func (c *Call) control() {
	if !c.spec.async() {
		c.controlSync()
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
	c.emit("CHANNEL_UNPARK")
}

// awaitConnect waits for the controller's connect. It returns false if the
// controller goes before: nobody will ever let the call go.
func (c *Call) awaitConnect() bool {
	select {
	case <-c.connected:
		c.sleep(time.Duration(float64(time.Millisecond) * c.sw.cfg.Speed))
		return true
	case <-c.socketOver:
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
func (c *Call) awaitMessage() bool {
	for !c.queued() {
		select {
		case <-c.hungUp:
			return false
		case <-c.socketOver:
			return c.queued() && c.sleep(FrameDuration)
		case <-c.transferred:
			return false
		case <-c.wake:
		}
	}
	return c.sleep(FrameDuration)
}

// sleep waits a media duration; false means that the call was hung up first.
func (c *Call) sleep(media time.Duration) bool {
	t := time.NewTimer(c.sw.real(media))
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-c.hungUp:
		return false
	}
}

func (c *Call) queued() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.queue) > 0
}

func (c *Call) enqueue(cmd *eventsocket.Command) {
	c.mu.Lock()
	c.queue = append(c.queue, cmd)
	c.mu.Unlock()
	c.poke()
}

// dequeue returns nil if nothing is queued.
func (c *Call) dequeue() *eventsocket.Command {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.queue) == 0 {
		return nil
	}
	cmd := c.queue[0]
	c.queue = c.queue[1:]
	return cmd
}

// executeQueued executes what is queued, one after the other.
func (c *Call) executeQueued() {
	for !c.isHungUp() {
		cmd := c.dequeue()
		if cmd == nil {
			return
		}
		c.message(cmd)
	}
}

// message executes one sendmsg in the channel's thread.
func (c *Call) message(cmd *eventsocket.Command) {
	switch strings.ToLower(cmd.Get("call-command")) {
	case "execute":
		c.executeMessage(cmd)
	case "hangup":
		cause := cmd.Get("hangup-cause")
		if cause == "" {
			cause = "NORMAL_CLEARING"
		}
		c.hangup(cause, "controller")
	}
}

// executeMessage executes an application.
func (c *Call) executeMessage(cmd *eventsocket.Command) {
	data := cmd.Get("execute-app-arg")
	if data == "" && strings.EqualFold(cmd.Get("Content-Type"), "text/plain") {
		data = cmd.Body
	}
	c.setVars(header{Name: "current_loop", Value: "1"}, header{Name: "total_loops", Value: "1"})
	defer c.setVars(header{Name: "current_loop"}, header{Name: "total_loops"})
	c.execute(cmd.Get("execute-app-name"), data, cmd.Get("Event-UUID"), isTrue(cmd.Get("event-lock")))
}

// noticeHangup tells the controller that the channel is gone: with linger the
// socket stays a while, without it ends (F31 to F33).
func (c *Call) noticeHangup() {
	c.mu.Lock()
	l, linger := c.listener, c.linger
	c.mu.Unlock()
	if l == nil {
		return
	}
	if linger == noLinger {
		l.Notice(c.notice("disconnect"), true)
		return
	}
	c.mu.Lock()
	c.report.Lingered = true
	c.mu.Unlock()
	l.Notice(c.notice("linger"), false)
	if linger >= 0 {
		c.wg.Go(func() { c.endLinger(l, time.Duration(linger)*time.Second) })
	}
}

// endLinger closes the socket after its seconds: FreeSWITCH counts whole ones,
// so it takes up to one more.
func (c *Call) endLinger(l *eventsocket.Listener, d time.Duration) {
	t := time.NewTimer(d + 800*time.Millisecond)
	defer t.Stop()
	select {
	case <-t.C:
		l.Notice(c.notice("disconnect"), true)
	case <-c.socketOver:
	}
}

// controlSync waits in sync mode, where commands execute in the socket's
// goroutine. A hung up channel stays in the socket action until that ends (F6).
func (c *Call) controlSync() {
	select {
	case <-c.socketOver:
		return
	case <-c.hungUp:
	}
	c.syncThread.Lock() // no application runs now
	c.noticeHangup()
	c.syncThread.Unlock()
	<-c.socketOver
}

func isTrue(s string) bool {
	switch strings.ToLower(s) {
	case "true", "yes", "on", "1", "t", "y", "enabled", "active", "allow":
		return true
	}
	return false
}
