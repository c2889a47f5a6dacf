package esl

import (
	"bufio"
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"tapdeck/controller/esl/internal/frame"
	"tapdeck/controller/esl/internal/frametest"
)

// inbound plays a switch's inbound event socket for one connection.
func inbound(t *testing.T, play func(p *peer)) (addr string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(patience))
		play(&peer{t: t, Conn: conn, in: bufio.NewReader(conn)})
	}()
	t.Cleanup(func() {
		ln.Close()
		<-done
	})
	return ln.Addr().String()
}

func TestDial(t *testing.T) {
	addr := inbound(t, func(p *peer) {
		p.say("Content-Type: auth/request\n\n")
		p.expect("auth ClueCon")
		p.say("Content-Type: command/reply\nReply-Text: +OK accepted\n\n")
		p.expect("event json BACKGROUND_JOB")
		p.say(frametest.OKReply)
		cmd, _ := p.command()
		_, job, _ := strings.Cut(cmd, "bgapi version short\r\nJob-UUID: ")
		p.say("Content-Type: command/reply\nReply-Text: +OK Job-UUID: "+job+"\nJob-UUID: "+job+"\n\n",
			frametest.JSON(`{"Event-Name":"BACKGROUND_JOB","Job-UUID":"other","_body":"no"}`),
			frametest.JSON(`{"Event-Name":"BACKGROUND_JOB","Job-UUID":"`+job+`","_body":"1.10.12-release\n"}`))
		p.eof()
	})
	c, err := Dial(t.Context(), addr, "ClueCon", testConfig(), zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if got, err := c.API(t.Context(), "version short"); err != nil || got != "1.10.12-release\n" {
		t.Errorf("%q, %v", got, err)
	}
	if c.Channel().Get("Unique-ID") != "" {
		t.Error("a channel")
	}
}

func TestDialRefused(t *testing.T) {
	const password = "s3cret"
	auth := func(reply string) func(p *peer) {
		return func(p *peer) {
			p.say("Content-Type: auth/request\n\n")
			p.command()
			p.say(reply)
			p.eof()
		}
	}
	for _, tt := range []struct {
		name string
		play func(p *peer)
		want error
	}{
		{"wrong password", auth("Content-Type: command/reply\nReply-Text: -ERR invalid\n\n"), ErrAuth},
		{"access list", func(p *peer) {
			p.say("Content-Type: text/rude-rejection\nContent-Length: 24\n\nAccess Denied, go away.\n")
		}, ErrRejected},
		{"closes", func(*peer) {}, ErrPeerClosed},
		{"closes after the password", func(p *peer) { p.say("Content-Type: auth/request\n\n"); p.command() }, ErrPeerClosed},
		{"silence", func(p *peer) { p.eof() }, ErrConnectTimeout},
		{"no subscription", auth("Content-Type: command/reply\nReply-Text: +OK accepted\n\n"), ErrReplyTimeout},
	} {
		core, logs := observer.New(zap.DebugLevel)
		cfg := testConfig()
		cfg.ConnectTimeout, cfg.ReplyTimeout = 200*time.Millisecond, 200*time.Millisecond
		c, err := Dial(t.Context(), inbound(t, tt.play), password, cfg, zap.New(core))
		if c != nil || !errors.Is(err, tt.want) {
			t.Errorf("%s: %v", tt.name, err)
		}
		said := err.Error()
		for _, e := range logs.All() {
			said += e.Message
		}
		if strings.Contains(said, password) {
			t.Errorf("%s: password in %q", tt.name, said)
		}
	}
}

func TestDialOthers(t *testing.T) {
	_, err := Dial(t.Context(), inbound(t, func(p *peer) { p.say("SSH-2.0-OpenSSH_9.6\r\n"); p.eof() }), "x", testConfig(), zap.NewNop())
	if bad := new(FrameError); !errors.As(err, &bad) || bad.Reason != frame.ReasonNotAFrame {
		t.Errorf("SSH: %v", err)
	}
	_, err = Dial(t.Context(), inbound(t, func(p *peer) { p.say(frametest.OKReply); p.eof() }), "x", testConfig(), zap.NewNop())
	if bad := new(FrameError); !errors.As(err, &bad) || bad.Reason != frame.ReasonNoAuth {
		t.Errorf("reply: %v", err)
	}
	if _, err = Dial(t.Context(), "127.0.0.1:1", "a\nb", testConfig(), zap.NewNop()); !errors.Is(err, ErrUnsafe) {
		t.Errorf("password: %v", err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("enough")
	_, err = Dial(ctx, inbound(t, func(p *peer) { cancel(cause); p.eof() }), "x", testConfig(), zap.NewNop())
	if !errors.Is(err, cause) {
		t.Errorf("context: %v", err)
	}
}
