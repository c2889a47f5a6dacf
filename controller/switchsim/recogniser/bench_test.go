package recogniser

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// BenchmarkServer is what a second of audio of two channels costs, the client's side included: 50 messages.
func BenchmarkServer(b *testing.B) {
	for _, deaf := range []bool{false, true} {
		for format, query := range map[Format]string{Deepgram: asked + "&channels=2&multichannel=true", Vosk: "/"} {
			b.Run(fmt.Sprintf("%s/deaf=%v", format, deaf), func(b *testing.B) { benchmarkServer(b, &Server{Format: format, Deaf: deaf, Count: true}, query) })
		}
	}
}

func benchmarkServer(b *testing.B, s *Server, query string) {
	url, stop := s.Start()
	defer stop()
	ws, _, err := websocket.Dial(b.Context(), url+query, nil)
	if err != nil {
		b.Fatal(err)
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		for {
			if _, _, err := ws.Read(context.Background()); err != nil {
				return
			}
		}
	}()
	pcm := Say(8000, Spoken{Word: "one", Length: 500 * time.Millisecond}, Spoken{At: 500 * time.Millisecond, Length: 500 * time.Millisecond, Word: Hum})
	message := 320
	if s.Format == Deepgram {
		pcm, message = Interleave(pcm, pcm), 640
	}
	b.ReportAllocs()
	for b.Loop() {
		for at := 0; at < len(pcm); at += message {
			if err := ws.Write(b.Context(), websocket.MessageBinary, pcm[at:at+message]); err != nil {
				b.Fatal(err)
			}
		}
	}
	_ = ws.CloseNow()
	<-read
}
