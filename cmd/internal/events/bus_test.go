package events

import (
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"tapdeck/controller"
	"tapdeck/controller/transcript"
)

func newBus() *Bus { return New("fs1", zap.NewNop(), prometheus.NewRegistry()) }

// said is a segment of a call, n long into it.
func said(call string, kind controller.EventKind, n int) controller.Event {
	return controller.Event{
		Kind: kind, Call: call, At: time.Date(2026, 11, 22, 10, 15, 3, n*1e6, time.FixedZone("", 3600)),
		Data: transcript.Segment{Channel: transcript.ChannelCaller, From: time.Duration(n) * time.Second, To: time.Duration(n+1) * time.Second, Text: fmt.Sprint(n)},
	}
}

func final(call string, n int) controller.Event {
	return said(call, controller.EventTranscriptFinal, n)
}

func interim(call string, n int) controller.Event {
	return said(call, controller.EventTranscriptInterim, n)
}

func subscribe(t testing.TB, b *Bus, f Filter, after *uuid.UUID) *Subscription {
	t.Helper()
	s, err := b.Subscribe(f, after)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// all returns what waits, as call, type and text, and the IDs. A line "-N" stands for N that were dropped.
func all(s *Subscription) (texts []string, ids []uuid.UUID) {
	for {
		e, dropped := s.Next()
		if dropped > 0 {
			texts = append(texts, fmt.Sprint(-dropped))
		}
		if e == nil {
			return texts, ids
		}
		texts = append(texts, fmt.Sprintf("%s %s %s", e.Subject, e.Type, text(e)))
		ids = append(ids, e.ID)
	}
}

func text(e *Event) string {
	_, rest, _ := strings.Cut(string(e.Data), `"text":"`)
	return rest[:strings.IndexByte(rest, '"')]
}

func TestEventIsACloudEvent(t *testing.T) {
	b := New("fs 1", zap.NewNop(), prometheus.NewRegistry())
	s := subscribe(t, b, Filter{}, nil)
	e := final("45e46232", 12)
	e.Data = transcript.Segment{Channel: "callee", From: 1500 * time.Millisecond, To: 2*time.Second + 999*time.Microsecond, Text: "<Tom & \"J\">\r\n\u2028é\xff", Confidence: 0.75, Final: true}
	b.Observe(e)
	got, _ := s.Next()
	want := `{"specversion":"1.0","id":"` + got.ID.String() + `","source":"/tapdeck/fs%201","type":"transcript.final","subject":"45e46232","time":"2026-11-22T09:15:03.012Z",` +
		`"datacontenttype":"application/json","data":{"channel":"callee","from_ms":1500,"to_ms":2000,"text":"<Tom & \"J\">\r\n\u2028é\ufffd","confidence":0.75}}`
	if diff := cmp.Diff(want, string(got.JSON())); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got.ID.Version() != 7 {
		t.Errorf("id %s is of version %d", got.ID, got.ID.Version())
	}
}

// Each call's events come in its order, and all in that of their IDs, to every subscriber.
func TestOrder(t *testing.T) {
	const calls, each = 8, 100
	b := newBus()
	subscriptions := []*Subscription{subscribe(t, b, Filter{}, nil), subscribe(t, b, Filter{}, nil)}
	var running sync.WaitGroup
	for c := range calls {
		running.Go(func() {
			for n := range each {
				b.Observe(final(fmt.Sprint(c), n))
			}
		})
	}
	running.Wait()
	first, ids := all(subscriptions[0])
	for i := range ids[1:] {
		if ids[i].String() >= ids[i+1].String() {
			t.Fatalf("%s comes before %s", ids[i], ids[i+1])
		}
	}
	of := map[string][]string{}
	for _, line := range first {
		call, rest, _ := strings.Cut(line, " ")
		of[call] = append(of[call], rest)
	}
	for c := range calls {
		var want []string
		for n := range each {
			want = append(want, fmt.Sprint("transcript.final ", n))
		}
		if diff := cmp.Diff(want, of[fmt.Sprint(c)]); diff != "" {
			t.Errorf("call %d (-want +got):\n%s", c, diff)
		}
	}
	if second, _ := all(subscriptions[1]); !cmp.Equal(first, second) {
		t.Error("the other subscriber has another order")
	}
}

func TestFilter(t *testing.T) {
	b := newBus()
	for _, c := range []struct {
		f    Filter
		want []string
	}{
		{Filter{}, []string{"a transcript.final 1", "a transcript.interim 2", "b transcript.final 3"}},
		{Filter{Call: "A"}, []string{"a transcript.final 1", "a transcript.interim 2"}},
		{Filter{Call: "c"}, nil},
		{Filter{Types: []string{"transcript.*"}}, []string{"a transcript.final 1", "a transcript.interim 2", "b transcript.final 3"}},
		{Filter{Types: []string{"*"}, Call: "b"}, []string{"b transcript.final 3"}},
		{Filter{Types: []string{"transcript.final"}}, []string{"a transcript.final 1", "b transcript.final 3"}},
		{Filter{Types: []string{"transcript.i*", "call.*"}}, []string{"a transcript.interim 2"}},
		{Filter{Types: []string{"transcript"}}, nil},
	} {
		s := subscribe(t, b, c.f, nil)
		for _, e := range []controller.Event{final("a", 1), interim("a", 2), final("b", 3)} {
			b.Observe(e)
		}
		got, _ := all(s)
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%+v (-want +got):\n%s", c.f, diff)
		}
	}
}

