package sink

import (
	"bytes"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
)

const upgradeHeaders = "Host:x\r\nUpgrade:websocket\r\nConnection:upgrade\r\n" +
	"Sec-WebSocket-Key:BwSBTgq6hVWOKoisMj5u/w==\r\nSec-WebSocket-Version:13\r\nOrigin:http://x\r\n"

func TestRefusedBeforeTheUpgrade(t *testing.T) {
	other := newID()
	for name, c := range map[string]struct {
		path func(ticket string) string
		headers,
		reason string
		status int
	}{
		"another path":    {func(string) string { return "/" }, "", "wrong_path", 404},
		"the old stack's": {func(string) string { return "/ingest?x=1" }, "", "wrong_path", 404},
		"no ticket":       {func(string) string { return "/stream/" + testID }, "", "no_ticket", 401},
		"an empty ticket": {func(string) string { return "/stream/" + testID + "/" }, "", "no_ticket", 401},
		"no call":         {func(string) string { return "/stream" }, "", "no_ticket", 401},
		"a wrong ticket":  {func(string) string { return "/stream/" + testID + "/AAAA" }, "", "wrong_ticket", 403},
		"half a ticket":   {func(k string) string { return "/stream/" + testID + "/" + k[:12] }, "", "wrong_ticket", 403},
		"another call's":  {func(k string) string { return "/stream/" + other + "/" + k }, "", "wrong_ticket", 403},
		"an unknown call": {func(k string) string { return "/stream/" + newID() + "/" + k }, "", "wrong_ticket", 403},
		"capitals": {func(k string) string {
			return "/stream/" + strings.ToUpper(testID) + "/" + k
		}, "", "no_ticket", 401},
		"traversal": {func(k string) string {
			return "/stream/../../etc/passwd/" + k
		}, "", "no_ticket", 401},
		"encoded traversal": {func(k string) string {
			return "/stream/%2e%2e%2f" + testID + "/" + k
		}, "", "no_ticket", 401},
		"more after the ticket": {func(k string) string {
			return "/stream/" + testID + "/" + k + "/x"
		}, "", "no_ticket", 401},
		"no upgrade": {func(k string) string {
			return "/stream/" + testID + "/" + k
		}, "Host:x\r\n", "no_upgrade", 426},
		"another version": {func(k string) string {
			return "/stream/" + testID + "/" + k
		}, strings.Replace(upgradeHeaders, ":13", ":12", 1), "no_upgrade", 400},
	} {
		t.Run(name, func(t *testing.T) {
			b := serve(t, testConfig(t))
			r := b.expect(testCall(testID))
			b.expect(testCall(other))
			if c.headers == "" {
				c.headers = upgradeHeaders
			}
			_, resp := b.rawRequest("GET " + c.path(r.ticket) + " HTTP/1.1\r\n" + c.headers + "\r\n")
			if resp.StatusCode != c.status {
				t.Errorf("status %d, want %d", resp.StatusCode, c.status)
			}
			line := b.logs.FilterMessage("stream refused").FilterField(zap.String("cause", c.reason))
			if line.Len() != 1 {
				t.Errorf("log: %v", b.logs.All())
			}
			if got := b.metric("tapdeck_sink_refused_total", c.reason); got != 1 {
				t.Errorf("refused_total{%s} %v", c.reason, got)
			}
			// The call's own socket is taken after all that.
			b.connect(r).hangUp()
			b.finish(r)
		})
	}
}

// metric returns the value of a metric, with its one label's value if it has one.
func (b *testbed) metric(name, label string) float64 {
	b.t.Helper()
	families, err := b.reg.Gather()
	if err != nil {
		b.t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() != name || (label != "" && m.GetLabel()[0].GetValue() != label) {
				continue
			}
			return m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	return 0
}

func TestWrongAddressIsRefused(t *testing.T) {
	cfg := testConfig(t)
	b := serve(t, cfg)
	r := b.expect(testCall(testID))
	path := strings.TrimPrefix(r.URL(), cfg.Advertise)
	none := cfg
	none.Allow = nil
	b.sink.Update(none)
	if _, resp := b.request(path); resp.StatusCode != http.StatusForbidden {
		t.Errorf("status %s", resp.Status)
	}
	b.sink.Update(cfg)
	b.connect(r).hangUp()
	b.finish(r)
}

// Connections that never ask for anything don't keep streams out.
func TestSilentConnectionsMakeRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := serve(t, testConfig(t))
		r := b.expect(testCall(testID))
		began := time.Now()
		var silent []net.Conn
		for range 3 * b.sink.maxPending {
			c, err := b.dial()
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			silent = append(silent, c)
		}
		for _, c := range silent[:2*b.sink.maxPending] {
			_, _ = c.Read(make([]byte, 1))
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("the old ones were closed after %v", took)
		}
		b.connect(r).hangUp()
		b.finish(r)
	})
}

func TestSlowRequestIsCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := serve(t, testConfig(t))
		c, err := b.dial()
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		began := time.Now()
		_, _ = c.Write([]byte("GET /stream"))
		_, _ = c.Read(make([]byte, 1000))
		if took := time.Since(began); took != headerTimeout {
			t.Errorf("cut off after %v", took)
		}
	})
}

// An overloaded machine answers a request late: when the server's limit is over, the stream's
// response is sent nevertheless.
func TestLateResponse(t *testing.T) {
	b := serveTCP(t, testConfig(t))
	late := &connections{sink: b.sink}
	srv := late.server()
	srv.WriteTimeout = time.Nanosecond // all of it is late
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = srv.Serve(&listener{Listener: ln}) }()
	defer late.all.Wait()
	defer srv.Close()
	b.dial = func() (net.Conn, error) { return net.Dial("tcp", ln.Addr().String()) }
	if _, resp := b.request("/"); resp.StatusCode != http.StatusNotFound {
		t.Errorf("another path: status %s", resp.Status)
	}
	r := b.expect(testCall(testID))
	b.connect(r).hangUp()
	b.finish(r)
}

// Each hostile stream ends with a named reason, and its file holds the audio that came.
func TestHostileStreams(t *testing.T) {
	pcm := speech(1, 8000)
	send := func(frames ...[]byte) func(*socket) {
		return func(s *socket) { _, _ = s.c.Write(bytes.Join(frames, nil)) }
	}
	// A length in its longest form: what the limit counts is bytes.
	emptyFragment := []byte{opContinue, 0x80 | 127, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4}
	many := func(n int, b []byte) []byte { return bytes.Repeat(b, n) }
	for name, c := range map[string]struct {
		attack func(*socket)
		end    End
		status int
	}{
		"message above the limit": {send(encodeFrame(fin|opBinary, make([]byte, 70_000))), EndTooBig, 1009},
		"message of 1 TB declared": {
			send([]byte{fin | opBinary, 0xff, 0, 0, 1, 0, 0, 0, 0, 0, 1, 2, 3, 4}, make([]byte, 70_000)), EndTooBig, 1009,
		},
		"endless text": {send(encodeFrame(opText, many(100, []byte("x"))),
			many(1000, encodeFrame(opContinue, many(100, []byte("x"))))), EndTooBig, 1009},
		"endless empty fragments": {
			send(encodeFrame(opBinary, nil), many(20_000, emptyFragment)), EndFlood, 1008,
		},
		"ping flood":       {send(many(1000, encodeFrame(fin|opPing, []byte("ping")))), EndFlood, 1008},
		"pong flood":       {send(many(1000, encodeFrame(fin|opPong, nil))), EndFlood, 1008},
		"text flood":       {send(many(1000, encodeFrame(fin|opText, []byte("{}")))), EndFlood, 1008},
		"large texts":      {send(many(4, encodeFrame(fin|opText, make([]byte, 60_000)))), EndFlood, 1008},
		"unmasked frame":   {send(append([]byte{fin | opBinary, 4}, "abcd"...)), EndProtocol, 1002},
		"reserved bit":     {send(encodeFrame(fin|0x40|opBinary, []byte("abcd"))), EndProtocol, 1002},
		"unknown opcode":   {send(encodeFrame(fin|3, []byte("abcd"))), EndProtocol, 1002},
		"stray fragment":   {send(encodeFrame(fin|opContinue, []byte("abcd"))), EndProtocol, 1002},
		"message inside":   {send(encodeFrame(opText, nil), encodeFrame(fin|opBinary, []byte("abcd"))), EndProtocol, 1002},
		"fragmented ping":  {send(encodeFrame(opPing, nil)), EndProtocol, 1002},
		"ping of 126":      {send(encodeFrame(fin|opPing, make([]byte, 126))), EndProtocol, 1002},
		"close of 1 byte":  {send(encodeFrame(fin|opClose, []byte{3})), EndProtocol, 1002},
		"close of 1005":    {send(encodeFrame(fin|opClose, []byte{3, 0xed})), EndProtocol, 1002},
		"negative length":  {send([]byte{fin | opBinary, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0}), EndProtocol, 1002},
		"half a header":    {func(s *socket) { send([]byte{fin | opBinary})(s); s.drop() }, EndDropped, 0},
		"half a message":   {func(s *socket) { send(encodeFrame(fin|opBinary, pcm[:320])[:100])(s); s.drop() }, EndDropped, 0},
		"TCP end":          {func(s *socket) { s.drop() }, EndDropped, 0},
		"silence":          {func(*socket) {}, EndIdle, 1001},
		"bytes, no frames": {func(s *socket) { s.trickle() }, EndIdle, 1001},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := serve(t, testConfig(t))
				r := b.expect(testCall(testID))
				s := b.connect(r)
				s.audio(pcm)
				synctest.Wait()
				c.attack(s)
				if status := s.awaitEnd(); status != c.status {
					t.Errorf("close status %d, want %d", status, c.status)
				}
				st := awaitGone(t, r, 1)
				if st.LastEnd != c.end {
					t.Errorf("it ended by %q, want %q", st.LastEnd, c.end)
				}
				if b.logs.FilterMessage("stream ended abnormally").FilterField(zap.String("cause", string(c.end))).Len() != 1 {
					t.Errorf("log: %v", b.logs.All())
				}
				record := b.finish(r)
				got, _ := readWAV(t, b.path(record.WAV))
				if !bytes.HasPrefix(got, pcm) {
					t.Error("the audio before the attack is lost")
				}
				if c.end != EndTooBig && !bytes.Equal(got, pcm) {
					t.Errorf("%d bytes are in the file, %d of audio were sent", len(got), len(pcm))
				}
				for _, text := range record.Metadata {
					if len(text) > maxMetadataBytes {
						t.Errorf("metadata of %d bytes", len(text))
					}
				}
			})
		})
	}
}

