package sink

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"tapdeck/sink/store"
)

// Fifty streams at once, each with its own signal and rate, become fifty files that
// are equal to their own signal, bit for bit.
func TestParallelStreams(t *testing.T) {
	cfg := testConfig(t)
	cfg.ReadInterval = 20 * time.Millisecond
	b := serveTCP(t, cfg)
	var all sync.WaitGroup
	for i := range 50 {
		call := testCall(newID())
		call.SampleRate, call.Channels = 8000+i%2*8000, 1+i/2%2
		r, pcm := b.expect(call), speech(uint64(i), 32000)
		all.Go(func() {
			s := b.connect(r)
			size := r.format.FrameBytes() * int(r.format.Frames(frame))
			for at := 0; at < len(pcm); at += size {
				s.audio(pcm[at:min(at+size, len(pcm))])
			}
			s.hangUp()
			record := b.finish(r)
			got, h := readWAV(t, b.path(record.WAV))
			if !bytes.Equal(got, pcm) || h.Format != r.format || record.Call != call.Call {
				t.Errorf("%s: %d bytes differ from its signal", call.Call, len(got))
			}
		})
	}
	all.Wait()
	if n := b.metric("tapdeck_sink_streams", ""); n != 0 {
		t.Errorf("%v streams are left", n)
	}
	if got := b.metric("tapdeck_sink_audio_bytes_total", ""); got != 50*64000 {
		t.Errorf("audio_bytes_total %v", got)
	}
}

func TestNoAllocationPerFrame(t *testing.T) {
	b := serveTCP(t, testConfig(t))
	r := b.expect(testCall(testID))
	tap, p := r.Tap(TapOptions{}), make([]byte, 640)
	defer tap.Close()
	s := b.connect(r)
	message := encodeFrame(fin|opBinary, speech(1, 160))
	one := func() {
		if _, err := s.c.Write(message); err != nil {
			t.Error(err)
		}
		for got := 0; got < 320; {
			<-tap.Ready()
			for {
				read, err := tap.Read(p)
				if err != nil {
					t.Fatal(err)
				}
				if got += read.Bytes; read.Bytes == 0 {
					break
				}
			}
		}
	}
	for range 100 {
		one()
	}
	if n := testing.AllocsPerRun(20_000, one); n != 0 {
		t.Errorf("%v allocations per frame", n)
	}
	s.hangUp()
	b.finish(r)
}

// On a real socket, where the kernel is asked not to wake the process for a single
// frame, one is seen nevertheless, and so is a Close: with Stopping at once.
func TestFewBytesOnARealSocket(t *testing.T) {
	for name, stopping := range map[string]bool{"stop": true, "hangup": false} {
		t.Run(name, func(t *testing.T) {
			cfg := testConfig(t)
			cfg.ReadInterval = time.Second
			b := serveTCP(t, cfg)
			r := b.expect(testCall(testID))
			s := b.connect(r)
			pcm := speech(1, 160*70)
			s.play(pcm)
			began := time.Now()
			s.audio(pcm[:320])
			await(t, r, "collector", func(st State) bool { return st.Audio == 71*frame || stopping })
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("a frame was seen after %v", took)
			}
			if stopping {
				r.Stopping()
			}
			began = time.Now()
			s.hangUp()
			if took := time.Since(began); stopping && took > 500*time.Millisecond {
				t.Errorf("the Close was answered after %v", took)
			}
			got, _ := readWAV(t, b.path(b.finish(r).WAV))
			if !bytes.HasPrefix(got, append(pcm, pcm[:320]...)) { // time without frames follows
				t.Error("audio differs")
			}
		})
	}
}