func TestCheckType(t *testing.T) {
	for pattern, ok := range map[string]bool{
		"transcript.final": true, "transcript.*": true, "*": true, "t*": true, "transcript.final*": true,
		"": false, "transcript": false, "transcrpt.*": false, "Transcript.final": false, "*.final": false, "transcript.**": false, "transcript.final.*": false,
	} {
		if err := CheckType(pattern); (err == nil) != ok {
			t.Errorf("%q: %v", pattern, err)
		}
	}
	if got, want := fmt.Sprint(CheckType("x")), "must be transcript.final, transcript.interim, or the begin of one of them with a * behind"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// A slow subscriber loses the oldest, and is told how many; another one loses nothing.
func TestSlowSubscriber(t *testing.T) {
	const most = 1256 // as its documentation says
	b := newBus()
	slow, other := subscribe(t, b, Filter{}, nil), subscribe(t, b, Filter{}, nil)
	var got []string
	for n := range most + 7 {
		b.Observe(interim("a", n))
		texts, _ := all(other)
		got = append(got, texts...)
	}
	if len(got) != most+7 {
		t.Errorf("the other subscriber was sent %d", len(got))
	}
	got, _ = all(slow)
	if diff := cmp.Diff([]string{"-7", "a transcript.interim 7"}, got[:2]); diff != "" || len(got) != most+1 {
		t.Errorf("%d lines (-want +got):\n%s", len(got), diff)
	}
	if n := testutil.ToFloat64(b.dropped); n != 7 {
		t.Errorf("%v are counted as dropped", n)
	}
	b.Observe(interim("a", 1))
	if got, _ := all(slow); !cmp.Equal(got, []string{"a transcript.interim 1"}) {
		t.Errorf("afterwards it is sent %q", got)
	}
}

// Long events are bounded by their bytes, both those that wait and those that are kept.
func TestBytesAreBounded(t *testing.T) {
	b := newBus()
	s := subscribe(t, b, Filter{}, nil)
	for n := range 100 {
		e := final("a", n)
		e.Data = transcript.Segment{Text: strings.Repeat("x", 256<<10)}
		b.Observe(e)
	}
	if b.latest.bytes > maxLatestBytes || len(b.latest.events) < 5 {
		t.Errorf("%d events of %d bytes are kept", len(b.latest.events), b.latest.bytes)
	}
	const most, one = 5 << 20, 513 << 10 // bytes: an event holds its text twice
	if s.waiting.bytes > most || s.waiting.bytes < most-one || len(s.waiting.events)+s.dropped != 100 {
		t.Errorf("%d events of %d bytes wait, %d are dropped", len(s.waiting.events), s.waiting.bytes, s.dropped)
	}
	huge := final("a", 0)
	huge.Data = transcript.Segment{Text: strings.Repeat("x", maxWaitingBytes)}
	b.Observe(huge)
	if len(b.latest.events) != 1 || len(s.waiting.events) != 1 {
		t.Errorf("%d events are kept, %d wait: the one that is larger than all bounds stays, alone", len(b.latest.events), len(s.waiting.events))
	}
	for e, _ := s.Next(); e != nil; e, _ = s.Next() {
	}
	if s.waiting.bytes != 0 {
		t.Errorf("nothing waits, of %d bytes", s.waiting.bytes)
	}
}

func TestSubscriptionsAreBounded(t *testing.T) {
	b := newBus()
	var last *Subscription
	for range MaxSubscriptions {
		last = subscribe(t, b, Filter{}, nil)
	}
	if _, err := b.Subscribe(Filter{}, nil); err != ErrTooMany {
		t.Errorf("one more: %v", err)
	}
	last.Close()
	subscribe(t, b, Filter{}, nil)
	b.Observe(final("a", 0))
	if got, _ := all(last); got != nil {
		t.Errorf("a subscription that is closed is sent %q", got)
	}
}

// Ready receives for what came before anybody waited, and once for many.
func TestReady(t *testing.T) {
	b := newBus()
	s := subscribe(t, b, Filter{Call: "a"}, nil)
	b.Observe(final("b", 0))
	select {
	case <-s.Ready():
		t.Error("ready without an event")
	default:
	}
	b.Observe(final("a", 0))
	b.Observe(final("a", 1))
	<-s.Ready()
	if got, _ := all(s); len(got) != 2 {
		t.Errorf("%q", got)
	}
	select {
	case <-s.Ready():
		t.Error("ready again without an event")
	default:
	}
}

// While calls speak, subscribers come, read and go.
func TestSubscribersComeAndGo(t *testing.T) {
	const calls, each = 4, 500
	b := newBus()
	var speaking, reading sync.WaitGroup
	over := make(chan struct{})
	for c := range calls {
		speaking.Go(func() {
			for n := range each {
				b.Observe(final(fmt.Sprint(c), n))
				b.Observe(interim(fmt.Sprint(c), n))
			}
		})
		reading.Go(func() { comeAndGo(t, b, over) })
	}
	speaking.Wait()
	close(over)
	reading.Wait()
	if len(b.subscriptions) != 0 {
		t.Errorf("%d subscriptions are left", len(b.subscriptions))
	}
	for kind := range kinds {
		if got := testutil.ToFloat64(b.total.WithLabelValues(string(kind))); got != calls*each {
			t.Errorf("%v of %s are counted", got, kind)
		}
	}
}

// comeAndGo reads what there is, again and again, each time after the last one that it has, until over.
func comeAndGo(t *testing.T, b *Bus, over <-chan struct{}) {
	var after *uuid.UUID
	for {
		s, err := b.Subscribe(Filter{}, after)
		if err != nil {
			t.Error(err)
			return
		}
		select {
		case <-s.Ready():
		case <-over:
			s.Close()
			return
		}
		_, ids := all(s)
		s.Close()
		for _, id := range ids {
			if after != nil && !isBefore(*after, id) {
				t.Errorf("%s comes again, or too late", id)
			}
			after = &id
		}
	}
}

// What can't be JSON is a defect, which hurts no call.
func TestDefect(t *testing.T) {
	core, logged := observer.New(zap.InfoLevel)
	b := New("fs1", zap.New(core), prometheus.NewRegistry())
	s := subscribe(t, b, Filter{}, nil)
	e := final("a", 0)
	e.Data = math.NaN()
	b.Observe(e)
	if got, _ := all(s); got != nil || logged.FilterMessage("event lost").Len() != 1 {
		t.Errorf("sent %q, logged %+v", got, logged.All())
	}
}

// Words that may still change cost nothing if nobody has subscribed to them.
func TestInterimAllocatesNothing(t *testing.T) {
	b := newBus()
	subscribe(t, b, Filter{Call: "b"}, nil)
	subscribe(t, b, Filter{Types: []string{"transcript.final"}}, nil)
	e := interim("a", 1)
	if n := testing.AllocsPerRun(1000, func() { b.Observe(e) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkObserve(b *testing.B) {
	for _, c := range []struct {
		name          string
		kind          controller.EventKind
		subscriptions int
	}{
		{"interim to nobody", controller.EventTranscriptInterim, 0},
		{"interim to one", controller.EventTranscriptInterim, 1},
		{"final to nobody", controller.EventTranscriptFinal, 0},
		{"final to one", controller.EventTranscriptFinal, 1},
		{"final to 100", controller.EventTranscriptFinal, MaxSubscriptions},
	} {
		b.Run(c.name, func(b *testing.B) {
			bus := newBus()
			for range c.subscriptions {
				subscribe(b, bus, Filter{}, nil)
			}
			e := said("45e46232-5c3a-4b1e-9f43-1c2d3e4f5a6b", c.kind, 3)
			b.ReportAllocs()
			for b.Loop() {
				bus.Observe(e)
			}
		})
	}
}