// trickle sends a byte of an endless message every second.
func (s *socket) trickle() {
	_, _ = s.c.Write([]byte{fin | opText, 0x80 | 126, 0xff, 0xff, 1, 2, 3, 4})
	for {
		if _, err := s.c.Write([]byte("x")); err != nil {
			return
		}
		elapse(time.Second)
	}
}

// What is sent beyond a message is bounded; what was sent as audio is kept.
func TestMetadataIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := serve(t, testConfig(t))
		r := b.expect(testCall(testID))
		s := b.connect(r)
		for range 40 {
			s.text(strings.Repeat("x", 9000) + "\xff")
			elapse(200 * time.Millisecond)
		}
		s.hangUp()
		record := b.finish(r)
		const kept = maxMetadataTotal / maxMetadataBytes
		if len(record.Metadata) != kept || record.MetadataDropped != 40-kept {
			t.Errorf("%d kept, %d dropped", len(record.Metadata), record.MetadataDropped)
		}
		if n := len(record.Metadata[0]); n != maxMetadataBytes {
			t.Errorf("a text of %d bytes", n)
		}
	})
}

// However many sockets, frames and odd bytes: what is kept of a recording's text is bounded.
func TestMetadataOfManySockets(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		kept int
	}{
		"small":     {"x", maxMetadata},
		"half":      {strings.Repeat("x", maxMetadataTotal/2-1), 2},
		"not UTF-8": {strings.Repeat("x\xff", 1000), maxMetadataTotal / 4000},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := serve(t, testConfig(t))
				r := b.expect(testCall(testID))
				for range 4 {
					s := b.connect(r)
					for range 10 {
						s.text(c.text)
					}
					s.hangUp()
					synctest.Wait()
				}
				record, bytes := b.finish(r), 0
				for _, text := range record.Metadata {
					bytes += len(text)
				}
				if len(record.Metadata) != c.kept || record.MetadataDropped != 40-c.kept || bytes > maxMetadataTotal {
					t.Errorf("%d kept, %d dropped, %d bytes", len(record.Metadata), record.MetadataDropped, bytes)
				}
			})
		})
	}
}

// Once a text is dropped, so are all that follow, however short: what is kept has no hole.
func TestMetadataAfterADroppedOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := serve(t, testConfig(t))
		r := b.expect(testCall(testID))
		s := b.connect(r)
		long := strings.Repeat("x", maxMetadataBytes-1)
		for _, text := range []string{long, long, long, "y"} {
			s.text(text)
		}
		s.hangUp()
		if record := b.finish(r); len(record.Metadata) != 2 || record.MetadataDropped != 2 {
			t.Errorf("%d kept, %d dropped", len(record.Metadata), record.MetadataDropped)
		}
	})
}

// A sample that is split between two frames is one sample; what is left of one when
// its socket ends is dropped, and the next socket begins with a whole one.
func TestOddByteCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := serve(t, testConfig(t))
		r := b.expect(testCall(testID))
		pcm := speech(1, 8000)
		s := b.connect(r)
		for rest := pcm; len(rest) > 0; {
			n := min(len(rest), 1+len(rest)%321)
			s.audio(rest[:n])
			rest = rest[n:]
		}
		s.text("between")
		s.audio([]byte{1})
		s.drop()
		awaitGone(t, r, 1)
		s = b.connect(r)
		s.audio(pcm[:320])
		s.hangUp()
		record := b.finish(r)
		got, _ := readWAV(t, b.path(record.WAV))
		if !bytes.HasPrefix(got, pcm) || !bytes.HasSuffix(got, pcm[:320]) {
			t.Error("the samples are not those that were sent")
		}
	})
}

func TestPingsAreAnswered(t *testing.T) {
	b := serve(t, testConfig(t))
	r := b.expect(testCall(testID))
	s := b.connect(r)
	s.ping()
	first, payload, err := s.readFrame()
	if err != nil || first != fin|opPong || string(payload) != "ping" {
		t.Errorf("got %x %q %v", first, payload, err)
	}
	s.hangUp()
	b.finish(r)
}
