package inbound

import (
	"bufio"
	"context"
	"errors"
	"net"
	"strconv"
	"sync"

	"github.com/google/uuid"

	"tapdeck/controller/switchsim/eventsocket"
)

// Server is the inbound event socket: clients log in, ask, and subscribe.
type Server struct {
	Password string
	Bus      *eventsocket.Bus
	// API executes an API command, within ctx if it takes time.
	API func(ctx context.Context, line string) string
	// Job makes the event that answers a bgapi command.
	Job func(id, line, body string) *eventsocket.Event
}

// Serve accepts clients. It returns nil when ctx is done or ln is closed, and
// every connection and job of it has ended.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	stop := context.AfterFunc(ctx, func() { ln.Close() })
	defer stop()
	for {
		conn, err := ln.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return err
		}
		wg.Go(func() { s.serveClient(ctx, conn) })
	}
}

// client is one connection.
type client struct {
	*Server
	*eventsocket.Listener
	loggedIn bool
	jobs     sync.WaitGroup
}

func (s *Server) serveClient(ctx context.Context, conn net.Conn) {
	c := &client{Server: s, Listener: eventsocket.NewListener(conn, "")}
	stop := context.AfterFunc(ctx, func() { c.Drop(false) })
	defer stop()
	defer c.jobs.Wait()
	defer conn.Close()
	defer s.Bus.Remove(c.Listener)
	c.Reply("Content-Type: auth/request\n\n")
	r := bufio.NewReaderSize(conn, 512)
	for {
		cmd, err := eventsocket.ReadCommand(r)
		if err != nil {
			return
		}
		c.Begin()
		reply, keep := c.handle(ctx, cmd)
		c.Reply(reply)
		c.Done()
		if !keep {
			c.Notice("Content-Type: text/disconnect-notice\nContent-Length: "+strconv.Itoa(len(eventsocket.Goodbye))+"\n\n"+eventsocket.Goodbye, false)
			return
		}
	}
}

// handle executes one command; keep is false if the connection ends after the reply.
func (c *client) handle(ctx context.Context, cmd *eventsocket.Command) (reply string, keep bool) {
	word, rest := cmd.Word()
	switch {
	case word == "exit":
		return eventsocket.CommandReply("+OK bye"), false
	case word == "auth" && rest == c.Password:
		c.loggedIn = true
		return eventsocket.CommandReply("+OK accepted"), true
	case word == "auth":
		return eventsocket.CommandReply("-ERR invalid"), false
	case !c.loggedIn:
		return eventsocket.CommandReply(eventsocket.NotFound), true
	}
	return c.command(ctx, cmd, word, rest), true
}

// command executes what needs the password.
func (c *client) command(ctx context.Context, cmd *eventsocket.Command, word, rest string) string {
	switch word {
	case "api":
		return eventsocket.APIReply(c.API(ctx, rest))
	case "bgapi":
		return c.background(ctx, cmd.Get("Job-UUID"), rest)
	case "event":
		reply := c.Subscribe(rest)
		c.Bus.Add(c.Listener)
		return eventsocket.CommandReply(reply)
	case "nixevent":
		return eventsocket.CommandReply(c.Nix(rest))
	}
	return eventsocket.CommandReply(eventsocket.NotFound)
}

// background executes bgapi: the answer comes as an event.
func (c *client) background(ctx context.Context, job, line string) string {
	if job == "" {
		job = uuid.NewString()
	}
	c.jobs.Go(func() { c.Bus.Broadcast(c.Job(job, line, c.API(ctx, line))) })
	return eventsocket.JobReply(job)
}
