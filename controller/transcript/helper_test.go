package transcript

import (
	"fmt"
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
	"tapdeck/controller/switchsim/recogniser"
)

const testKey = "k3y-of-the-service-that-nobody-may-read"

// testbed is a service in a bubble of fake time, and what hears a recording with it.
type testbed struct {
	*testing.T
	server  *recogniser.Server
	network *dialertest.Network
	config  Config
	ear     *dialertest.Ear
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
			ear: dialertest.NewEar(channels), logs: logs, log: zap.New(core),
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
		changed: make(chan struct{}, 1), stopping: make(chan struct{}), interim: make([]*Segment, b.ear.Channels), final: make([]time.Duration, b.ear.Channels),
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
	b.ear.Finish()
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
