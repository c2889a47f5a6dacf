package doctor

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// toneBot is a bot of the pcm wire on loopback that says the pattern and hangs up when that was heard.
type toneBot struct {
	ln      net.Listener
	server  http.Server
	serving sync.WaitGroup
	cancel  context.CancelFunc
}

// saidLength is how much of the pattern the bot says.
const saidLength = 2 * time.Second

// startToneBot starts one; it must be stopped.
func startToneBot(ctx context.Context) (*toneBot, error) {
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	b := &toneBot{ln: ln, cancel: cancel}
	b.server = http.Server{
		ReadHeaderTimeout: time.Second, BaseContext: func(net.Listener) context.Context { return ctx },
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { b.talk(ctx, w, r) }),
	}
	b.serving.Go(func() { _ = b.server.Serve(ln) })
	return b, nil
}

func (b *toneBot) url() string { return "ws://" + b.ln.Addr().String() }

// stop ends its conversations.
func (b *toneBot) stop() {
	b.cancel()
	_ = b.server.Close()
	b.serving.Wait()
}

// talk is one conversation.
func (b *toneBot) talk(ctx context.Context, w http.ResponseWriter, r *http.Request) {
	conn, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	b.serving.Add(1)
	defer b.serving.Done()
	defer func() { _ = conn.CloseNow() }()
	for err == nil {
		var kind websocket.MessageType
		var message []byte
		if kind, message, err = conn.Read(ctx); err == nil && kind == websocket.MessageText {
			err = answerTo(ctx, conn, message)
		}
	}
}

// answerTo says the pattern after the start, and hangs up after its mark.
func answerTo(ctx context.Context, conn *websocket.Conn, message []byte) error {
	var said struct {
		Event string
		Rate  int `json:"sample_rate"`
	}
	if err := json.Unmarshal(message, &said); err != nil {
		return err
	}
	switch said.Event {
	case "start":
		if err := conn.Write(ctx, websocket.MessageBinary, patternPCM(saidLength, said.Rate)); err != nil {
			return err
		}
		return conn.Write(ctx, websocket.MessageText, []byte(`{"event":"mark","name":"tone"}`))
	case "mark":
		return conn.Write(ctx, websocket.MessageText, []byte(`{"event":"hangup"}`))
	}
	return nil
}