func TestMetricsAreLinted(t *testing.T) {
	b := serve(t, testConfig(t))
	r := b.expect(testCall(testID))
	s := b.connect(r)
	s.audio(speech(1, 160))
	s.hangUp()
	b.finish(r)
	problems, err := testutil.GatherAndLint(b.reg)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
	for name, want := range map[string]float64{
		"tapdeck_sink_streams": 0, "tapdeck_sink_streams_total": 1, "tapdeck_sink_audio_bytes_total": 320,
	} {
		if got := b.metric(name, ""); got != want {
			t.Errorf("%s %v, want %v", name, got, want)
		}
	}
	if got := b.metric("tapdeck_sink_stream_ends_total", string(EndClosed)); got != 1 {
		t.Errorf("stream_ends_total %v", got)
	}
	if got := b.metric("tapdeck_sink_recordings_total", "published"); got != 1 {
		t.Errorf("recordings_total %v", got)
	}
}

func testTLS(t *testing.T) *tls.Config {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
}

// Plain text that comes instead of TLS is told of, with a hint.
func TestTLS(t *testing.T) {
	cfg := testConfig(t)
	cfg.TLS = testTLS(t)
	ln := newPipeListener()
	b := serveOn(t, cfg, ln, func() (net.Conn, error) {
		c, err := ln.dial()
		return tls.Client(c, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2", "http/1.1"}}), err
	}, store.OSDisk{})
	r := b.expect(testCall(testID))
	pcm := speech(1, 8000*2)
	s := b.connect(r)
	for i := 0; i < len(pcm); i += 320 {
		s.audio(pcm[i : i+320])
	}
	s.hangUp()
	if got, _ := readWAV(t, b.path(b.finish(r).WAV)); !bytes.Equal(got, pcm) {
		t.Error("the file differs from what was sent")
	}

	c, err := ln.dial()
	if err != nil {
		t.Fatal(err)
	}
	_, _ = c.Write([]byte("GET /stream/x HTTP/1.1\r\n\r\n"))
	_, _ = c.Read(make([]byte, 1))
	c.Close()
	b.stop()
	if b.logs.FilterMessage("plain text on the TLS port").Len() != 1 {
		t.Errorf("log %v", b.logs.All())
	}
	hasHints(t, b)
}

// With TLS of the sink's own, reads are coalesced as well: two wake-ups of the
// reader are a read interval apart.
func TestTLSReadsAreCoalesced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := testConfig(t)
		cfg.TLS = testTLS(t)
		ln := newPipeListener()
		b := serveOn(t, cfg, ln, func() (net.Conn, error) {
			c, err := ln.dial()
			return tls.Client(c, &tls.Config{InsecureSkipVerify: true}), err
		}, store.OSDisk{})
		call := testCall(testID)
		call.SampleRate = 16000
		r := b.expect(call)
		h := collect(r.Tap(TapOptions{Latency: time.Second}))
		s := b.connect(r)
		pcm := speech(1, 16000*5)
		for i := 0; i < len(pcm); i += 640 {
			elapse(frame)
			s.audio(pcm[i : i+640])
		}
		s.hangUp()
		b.finish(r)
		if h.wait(); !bytes.Equal(h.pcm, pcm) {
			t.Error("audio differs")
		}
		wakes := 0
		for i := 1; i < len(h.when); i++ {
			if h.when[i] != h.when[i-1] {
				wakes++
			}
		}
		if wakes > 50+4*5+2 {
			t.Errorf("%d wake-ups in 5 s", wakes)
		}
	})
}

// Hundreds of sockets that connect in one moment are all taken. (Thousands are too, but
// the race detector itself gives up there.)
func TestBurstOfSockets(t *testing.T) {
	sockets := 600
	if raced {
		sockets = 200
	}
	synctest.Test(t, func(t *testing.T) {
		ln := newPipeListener()
		b := serveOn(t, testConfig(t), ln, ln.dial, looseDisk{})
		var all sync.WaitGroup
		for range sockets {
			r := b.expect(testCall(newID()))
			all.Go(func() {
				b.connect(r).hangUp()
				b.finish(r)
			})
		}
		all.Wait()
	})
}
