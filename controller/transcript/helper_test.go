package transcript

import (
	"fmt"
	"io"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"tapdeck/controller/dialer"
	"tapdeck/controller/internal/dialertest"
	"tapdeck/controller/pcm"
	"tapdeck/controller/switchsim/recogniser"
)

const testKey = "k3y-of-the-service-that-nobody-may-read"

// testEar is a recording that grows as a test says.
type testEar struct {
	channels int
	most     int // bytes that wait at most; 0 is without a bound
	ready    chan struct{}

	mu     sync.Mutex
	at     time.Duration
	sounds []pcm.Sound
	audio  []byte
	end    bool
	closed bool
}

func newTestEar(channels int) *testEar {
	return &testEar{channels: channels, ready: make(chan struct{}, 1)}
}

func (e *testEar) Ready() <-chan struct{} { return e.ready }

func (e *testEar) Read(p []byte) (pcm.Sound, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed || len(e.sounds) == 0 && e.end {
		return pcm.Sound{}, io.EOF
	}
	if len(e.sounds) == 0 {
		return pcm.Sound{}, nil
	}
	s := e.sounds[0]
	if s.Gap > 0 {
		e.sounds = e.sounds[1:]
		return s, nil
	}
	n := copy(p, e.audio[:min(s.Bytes, len(p))])
	e.audio = e.audio[n:]
	e.sounds[0].Bytes -= n
	e.sounds[0].At += e.duration(n)
	if e.sounds[0].Bytes == 0 {
		e.sounds = e.sounds[1:]
	}
	s.Bytes = n
	return s, nil
}

func (e *testEar) duration(bytes int) time.Duration { return pcm.Duration(bytes/e.channels, 8000) }

func (e *testEar) Close() { e.change(func() { e.closed = true }) }

func (e *testEar) change(f func()) {
	e.mu.Lock()
	f()
	e.mu.Unlock()
	signal(e.ready)
}

// add is audio that comes now. Beyond the bound the oldest is dropped.
func (e *testEar) add(audio []byte) {
	e.change(func() {
		e.sounds = append(e.sounds, pcm.Sound{At: e.at, Bytes: len(audio)})
		e.audio = append(e.audio, audio...)
		e.at += e.duration(len(audio))
		for e.most > 0 && len(e.audio) > e.most {
			first := &e.sounds[0]
			if first.Gap > 0 {
				first = &e.sounds[1]
			}
			n := min(first.Bytes, len(e.audio)-e.most)
			dropped := pcm.Sound{At: first.At, Gap: e.duration(n), Dropped: e.duration(n)}
			e.audio = e.audio[n:]
			first.Bytes, first.At = first.Bytes-n, first.At+e.duration(n)
			if e.sounds[0].Gap > 0 {
				e.sounds[0].Gap, e.sounds[0].Dropped = e.sounds[0].Gap+dropped.Gap, e.sounds[0].Dropped+dropped.Gap
			} else {
				e.sounds = slices.Insert(e.sounds, 0, dropped)
			}
			if e.sounds[1].Bytes == 0 {
				e.sounds = slices.Delete(e.sounds, 1, 2)
			}
		}
	})
}

func (e *testEar) gap(d time.Duration) {
	e.change(func() {
		e.sounds = append(e.sounds, pcm.Sound{At: e.at, Gap: d})
		e.at += d
	})
}

// finish ends the recording.
func (e *testEar) finish() { e.change(func() { e.end = true }) }

// live is audio that comes as it is spoken.
func (e *testEar) live(audio []byte) {
	size := 2 * e.channels * 8000 / 50
	for part := range slices.Chunk(audio, size) {
		time.Sleep(e.duration(len(part)))
		e.add(part)
	}
}

// testbed is a service in a bubble of fake time, and what hears a recording with it.
type testbed struct {
	*testing.T
	server  *recogniser.Server
	network *dialertest.Network
	config  Config
	ear     *testEar
	session *Session
	logs    *observer.ObservedLogs
	log     *zap.Logger

	segments []Segment // final ones
	interim  []string
}

