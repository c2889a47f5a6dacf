package app

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/zap"

	"tapdeck/cmd/internal/apptest"
	"tapdeck/controller"
)

// TestTextFramesAreInTheFile sends text frames on a recording's stream: its record's file has
// them; what the log's last line and the list of ended calls are made of, of which there are
// many, has their number only.
func TestTextFramesAreInTheFile(t *testing.T) {
	s := newTestDaemon(t, shortCalls)
	ctx, cancel := context.WithTimeout(t.Context(), apptest.Patience)
	defer cancel()
	info := controller.Info{UUID: "45e46232-7f9c-4f4a-8d3f-2f1c6a0b9d11", Started: time.Now()}
	rec, err := recorder{s.sink, &s.lost, "here"}.Expect(info, controller.StreamPlan{SampleRate: 8000, Mix: "mono"})
	if err != nil {
		t.Fatal(err)
	}
	ws, _, err := websocket.Dial(ctx, rec.URL(), nil)
	for i := 0; i < 2 && err == nil; i++ {
		err = ws.Write(ctx, websocket.MessageText, fmt.Appendf(nil, "the text %d", i))
	}
	if err == nil {
		err = ws.Close(websocket.StatusNormalClosure, "")
	}
	if err == nil {
		err = rec.Finish(ctx)
	}
	if err != nil {
		t.Fatal(err)
	}
	record, err := rec.Save(controller.Outcome{Result: controller.Completed, Ended: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	if kept := s.record(info.UUID); len(kept.Metadata) != 2 || kept.MetadataInFile != 0 {
		t.Errorf("the file has the texts %q, %d are elsewhere", kept.Metadata, kept.MetadataInFile)
	}
	page, _ := json.Marshal(record)
	s.Daemon.log.Info("call ended", zap.Inline(record))
	for _, text := range []string{string(page), s.journal.String()} {
		if strings.Contains(text, "the text") || !strings.Contains(text, `"metadata":[],"metadata_in_file":2`) {
			t.Errorf("the list, or the log, has %s", text)
		}
	}
}
