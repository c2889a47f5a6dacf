package app

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"tapdeck/controller"
	"tapdeck/sink"
)

// A recording's ear hears the caller's side alone and ends with the recording, what is sent to the switch
// arrives there, and no stream is the controller's own error.
func TestRecordingTalksWithTheSwitch(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	cfg := sink.DefaultConfig()
	cfg.Advertise, cfg.Directory, cfg.MinFree = "ws://"+ln.Addr().String(), t.TempDir(), 0
	cfg.Allow = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	s := sink.New(cfg, zap.NewNop(), prometheus.NewRegistry())
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, ln) }()
	defer func() {
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
	}()
	r := recorder{sink: s, lost: &atomic.Int64{}}
	rec, err := r.Expect(controller.Info{UUID: "a-call", Started: time.Now()}, controller.StreamPlan{SampleRate: 8000, Mix: "stereo"})
	if err != nil {
		t.Fatal(err)
	}
	if err := rec.Send([]byte("early")); !errors.Is(err, controller.ErrNoStream) {
		t.Errorf("error %v without a stream", err)
	}
	ear := rec.Tap(controller.TapOptions{Caller: true})
	defer ear.Close()
	ws, _, err := websocket.Dial(ctx, rec.URL(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer ws.CloseNow()
	if err := ws.Write(ctx, websocket.MessageBinary, bytes.Repeat([]byte{1, 2, 8, 9}, 160)); err != nil {
		t.Fatal(err)
	}
	p := make([]byte, 640)
	<-ear.Ready()
	sound, err := ear.Read(p)
	if err != nil || sound.At != 0 || sound.Gap != 0 || !bytes.Equal(p[:sound.Bytes], bytes.Repeat([]byte{1, 2}, 160)) {
		t.Errorf("the ear hears %+v, %v", sound, err)
	}
	if rec.Position(time.Now()) < 20*time.Millisecond || rec.State().Talk != (controller.Talk{}) {
		t.Errorf("position %v, talk %+v", rec.Position(time.Now()), rec.State().Talk)
	}
	if err := rec.Send([]byte("text")); err != nil {
		t.Fatal(err)
	}
	if kind, text, err := ws.Read(ctx); err != nil || kind != websocket.MessageText || string(text) != "text" {
		t.Errorf("the switch reads %q, %v", text, err)
	}
	if err := ws.Close(websocket.StatusNormalClosure, ""); err != nil {
		t.Error(err)
	}
	if err := rec.Finish(ctx); err != nil {
		t.Error(err)
	}
	for err == nil {
		sound, err = ear.Read(p)
	}
	if err != io.EOF {
		t.Errorf("error %v at the end", err)
	}
}
