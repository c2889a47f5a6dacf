package switchsim

import (
	"net"
	"strings"
	"time"

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

func (c *Call) poke() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// sleep waits a media duration; false means that the call was hung up first.
func (c *Call) sleep(media time.Duration) bool { return c.sleepReal(c.sw.real(media)) }

// sleepUntil is sleep until a time.
func (c *Call) sleepUntil(t time.Time) bool { return c.sleepReal(time.Until(t)) }

// sleepReal is sleep for a real duration.
func (c *Call) sleepReal(d time.Duration) bool {
	t := time.NewTimer(d)
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

// message executes one sendmsg in the channel's thread.
func (c *Call) message(cmd *eventsocket.Command) {
	switch strings.ToLower(cmd.Get("call-command")) {
	case "execute":
		c.executeMessage(cmd)
	case "hangup":
		c.hangup(causeOf(cmd.Get("hangup-cause")), "controller")
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

func isTrue(s string) bool {
	switch strings.ToLower(s) {
	case "true", "yes", "on", "1", "t", "y", "enabled", "active", "allow":
		return true
	}
	return false
}
