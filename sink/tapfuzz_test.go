package sink

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"tapdeck/sink/internal/sinktest"
	"tapdeck/sink/track"
	"tapdeck/wav"
)

// Whatever comes and however it is read, a tap's audio is that of its position, what follows begins
// where the one before ended, and all audio was read or is counted as dropped.
func FuzzTap(f *testing.F) {
	f.Add([]byte{0, 10, 0, 200, 2, 9, 1, 7, 0, 255, 2, 255}, false)
	f.Add(bytes.Repeat([]byte{0, 30, 1, 3}, 60), true)
	f.Add(bytes.Repeat([]byte{0, 255, 2, 1}, 30), true)
	f.Add(append(bytes.Repeat([]byte{0, 1, 1, 1}, 40), 0, 255, 0, 255, 2, 255), false)
	f.Fuzz(func(t *testing.T, acts []byte, left bool) {
		m := newTapModel(t, left)
		for i := 0; i+1 < len(acts); i += 2 {
			n := int(acts[i+1])
			switch acts[i] % 3 {
			case 0:
				m.audio(4 * n)
			case 1:
				m.tap.gap(m.fed, int64(n+1), []string{track.GapNoFrames, track.GapReconnect}[n%2])
				m.fed += int64(n + 1)
			case 2:
				m.read(2 * (n + 1))
			}
		}
		m.tap.end()
		for m.read(100) {
		}
		if m.at != m.fed || m.heard+m.tap.dropped != m.audioFed || m.told != m.tap.dropped {
			t.Errorf("read to frame %d of %d; %d frames heard, %d dropped and %d told of %d", m.at, m.fed, m.heard, m.tap.dropped, m.told, m.audioFed)
		}
	})
}

// tapModel is a tap of which each frame's sample is its position.
type tapModel struct {
	t                        *testing.T
	tap                      *Tap
	channels                 int
	fed, audioFed, at, heard int64
	told                     int64 // as dropped
	buf                      []byte
}

func newTapModel(t *testing.T, left bool) *tapModel {
	m := &tapModel{t: t, channels: 1, buf: make([]byte, 1024)}
	if left {
		m.channels = 2
	}
	r := &Recording{format: wav.Format{SampleRate: 8000, Channels: m.channels}}
	m.tap = r.Tap(TapOptions{Buffer: 100 * time.Millisecond, Left: left})
	return m
}

func (m *tapModel) audio(frames int) {
	var pcm []byte
	for i := range frames {
		pcm = binary.LittleEndian.AppendUint16(pcm, uint16(m.fed+int64(i)))
		if m.channels == 2 {
			pcm = append(pcm, 0xaa, 0xbb)
		}
	}
	m.tap.audio(m.fed, pcm)
	m.fed, m.audioFed = m.fed+int64(frames), m.audioFed+int64(frames)
}

// read reads once, and says whether there was something.
func (m *tapModel) read(bytes int) bool {
	read, err := m.tap.Read(m.buf[:bytes])
	if err == io.EOF || read == (TapRead{}) {
		return false
	}
	if err != nil || read.At != mono8.Duration(m.at) {
		m.t.Fatalf("read %+v, %v at frame %d", read, err, m.at)
	}
	for i := 0; i < read.Bytes; i += 2 {
		if got := binary.LittleEndian.Uint16(m.buf[i:]); got != uint16(m.at) {
			m.t.Fatalf("frame %d is %d", m.at, got)
		}
		m.at, m.heard = m.at+1, m.heard+1
	}
	m.at, m.told = m.at+mono8.Frames(read.Gap), m.told+mono8.Frames(read.Dropped)
	if len(m.tap.spans) > m.tap.mostSpans || m.tap.size > m.tap.most || cap(m.tap.spans) != m.tap.mostSpans {
		m.t.Fatalf("%d spans, %d bytes", len(m.tap.spans), m.tap.size)
	}
	return true
}

// Taps that are opened and closed at random, by readers with all sorts of wishes, while frames come
// late, in bursts and not at all, sockets are cut, the call stops its stream, and the disk stalls:
// what each reads is what the WAV has there.
func TestTapsAndAllSortsOfTrouble(t *testing.T) {
	seeds := uint64(40)
	if raced || testing.Short() {
		seeds = 12
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { newTrouble(t, seed).run() })
		})
	}
}

// trouble is a call that has all of it.
type trouble struct {
	*testing.T
	*rand.Rand
	b      *testbed
	r      *Recording
	s      *socket // nil is down
	disk   *sinktest.BadDisk
	chans  int
	socket int
	taps   []*collector
}

