package transcript

import (
	"encoding/binary"
	"io"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"tapdeck/controller/internal/dialertest"
	"tapdeck/controller/pcm"
)

// sentFrame is what a test knows of a frame that was sent.
type sentFrame struct {
	at     time.Duration
	still  bool
	silent bool
	value  uint16
}

// pendingTest is a pending with what it must know, frame by frame.
type pendingTest struct {
	*rand.Rand
	pending
	all    []sentFrame
	at     time.Duration // of the recording
	counts int64         // audio that answered has returned
	value  uint16
}

func newPendingTest(seed uint64) *pendingTest {
	config := Config{Service: Service{Buffer: 100 * time.Millisecond}, Rate: 1000, Channels: []string{ChannelCaller}}
	return &pendingTest{Rand: rand.New(rand.NewPCG(seed, 1)), pending: pending{config: config, free: func([]byte) {}}}
}

// addOne sends a chunk of any kind.
func (p *pendingTest) addOne() {
	c := chunk{at: p.at, frames: 1 + p.Int64N(20)}
	switch p.IntN(4) {
	case 0:
		c.silent, c.still = true, p.IntN(2) == 0
	default:
		for range c.frames {
			p.value++
			c.pcm = binary.LittleEndian.AppendUint16(c.pcm, p.value)
		}
	}
	for i := range c.frames {
		f := sentFrame{at: c.at, still: c.still, silent: c.silent}
		if !c.still {
			f.at += p.config.duration(i)
		}
		if !c.silent {
			f.value = binary.LittleEndian.Uint16(c.pcm[2*i:])
		}
		p.all = append(p.all, f)
	}
	p.add(c)
	if !c.still {
		p.at += p.config.duration(c.frames)
	}
	if p.IntN(3) == 0 { // a gap
		p.at += p.config.duration(p.Int64N(1000))
	}
}

// checkPositions compares what is not answered.
func (p *pendingTest) checkPositions(t *testing.T) {
	t.Helper()
	for i := int(p.final); i < len(p.all); i++ {
		if got := p.position(int64(i)); got != p.all[i].at {
			t.Fatalf("frame %d of %d is at %v, want %v", i, len(p.all), got, p.all[i].at)
		}
		if i == int(p.final) { // what ends there lies before, and may be forgotten
			continue
		}
		want := p.all[i-1].at + p.config.duration(1)
		if got := p.end(int64(i)); got > want || got < p.all[i-1].at {
			t.Fatalf("what ends before frame %d ends at %v, want %v", i, got, want)
		}
	}
}

// checkRemaining ends the connection: what is to be sent again is the latest audio that is kept, with
// the silence between.
func (p *pendingTest) checkRemaining(t *testing.T) {
	t.Helper()
	kept := p.kept
	again, more := p.remaining()
	var audio int64
	for _, f := range p.all[:p.final] {
		if !f.silent {
			audio++
		}
	}
	if p.counts+more != audio {
		t.Fatalf("%d frames of audio are answered, want %d", p.counts+more, audio)
	}
	var got, want []sentFrame
	for _, c := range again {
		for i := range c.frames {
			f := sentFrame{at: c.at + p.config.duration(i)}
			if c.silent {
				continue
			}
			f.value = binary.LittleEndian.Uint16(c.pcm[2*i:])
			got = append(got, f)
		}
	}
	for _, f := range slices.Backward(p.all[p.final:]) {
		if !f.silent && len(want) < len(got) {
			want = append(want, f)
		}
	}
	slices.Reverse(want)
	if !slices.Equal(got, want) {
		t.Fatalf("sent again: %v, want %v", got, want)
	}
	if most := p.config.frames(p.config.Buffer); kept > most || int64(len(got)) > most {
		t.Fatalf("%d frames are kept, more than %d", kept, most)
	}
	if left := audioOf(p.all[p.final:]); int64(len(got)) < min(left, p.config.frames(p.config.Buffer)-64) { // less a chunk
		t.Fatalf("only %d of %d frames are sent again", len(got), left)
	}
}

func audioOf(frames []sentFrame) (n int64) {
	for _, f := range frames {
		if !f.silent {
			n++
		}
	}
	return n
}

// Whatever was sent and answered, each frame's place is known, all audio is counted once, and what
// is not answered is sent again.
// scriptedEar is the sounds of a list, without audio.
type scriptedEar struct {
	*dialertest.Ear
	list []pcm.Sound
}

