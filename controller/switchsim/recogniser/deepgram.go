package recogniser

import (
	"encoding/json"
	"time"

	"github.com/coder/websocket"
)

// deepgram is the wire of its live service.
type deepgram struct {
	c       *Connection
	p       parameters
	hearing *hearing
	events  []events // of each channel
}

func newDeepgram(c *Connection, p parameters) *deepgram {
	d := &deepgram{c: c, p: p, hearing: newHearing(p.rate, p.channels, !p.multichannel, c.server.Deaf)}
	d.events = make([]events, len(d.hearing.channels))
	return d
}

func (d *deepgram) duration(bytes int) time.Duration {
	return position(bytes/(2*d.p.channels), d.p.rate)
}

func (d *deepgram) audio(b []byte, _ bool) {
	if len(b) == 0 {
		d.c.complain("audio of no bytes, which closes the stream")
		d.closeStream()
		return
	}
	if len(b)%(2*d.p.channels) != 0 {
		d.c.complain("audio of %d bytes", len(b))
	}
	d.hearing.add(b, d.step)
}

// step is the end of a window of one channel.
func (d *deepgram) step(n int, c *channel) {
	now := c.ear.resolved()
	d.speechStarted(n, c)
	switch {
	case d.p.silence > 0 && c.silentFor(d.samples(d.p.silence)):
		c.speaking = false
		d.final(n, c, now, kind{final: true, speech: true})
	case c.ear.at-c.done >= d.samples(d.c.server.final()) && now > c.done:
		d.final(n, c, now, kind{final: true})
	case d.p.interim && c.talks() && c.ear.at-c.shown >= d.samples(d.c.server.interim()):
		c.shown = c.ear.at
		d.send(n, c.done, c.ear.at, c.soFar(), kind{})
	}
	d.utteranceEnd(n, c)
}

func (d *deepgram) samples(t time.Duration) int { return samples(t, d.p.rate) }

// final says that the words until a position stay as they are.
func (d *deepgram) final(n int, c *channel, at int, k kind) {
	from := c.done
	d.send(n, from, at, c.cut(at), k)
}

func (d *deepgram) text(b []byte) {
	var m struct {
		Type    string `json:"type"`
		Channel *int   `json:"channel"`
	}
	if err := json.Unmarshal(b, &m); err != nil {
		m.Type = err.Error()
	}
	switch m.Type {
	case "KeepAlive":
		d.c.note(func(r *Report) { r.KeepAlives++ })
	case "Finalize":
		d.c.note(func(r *Report) { r.Finalizes++ })
		d.finalize(m.Channel)
	case "CloseStream":
		d.c.note(func(r *Report) { r.CloseStreams++ })
		d.closeStream()
	default:
		d.c.complain("text %.200q: %s", b, m.Type)
		d.c.finish(websocket.StatusPolicyViolation, "DATA-0000: the payload is neither audio nor a known message, simulated")
	}
}

// finalize makes final what there is of one channel, or of all.
func (d *deepgram) finalize(only *int) {
	d.hearing.finish(func(n int, c *channel) {
		if only == nil || *only == n {
			d.flush(n, c, kind{final: true, finalize: true})
		}
	})
}

func (d *deepgram) flush(n int, c *channel, k kind) {
	k.speech, c.speaking = c.speaking, false
	d.final(n, c, c.ear.at, k)
}

// closeStream answers with what is left to say, and closes.
func (d *deepgram) closeStream() {
	d.c.expectNothing()
	if d.c.fault().NeverFinishes {
		return
	}
	d.hearing.finish(func(n int, c *channel) {
		if c.ear.at > c.done {
			d.flush(n, c, kind{final: true})
		}
	})
	d.c.answer(marshal(struct {
		Type     string    `json:"type"`
		Key      string    `json:"transaction_key"`
		ID       string    `json:"request_id"`
		Created  time.Time `json:"created"`
		Duration float64   `json:"duration"`
		Channels int       `json:"channels"`
	}{"Metadata", "deprecated", d.c.id(), time.Now().UTC(), d.c.Report().Audio.Seconds(), d.p.channels}), false)
	d.c.finish(websocket.StatusNormalClosure, "")
}
