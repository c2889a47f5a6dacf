package recogniser

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/coder/websocket"
)

// What a connection keeps of each kind at most; later ones are only counted.
const (
	maxKept     = 10_000
	maxAudio    = 16 << 20 // bytes
	maxProblems = 100
)

// noClose is the code of a connection that ended without a close frame.
const noClose websocket.StatusCode = -1

// Report is what a connection has brought, and what came of it, so far.
type Report struct {
	// Status is that of the handshake's answer; 0 before it. 400 stands for all that a request is answered
	// with that asks for no WebSocket.
	Status int
	// Audio is its length, AudioBytes its size and AudioMessages the number of its messages. First and Last are
	// when the first and the last of them came.
	Audio                     time.Duration
	AudioBytes, AudioMessages int
	First, Last               time.Time
	// KeepAlives, Finalizes and CloseStreams are deepgram's texts, EOFs vosk's, each with how often it came.
	KeepAlives, Finalizes, CloseStreams, EOFs int
	// Config is vosk's last configuration, without "config".
	Config json.RawMessage
	// Pings are the client's.
	Pings int
	// Answers have been sent, or are to be sent later; Finals are those of them whose words are final.
	Answers, Finals int
	// Problems are what the client sent that the wire does not allow; nil is what a test wants.
	Problems []string
	// End is zero while the connection is open.
	End End
}

// End is how a connection ended.
type End struct {
	At time.Time
	// Code is -1 if there was no close frame. With Ours, it is the recogniser's; else it came from the client.
	Code   websocket.StatusCode
	Reason string
	Ours   bool
	Err    error // of reading, if the client ended it
}

// Message is one of the client's: a text, or the size of audio.
type Message struct {
	At    time.Time
	Text  string
	Bytes int
}

// Report is the connection's so far.
func (c *Connection) Report() Report {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.clone()
}

// clone must be called with the mutex held.
func (c *Connection) clone() Report {
	r := c.report
	r.Config, r.Problems = slices.Clone(r.Config), slices.Clone(r.Problems)
	return r
}

// Await waits until a connection's report is as it should be, and returns it.
func (c *Connection) Await(ctx context.Context, is func(Report) bool) (Report, error) {
	for {
		c.mu.Lock()
		r := c.clone()
		if c.changed == nil {
			c.changed = make(chan struct{})
		}
		changed := c.changed
		c.mu.Unlock()
		if is(r) {
			return r, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return r, fmt.Errorf("wait for a connection's report: %w", context.Cause(ctx))
		}
	}
}

// Done is closed when the connection has ended, with all its goroutines.
func (c *Connection) Done() <-chan struct{} { return c.done }

// Audio is what has come, as it came; with Count it is nil.
func (c *Connection) Audio() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.audio)
}

// Messages are all that have come, in order; with Count there are none.
func (c *Connection) Messages() []Message {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.traffic)
}

// note changes the report.
func (c *Connection) note(change func(*Report)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change(&c.report)
	if c.changed != nil {
		close(c.changed)
		c.changed = nil
	}
}

// noteAudio notes a message of audio, and returns how much has come.
func (c *Connection) noteAudio(w wire, b []byte) (total time.Duration) {
	now := time.Now()
	c.note(func(r *Report) {
		r.AudioBytes += len(b)
		r.AudioMessages++
		r.Audio = w.duration(r.AudioBytes)
		if r.First.IsZero() {
			r.First = now
		}
		r.Last = now
		total = r.Audio
		if c.server.Count {
			return
		}
		if len(c.audio)+len(b) <= maxAudio {
			c.audio = append(c.audio, b...)
		}
		c.message(Message{At: now, Bytes: len(b)})
	})
	return total
}

func (c *Connection) noteText(b []byte) {
	c.note(func(*Report) {
		if !c.server.Count {
			c.message(Message{At: time.Now(), Text: string(b[:min(len(b), 1000)])})
		}
	})
}

// message must be called with the mutex held.
func (c *Connection) message(m Message) {
	if len(c.traffic) < maxKept {
		c.traffic = append(c.traffic, m)
	}
}

func (c *Connection) complain(format string, args ...any) {
	c.note(func(r *Report) {
		if len(r.Problems) < maxProblems {
			r.Problems = append(r.Problems, fmt.Sprintf(format, args...))
		}
	})
}

// end notes the first end of a connection.
func (c *Connection) end(e End) {
	e.At = time.Now()
	c.note(func(r *Report) {
		if r.End.At.IsZero() {
			r.End = e
		}
	})
}
