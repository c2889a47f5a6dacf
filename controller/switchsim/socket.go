package switchsim

import (
	"bufio"
	"context"
	"net"
	"strconv"
	"strings"
	"time"

	"go.uber.org/zap"
)

const (
	defaultPort = "8084"
	maxHosts    = 50
)

// hostList splits the socket action's address: hosts tried in order, and the
// path of the first that has one. A host without a port has the port of the
// one before it.
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
	data := socketData(&c.spec)
	id := c.beginApp("socket", data, "")
	if conn := c.connectController(ctx); conn == nil {
		close(c.gone)
	} else {
		c.wg.Add(1)
		go func() {
			defer c.wg.Done()
			c.serve(conn)
		}()
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
		c.setVars(header{"socket_path", paths[i]}, header{"socket_host", name})
		c.mu.Lock()
		c.listener = newListener(c.sw, conn, c.uuid)
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
	defer c.socketOver(conn)
	r := bufio.NewReaderSize(conn, 512)
	conn.SetReadDeadline(time.Now().Add(c.sw.cfg.ConnectWait))
	for first := true; ; first = false {
		cmd, err := readCommand(r)
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
	if first && ok && timeout.Timeout() && !c.isHung() {
		c.mu.Lock()
		c.report.Faults = append(c.report.Faults, "controller sent no command")
		c.mu.Unlock()
	}
	c.listener.notice(disconnectNotice(c.uuid), true)
}

// socketOver wakes the channel: the controller is gone.
func (c *Call) socketOver(conn net.Conn) {
	conn.Close()
	c.listener.drop(false)
	c.sw.unlisten(c.listener)
	c.mu.Lock()
	c.report.SocketClosed = time.Now()
	c.mu.Unlock()
	close(c.gone)
	c.poke()
}

func (c *Call) poke() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// Transfer takes the parked call away from its controller, as uuid_transfer by
// somebody else does: the dialplan goes on with the next action. The event socket
// stays open, and nothing but CHANNEL_EXECUTE_COMPLETE of socket tells of it.
func (c *Call) Transfer() { c.transfer.Do(func() { close(c.elsewhere) }) }

// control is the channel's thread while the controller has the call: parked
// in async mode, executing what it is sent; in sync mode doing so within the
// command itself.
func (c *Call) control() {
	if !c.spec.async() {
		c.controlSync()
		return
	}
	taken := c.untilTaken()
	c.emit(&event{name: "CHANNEL_PARK", calling: calling{"switch_ivr.c", "switch_ivr_park", 1002}})
	if !taken {
		<-c.hung // parked with nobody in control, until the caller gives up
	}
	for c.parkedOn() {
		c.drain()
	}
	c.emit(&event{name: "CHANNEL_UNPARK", calling: calling{"switch_ivr.c", "switch_ivr_park", 1170}})
}

// untilTaken waits for the controller's connect. A controller that goes
// before has not taken the call, and nobody will ever let it go.
func (c *Call) untilTaken() bool {
	select {
	case <-c.taken:
		c.sleep(time.Duration(float64(time.Millisecond) * c.sw.cfg.Speed))
		return true
	case <-c.gone:
		select {
		case <-c.taken: // before it went
			return true
		default:
			return false
		}
	case <-c.hung:
		return true
	}
}

// parkedOn waits until something is to be executed, then until the next media
// frame. It returns false when the channel is hung up or let go.
func (c *Call) parkedOn() bool {
	for !c.queued() {
		select {
		case <-c.hung:
			return false
		case <-c.gone:
			return c.queued() && c.sleep(FrameDuration)
		case <-c.elsewhere:
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
	case <-c.hung:
		return false
	}
}

func (c *Call) queued() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.queue) > 0
}

func (c *Call) enqueue(cmd *command) {
	c.mu.Lock()
	c.queue = append(c.queue, cmd)
	c.mu.Unlock()
	c.poke()
}

func (c *Call) dequeue() *command {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.queue) == 0 {
		return nil
	}
	cmd := c.queue[0]
	c.queue = c.queue[1:]
	return cmd
}

// drain executes what is queued, one after the other.
func (c *Call) drain() {
	for !c.isHung() {
		cmd := c.dequeue()
		if cmd == nil {
			return
		}
		c.message(cmd)
	}
}

// message executes one sendmsg in the channel's thread.
func (c *Call) message(cmd *command) {
	switch strings.ToLower(cmd.get("call-command")) {
	case "execute":
		c.executeMessage(cmd)
	case "hangup":
		cause := cmd.get("hangup-cause")
		if cause == "" {
			cause = "NORMAL_CLEARING"
		}
		c.hangup(cause, "controller")
	}
}

// executeMessage executes an application, as often as loops says; one that
// took less than half a second is not repeated.
func (c *Call) executeMessage(cmd *command) {
	loops, err := strconv.Atoi(cmd.get("loops"))
	if err != nil {
		loops = 1
	}
	app, data := cmd.get("execute-app-name"), cmd.get("execute-app-arg")
	if data == "" && strings.EqualFold(cmd.get("Content-Type"), "text/plain") {
		data = cmd.body
	}
	lock := isTrue(cmd.get("event-lock"))
	defer c.setVars(header{"current_loop", ""}, header{"total_loops", ""})
	for i := 1; loops < 0 || i <= loops; i++ {
		began := time.Now()
		c.setVars(header{"current_loop", strconv.Itoa(i)}, header{"total_loops", strconv.Itoa(loops)})
		c.execute(app, data, cmd.get("Event-UUID"), lock)
		if c.isHung() || time.Since(began) < c.sw.real(500*time.Millisecond) {
			return
		}
	}
}

// sayGoodbye tells the controller that the channel is gone: with linger the
// socket stays a while, without it ends.
func (c *Call) sayGoodbye() {
	c.mu.Lock()
	l, linger := c.listener, c.linger
	c.mu.Unlock()
	if l == nil {
		return
	}
	if linger == noLinger {
		l.notice(disconnectNotice(c.uuid), true)
		return
	}
	c.mu.Lock()
	c.report.Lingered = true
	c.mu.Unlock()
	l.notice(lingerNotice(c.uuid, c.state.profile.name, linger), false)
	if linger < 0 {
		return
	}
	c.wg.Add(1)
	go func() {
		defer c.wg.Done()
		c.endLinger(l, time.Duration(linger)*time.Second)
	}()
}

// endLinger closes the socket after its seconds: FreeSWITCH counts whole ones,
// so it takes up to one more.
func (c *Call) endLinger(l *listener, d time.Duration) {
	t := time.NewTimer(d + 800*time.Millisecond)
	defer t.Stop()
	select {
	case <-t.C:
		l.notice(disconnectNotice(c.uuid), true)
	case <-c.gone:
	}
}

func isTrue(s string) bool {
	switch strings.ToLower(s) {
	case "true", "yes", "on", "1", "t", "y", "enabled", "active", "allow":
		return true
	}
	return false
}
