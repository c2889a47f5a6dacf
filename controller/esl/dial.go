package esl

import (
	"context"
	"fmt"
	"net"
	"time"

	"go.uber.org/zap"

	"tapdeck/controller/esl/internal/frame"
)

// Dial connects to the inbound event socket of a FreeSWITCH at addr (host:port,
// usually port 8021) and subscribes to the answers of API commands. The end of
// ctx ends the dialling, not the connection, which the caller must Close.
//
// It fails with ErrAuth for a wrong password, ErrRejected if the switch's
// access list refuses us, and ErrUnsafe for a password that can't be sent.
func Dial(ctx context.Context, addr, password string, cfg Config, log *zap.Logger) (*Conn, error) {
	if err := check("auth", password); err != nil {
		return nil, fmt.Errorf("check event socket password: %w", ErrUnsafe)
	}
	var d net.Dialer
	outer, err := d.DialContext(ctx, "tcp", addr)
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, fmt.Errorf("dial event socket %s: %w", addr, context.Cause(ctx))
	case err != nil:
		return nil, fmt.Errorf("dial event socket: %w", err)
	}
	cfg.headers = newHeaderList(cfg.Headers, log)
	c := newConn(cfg, log, newMetrics(nil), outer)
	if err := c.login(ctx, password); err != nil {
		outer.Close()
		return nil, fmt.Errorf("open event socket %s: %w", addr, err)
	}
	return c, nil
}

// login authenticates, links the connection and subscribes.
func (c *Conn) login(ctx context.Context, password string) error {
	if err := c.authenticate(ctx, password); err != nil {
		return err
	}
	if err := c.open(nil); err != nil {
		return err
	}
	if _, err := c.Command(ctx, "event json BACKGROUND_JOB"); err != nil {
		c.Close()
		return err
	}
	return nil
}

// API runs an API command in the background and returns its answer, which may
// be an -ERR of the API. It reads everything from Events until the answer has
// come, so nobody else may read there, nor call API at the same time.
func (c *Conn) API(ctx context.Context, command string) (string, error) {
	job, err := c.BgAPI(ctx, command)
	if err != nil {
		return "", err
	}
	for {
		select {
		case ev, ok := <-c.events:
			switch {
			case !ok:
				return "", fmt.Errorf("wait for answer of api %s: %w", firstWord(command), c.Err())
			case ev.Name() == "BACKGROUND_JOB" && ev.Get("Job-UUID") == job:
				return ev.Body, nil
			}
		case <-ctx.Done():
			return "", fmt.Errorf("wait for answer of api %s: %w", firstWord(command), context.Cause(ctx))
		}
	}
}

// authenticate plays the client's part of the switch's handshake.
func (c *Conn) authenticate(ctx context.Context, password string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, c.cfg.ConnectTimeout, ErrConnectTimeout)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { c.outer.Close() })
	err := c.handshake(password)
	if inTime := stop(); !inTime {
		return context.Cause(ctx)
	}
	return err
}

func (c *Conn) handshake(password string) error {
	f, err := c.frames.Next()
	switch {
	case err != nil:
		return err
	case string(f.ContentType) == "text/rude-rejection":
		return ErrRejected
	case string(f.ContentType) != "auth/request":
		return frame.NewError(c.outer, frame.ReasonNoAuth, f.Data)
	}
	c.outer.SetWriteDeadline(time.Now().Add(c.cfg.FrameTimeout))
	if _, err := c.outer.Write([]byte("auth " + password + "\n\n")); err != nil {
		return fmt.Errorf("send password: %w (%w)", ErrPeerClosed, err)
	}
	f, err = c.frames.Next()
	switch {
	case err != nil:
		return err
	case string(f.ReplyText) != "+OK accepted":
		return ErrAuth
	}
	return nil
}
