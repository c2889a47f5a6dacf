package agent

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/zap"

	"tapdeck/controller/internal/dialertest"
)

// What goes wrong is counted, and each kind is there from the begin.
func TestMetrics(t *testing.T) {
	bot := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := websocket.Accept(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		_ = ws.Write(r.Context(), websocket.MessageBinary, []byte("abc"))
		_, _, _ = ws.Read(r.Context()) // start
		_ = ws.CloseNow()
	}))
	defer bot.Close()
	reg := prometheus.NewRegistry()
	m := NewMetrics(reg)
	c := testConfig(FormatPCM)
	c.URL, c.Reconnect = "ws"+strings.TrimPrefix(bot.URL, "http"), 1
	ear := dialertest.NewEar(1)
	ear.Gap(1500*time.Millisecond, true)
	s := Start(context.Background(), c, ear, &testMouth{}, zap.NewNop(), m)
	for e := range s.Events() {
		if e.Kind == Failed {
			break
		}
	}
	s.Stop("test over")
	var want bytes.Buffer
	want.WriteString("# HELP tapdeck_agent_reconnects_total Times that a bot was dialled again.\n# TYPE tapdeck_agent_reconnects_total counter\ntapdeck_agent_reconnects_total 1\n" +
		"# HELP tapdeck_agent_sessions Calls that talk with a bot, or try to reach it, now.\n# TYPE tapdeck_agent_sessions gauge\ntapdeck_agent_sessions 0\n")
	if err := testutil.GatherAndCompare(reg, &want, "tapdeck_agent_reconnects_total", "tapdeck_agent_sessions"); err != nil {
		t.Error(err)
	}
	if got := testutil.ToFloat64(m.Wrong.WithLabelValues(string(wrongOdd))); got != 2 {
		t.Errorf("%v wrong messages, want 2", got)
	}
	if n := testutil.CollectAndCount(m.Wrong); n != len(wrongHints) {
		t.Errorf("%d kinds, want %d", n, len(wrongHints))
	}
}