// bubble runs a test with a service.
func bubble(t *testing.T, format string, channels int, test func(b *testbed)) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zap.DebugLevel)
		b := &testbed{
			T: t, server: &recogniser.Server{Format: recogniser.Format(format), Key: testKey}, network: dialertest.NewNetwork(),
			ear: newTestEar(channels), logs: logs, log: zap.New(core),
		}
		service := DefaultService()
		service.URL, service.Format = "ws://service.test/v1/listen?secret=query", format
		b.config = Config{Service: service, Key: testKey, Rate: 8000, Channels: []string{ChannelCaller, ChannelCallee}[:channels], Call: "a-call"}
		var serving sync.WaitGroup
		serving.Go(func() { _ = b.server.Serve(t.Context(), b.network) })
		test(b)
		b.noKeys()
	})
}

func (b *testbed) start() {
	b.session = start(b.config, b.ear, b.log, nil, b.network.Dial)
	b.Cleanup(b.session.Stop)
}

// connected is a connection that nobody reads or writes, of a session that does nothing by itself.
func (b *testbed) connected() *connection {
	b.Helper()
	target := b.config.target()
	conn, err := target.Open(b.Context(), b.network.Dial, dialer.Owner{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(conn.Drop)
	b.session = &Session{
		config: b.config, target: target, source: &source{config: b.config, ear: b.ear}, log: b.log, metrics: NewMetrics(nil),
		changed: make(chan struct{}, 1), stopping: make(chan struct{}), interim: make([]*Segment, b.ear.channels), final: make([]time.Duration, b.ear.channels),
	}
	return newConnection(b.session, conn)
}

// news keeps what has been said.
func (b *testbed) news() {
	for _, s := range b.session.News() {
		if s.Final {
			b.segments = append(b.segments, s)
		} else {
			b.interim = append(b.interim, s.Text)
		}
	}
}

// wait ends the recording, and waits for the session's end.
func (b *testbed) wait() State {
	b.Helper()
	b.ear.finish()
	b.untilDone()
	return b.session.State()
}

func (b *testbed) untilDone() {
	b.Helper()
	timeout := time.After(10 * time.Minute)
	for {
		select {
		case <-b.session.Changed():
			b.news()
		case <-b.session.Done():
			b.news()
			return
		case <-timeout:
			b.Fatal("the session does not end")
		}
	}
}

// compare compares what was said, with places to 20 ms.
func (b *testbed) compare(want ...Segment) {
	b.Helper()
	var got, expected []string
	round := func(d time.Duration) time.Duration { return d.Round(40 * time.Millisecond) }
	for _, s := range b.segments {
		got = append(got, fmt.Sprintf("%s %v-%v %s", s.Channel, round(s.From), round(s.To), s.Text))
	}
	for _, s := range want {
		expected = append(expected, fmt.Sprintf("%s %v-%v %s", s.Channel, round(s.From), round(s.To), s.Text))
	}
	slices.Sort(got)
	slices.Sort(expected)
	if diff := cmp.Diff(expected, got); diff != "" {
		b.Errorf("(-want +got):\n%s", diff)
	}
}

// noKeys checks that nothing that is logged or said has the key in it, or the query.
func (b *testbed) noKeys() {
	b.Helper()
	var text string
	for _, entry := range b.logs.All() {
		text += fmt.Sprintln(entry.Message, entry.ContextMap())
	}
	text += fmt.Sprint(b.segments, b.session.State())
	for _, secret := range []string{testKey[:12], testKey[10:24], "secret=query"} {
		if i := indexOf(text, secret); i >= 0 {
			b.Errorf("%q is shown: %.200s", secret, text[max(0, i-100):])
		}
	}
}

// logged is how many lines have this message.
func (b *testbed) logged(message string) int { return b.logs.FilterMessage(message).Len() }

const ms = time.Millisecond