func newTrouble(t *testing.T, seed uint64) *trouble {
	x := &trouble{T: t, Rand: rand.New(rand.NewPCG(seed, 1)), chans: 1 + int(seed%2)}
	x.disk = &sinktest.BadDisk{Match: testID + ".wav", Step: "write"}
	ln := newPipeListener()
	x.b = serveOn(t, testConfig(t), ln, ln.dial, x.disk)
	call := testCall(testID)
	call.Channels = x.chans
	x.r = x.b.expect(call)
	return x
}

func (x *trouble) run() {
	x.open()
	for range 60 {
		x.act()
	}
	if x.s != nil {
		x.s.hangUp()
	}
	record := x.b.finish(x.r)
	if x.r.track == nil {
		return
	}
	data, _ := readWAV(x, x.b.path(record.WAV))
	for i, c := range x.taps {
		c.wait()
		f := c.tap.format
		from := f.FrameBytes() * int(f.Frames(c.begin))
		if c.err != nil || from+len(c.pcm) > len(data) || !bytes.Equal(data[from:from+len(c.pcm)], c.pcm) {
			x.Errorf("tap %d: %d bytes from %d on are not the WAV's %d; %v; gaps %v", i, len(c.pcm), from, len(data), c.err, record.Gaps)
		}
		if !c.tap.closed && c.pcm != nil && from+len(c.pcm) != len(data) {
			x.Errorf("tap %d ends at %d of %d", i, from+len(c.pcm), len(data))
		}
		c.tap.Close()
	}
}

func (x *trouble) open() {
	wishes := []time.Duration{0, frame, 100 * time.Millisecond, time.Second}
	x.taps = append(x.taps, collect(x.r.Tap(TapOptions{Latency: wishes[x.IntN(len(wishes))], Buffer: time.Minute})))
}

// act does one thing that happens in a call.
func (x *trouble) act() {
	switch x.IntN(12) {
	case 0, 1:
		x.open()
	case 2:
		x.taps[x.IntN(len(x.taps))].tap.Close()
	case 3:
		elapse(time.Duration(x.IntN(2500)) * time.Millisecond)
	case 4:
		x.disk.StallOnce(time.Duration(x.IntN(3000)) * time.Millisecond)
	case 5:
		x.cut()
	case 6:
		x.stall(time.Duration(x.IntN(900)) * time.Millisecond)
	default:
		x.play(time.Duration(x.IntN(1500)) * time.Millisecond)
	}
}

// cut ends the socket, by the call or by the network.
func (x *trouble) cut() {
	if x.s == nil {
		return
	}
	if x.IntN(2) == 0 {
		x.r.Stopping()
		x.s.hangUp()
		awaitGone(x, x.r, x.socket)
		elapse(time.Duration(x.IntN(1000)) * time.Millisecond)
		x.r.Starting()
	} else {
		x.s.drop()
		awaitGone(x, x.r, x.socket)
	}
	x.s = nil
}

// play has frames come, each up to 20 ms late.
func (x *trouble) play(d time.Duration) {
	if x.s == nil {
		x.s = x.b.connect(x.r)
		x.socket++
	}
	began, size := time.Now(), 320*x.chans
	pcm := speech(x.Uint64(), size/2*int(d/frame))
	for n := 1; len(pcm) > 0; pcm, n = pcm[size:], n+1 {
		due := began.Add(time.Duration(n)*frame + time.Duration(x.IntN(20))*time.Millisecond)
		elapse(time.Until(due))
		x.s.audio(pcm[:size])
	}
}

// stall has frames come late, all at once.
func (x *trouble) stall(d time.Duration) {
	elapse(d)
	if x.s == nil {
		return
	}
	for range d / frame {
		x.s.audio(speech(x.Uint64(), 160*x.chans))
	}
}

// What a reader does hurts nobody: one that panics, with a lock of its own, and one that is closed from
// elsewhere while it reads.
func TestTapReaderPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := serve(t, testConfig(t))
		r := b.expect(testCall(testID))
		bad, good := r.Tap(TapOptions{}), collect(r.Tap(TapOptions{}))
		go func() {
			defer func() { _ = recover() }()
			<-bad.Ready()
			if _, err := bad.Read(make([]byte, 320)); err == nil {
				panic("a reader")
			}
		}()
		s := b.connect(r)
		pcm := speech(1, 8000*4)
		s.play(pcm)
		s.hangUp()
		if err := r.Finish(context.Background()); err != nil {
			t.Error(err)
		}
		good.check(t, pcm)
		if bad.Dropped() == 0 {
			t.Error("nothing was dropped")
		}
		bad.Close()
	})
}