func (e *scriptedEar) Read([]byte) (pcm.Sound, error) {
	if len(e.list) == 0 {
		return pcm.Sound{}, io.EOF
	}
	s := e.list[0]
	e.list = e.list[1:]
	return s, nil
}

// Audio that was dropped is missing, however the session ends, and silence is not.
func TestDroppedIsMissing(t *testing.T) {
	for _, next := range [][]pcm.Sound{nil, {{At: 11 * time.Second, Gap: time.Second}}, {{At: 11 * time.Second, Bytes: 1600}}} {
		e := &scriptedEar{dialertest.NewEar(1), append([]pcm.Sound{{Bytes: 1600}, {At: 100 * ms, Gap: 10 * time.Second, Dropped: 4 * time.Second}}, next...)}
		s := &source{config: Config{Rate: 8000, Channels: []string{ChannelCaller}}, ear: e}
		if _, err := s.next(); err != nil {
			t.Error(err)
		}
		s.drain()
		want := 4100 * ms
		if len(next) > 0 && next[0].Bytes > 0 {
			want += 100 * ms
		}
		if came := s.config.duration(s.came.Load()); came != want {
			t.Errorf("%v: %v came, want %v", next, came, want)
		}
	}
}

// Words are after a position of which no half was said by then.
func TestAfterTheMiddle(t *testing.T) {
	s := Segment{From: 4 * time.Second, To: 6 * time.Second, Text: "hello there", Words: []Word{{"hello", 4600 * ms, 5020 * ms}, {"there", 4900 * ms, 6 * time.Second}}}
	if got := s.After(5 * time.Second); got.Text != "there" || got.From != 4900*ms {
		t.Errorf("%+v", got)
	}
}

func TestPending(t *testing.T) {
	for seed := range uint64(300) {
		p := newPendingTest(seed)
		for range 1 + p.IntN(60) {
			p.addOne()
			if p.IntN(3) == 0 && p.sent > p.final {
				p.counts += p.answered(p.final + p.Int64N(p.sent-p.final+1))
			}
			p.checkPositions(t)
		}
		p.checkRemaining(t)
	}
}

// What a service says of audio that it was never sent counts for nothing.
func TestPendingBeyond(t *testing.T) {
	p := newPendingTest(1)
	p.addOne()
	if n := p.answered(1 << 40); n != audioOf(p.all) || p.final != p.sent {
		t.Errorf("%d frames, up to %d of %d", n, p.final, p.sent)
	}
	if n := p.answered(-1); n != 0 {
		t.Errorf("%d frames before the first", n)
	}
	if at := p.position(p.sent + 100); at != p.tail {
		t.Errorf("behind the end is %v, want %v", at, p.tail)
	}
}

// What ends before a gap ends there, and not behind it; in silence for which no time passes it ends at its place.
func TestPendingEnd(t *testing.T) {
	p := newPendingTest(1)
	audio := func(at time.Duration) chunk { return chunk{at: at, frames: 20, pcm: make([]byte, 40)} }
	for _, c := range []chunk{audio(0), audio(time.Second), {at: 1020 * ms, frames: 20, silent: true, still: true}, audio(1020 * ms), audio(500 * ms)} {
		p.add(c)
	}
	for frame, want := range map[int64]time.Duration{
		0: 0, 1: 1 * ms, 20: 20 * ms, 21: 1001 * ms, 40: 1020 * ms, 41: 1020 * ms, 59: 1020 * ms, 60: 1020 * ms, 61: 1021 * ms,
		80:  1039 * ms, // what follows lies before it
		100: 520 * ms,
	} {
		if got := p.end(frame); got != want {
			t.Errorf("what ends before frame %d ends at %v, want %v", frame, got, want)
		}
	}
}

// Hours without an answer take no room but that of the bound.
func TestPendingForgets(t *testing.T) {
	p := newPendingTest(1)
	for i := range 100_000 {
		p.add(chunk{at: time.Duration(i) * 20 * time.Millisecond, frames: 20, pcm: make([]byte, 40)})
	}
	if len(p.list) > 10 {
		t.Errorf("%d chunks are remembered", len(p.list))
	}
	if at := p.position(1_000_000); at != 1000*time.Second {
		t.Errorf("position %v", at)
	}
}
