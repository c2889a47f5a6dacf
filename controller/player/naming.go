package player

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"
	"unicode"

	"go.uber.org/zap"
)

const (
	// namingTime is how long mod_audio_stream may take to name a chunk: it takes 21 ms (F85).
	namingTime = time.Second
	// stallTime is how long it may take if FreeSWITCH stands still.
	stallTime = 5 * time.Second
	// sendPause is how long a chunk waits that the stream had no room for.
	sendPause = 100 * time.Millisecond
	// mostInRow is how many chunks in a row may be lost before nothing is hoped for any more.
	mostInRow = 3
	// maxNameBytes bounds the name of a file.
	maxNameBytes = 4096
)

// send sends the next chunk over the stream, to be named. If there is no live stream, it waits for Connected.
func (p *Player) send(now time.Time) {
	c := p.next
	p.mu.Unlock()
	err := p.sw.Send(message(p.cfg.Rate, c.tag, c.pcm))
	p.mu.Lock()
	switch {
	case p.generation != c.generation:
	case err == nil:
		c.sent, c.sentAt, c.namedBy = true, now, now.Add(namingTime)
	case errors.Is(err, ErrNoStream):
		p.down, c.namedBy = true, now.Add(namingTime)
	default: // too much of it waits for a switch that reads slowly
		p.next, p.retryAt = nil, now.Add(sendPause)
		p.putBack(c)
	}
}

// message is a chunk as mod_audio_stream takes it (F85).
func message(rate int, tag string, pcm []byte) []byte {
	const room = 160
	b := appendHead(make([]byte, 0, room+base64.StdEncoding.EncodedLen(len(pcm))), rate, tag)
	b = base64.StdEncoding.AppendEncode(b, pcm)
	return append(b, `"}}`...)
}

// appendHead appends what is before a chunk's audio in its message, by which it is known.
func appendHead(b []byte, rate int, tag string) []byte {
	b = append(b, `{"type":"streamAudio","data":{"audioDataType":"raw","sampleRate":`...)
	b = strconv.AppendInt(b, int64(rate), 10)
	b = append(b, `,"tapdeck":"`...)
	b = append(b, tag...)
	return append(b, `","audioData":"`...)
}

// Named takes the body of a mod_audio_stream::play event of the call's channel: where the chunk is
// that was sent. Others' audio, and what was cleared since, is ignored. No name comes into a command
// that could be more than a file's there.
func (p *Player) Named(body string, _ time.Time) {
	var said struct {
		File string `json:"file"`
		Tag  string `json:"tapdeck"`
	}
	if json.Unmarshal([]byte(body), &said) != nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.next
	if c == nil || c.file != "" || c.tag != said.Tag || !c.sent {
		return
	}
	if c.unusable = !usable(said.File); !c.unusable {
		c.file, c.stream = said.File, p.stream
		p.named, p.nameless = true, 0
	}
	p.signal()
}

// Unnamed takes the body of a mod_audio_stream::json event of the call's channel. If it is the message by
// which the chunk was sent, the module has not made a file of it and will not: it is older than
// streamAudio (F169), or could not write one (F87). Other bodies, which may be long, are ignored.
func (p *Player) Unnamed(body string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.next
	if c == nil || c.file != "" || !c.sent || !strings.HasPrefix(body, string(appendHead(nil, p.cfg.Rate, c.tag))) {
		return
	}
	c.refused = true
	p.signal()
}

// usable says whether a file's name is safe in a command, and means nothing but itself there: FreeSWITCH
// runs what is in ${…} (F117, F151), and a call's id, which is in the name, may be a stranger's choice.
func usable(file string) bool {
	return file != "" && len(file) <= maxNameBytes && !strings.Contains(file, "${") && !strings.ContainsFunc(file, unicode.IsControl)
}

// Connected says that the call's stream is up, or up again: what was not named is sent, also if
// it was sent before, since a stream's files end with it (F88).
func (p *Player) Connected(_ time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = false
	p.stream++
	if c := p.next; c != nil {
		p.next = nil
		p.putBack(c)
	}
	p.signal()
}

// unnamed goes on without the name of the next chunk. If there is no live stream, that is why, and Connected will
// be called.
func (p *Player) unnamed(now time.Time) {
	c := p.next
	if !c.unusable && !c.refused {
		p.mu.Unlock()
		live := p.sw.Live()
		p.mu.Lock()
		if c.generation != p.generation {
			return
		}
		if p.down = !live; p.down {
			c.sent, c.namedBy = false, now.Add(namingTime)
			return
		}
		if until := p.stalledUntil(c); now.Before(until) {
			c.namedBy = until
			return
		}
	}
	after := "this piece of it is lost"
	if p.cfg.Directory != "" {
		after = "chunks are written to player.directory from here on"
	}
	p.log.Warn("bot's audio not named by mod_audio_stream", zap.String("after", after), hint(c.unnamedHint()), p.ratelog("unnamed"))
	if p.cfg.Directory != "" {
		p.method = MethodFiles
		return
	}
	if p.next = nil; p.nameless == 0 {
		p.namelessSince = c.sentAt
	}
	p.nameless++
	if c.refused { // at once: so that what comes now is not tried more often than without the module's word
		p.retryAt = now.Add(namingTime)
	}
	p.lose(c.length)
	p.echoDue()
}

// stalledUntil is until when FreeSWITCH may be standing still, since it names nothing: one that has named some of the call's
// is waited for with each, another one with the second.
func (p *Player) stalledUntil(c *chunk) time.Time {
	switch {
	case p.named:
		return c.sentAt.Add(stallTime)
	case p.nameless > 0:
		return p.namelessSince.Add(stallTime)
	}
	return time.Time{}
}

func (c *chunk) unnamedHint() string {
	if c.unusable {
		return hintUnusable
	}
	return hintUnnamed
}
