package app

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"go.uber.org/zap"
	"go.yaml.in/yaml/v3"

	"tapdeck/cmd/internal/apptest"
	"tapdeck/controller/switchsim"
)

// shipped is a file that is shipped beside the command.
func shipped(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "tapdeck", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// wanted are the metrics that operators rely on, with their labels.
var wanted = map[string]string{
	"tapdeck_calls_total":                                  "result",
	"tapdeck_calls_active":                                 "",
	"tapdeck_calls_limit":                                  "",
	"tapdeck_call_step_duration_seconds":                   "step",
	"tapdeck_stream_connect_seconds":                       "",
	"tapdeck_stream_first_audio_seconds":                   "",
	"tapdeck_stream_restarts_total":                        "",
	"tapdeck_agent_added_seconds":                          "direction",
	"tapdeck_agent_cleared_utterances_total":               "",
	"tapdeck_agent_connect_seconds":                        "",
	"tapdeck_agent_dropped_seconds_total":                  "",
	"tapdeck_agent_failures_total":                         "",
	"tapdeck_agent_reconnects_total":                       "",
	"tapdeck_agent_response_seconds":                       "",
	"tapdeck_agent_sessions":                               "",
	"tapdeck_agent_wrong_messages_total":                   "kind",
	"tapdeck_player_chunks_total":                          "method",
	"tapdeck_player_lost_seconds_total":                    "",
	"tapdeck_player_refused_seconds_total":                 "",
	"tapdeck_sink_alarms_total":                            "kind",
	"tapdeck_sink_audio_bytes_total":                       "",
	"tapdeck_sink_disk_free_bytes":                         "",
	"tapdeck_sink_first_audio_seconds":                     "",
	"tapdeck_sink_gaps_total":                              "",
	"tapdeck_sink_publication_seconds":                     "",
	"tapdeck_sink_recordings_total":                        "result",
	"tapdeck_sink_refused_total":                           "reason",
	"tapdeck_sink_stream_ends_total":                       "reason",
	"tapdeck_sink_streams":                                 "",
	"tapdeck_esl_connections":                              "",
	"tapdeck_esl_refused_total":                            "reason",
	"tapdeck_esl_dropped_total":                            "reason",
	"tapdeck_esl_closed_total":                             "reason",
	"tapdeck_esl_received_bytes_total":                     "",
	"tapdeck_events_total":                                 "type",
	"tapdeck_events_dropped_total":                         "",
	"tapdeck_config_last_reload_successful":                "",
	"tapdeck_config_last_reload_success_timestamp_seconds": "",
	"tapdeck_transcript_connect_seconds":                   "",
	"tapdeck_transcript_failures_total":                    "",
	"tapdeck_transcript_final_seconds":                     "",
	"tapdeck_transcript_missing_seconds_total":             "",
	"tapdeck_transcript_reconnects_total":                  "",
	"tapdeck_transcript_segments_total":                    "",
	"tapdeck_transcript_sessions":                          "",
	"tapdeck_transcript_wrong_messages_total":              "kind",
	"tapdeck_lost_total":                                   "",
	"tapdeck_log_dropped_total":                            "",
	"tapdeck_sink_tls_not_after_timestamp_seconds":         "",
	"tapdeck_ready":                                        "",
	"go_goroutines":                                        "",
	"process_resident_memory_bytes":                        "",
	"process_open_fds":                                     "",
}

// described are a registry's metrics with their variable labels, those included
// that have no series yet.
func described(t testing.TB, registry *prometheus.Registry) map[string]string {
	t.Helper()
	descs := make(chan *prometheus.Desc)
	done := start(zap.NewNop(), "test", func() error { registry.Describe(descs); close(descs); return nil })
	parts := regexp.MustCompile(`fqName: "([^"]+)".*variableLabels: \{([^}]*)\}`)
	all := map[string]string{}
	for d := range descs {
		m := parts.FindStringSubmatch(d.String())
		if m == nil {
			t.Fatalf("%v can't be read", d)
		}
		all[m[1]] = m[2]
	}
	_ = done.wait()
	return all
}

func TestMetricsAreThere(t *testing.T) {
	s := newTestDaemon(t, shortCalls)
	all := described(t, s.registry)
	for name, labels := range wanted {
		if got, ok := all[name]; !ok || got != labels {
			t.Errorf("%s with labels {%s}: there %v, with {%s}", name, labels, ok, got)
		}
	}
	closed := []string{"", "result", "step", "kind", "reason", "method", "direction", "type"}
	for name, labels := range all {
		if strings.HasPrefix(name, "tapdeck_") && !slices.Contains(closed, labels) {
			t.Errorf("%s has the labels {%s}: are their values of a closed list?", name, labels)
		}
	}
}

// series counts a registry's time series and lists what the lint has against them.
func (s *testDaemon) series() (n int, problems []promlint.Problem) {
	s.t.Helper()
	families, err := s.registry.Gather()
	if err != nil {
		s.t.Fatal(err)
	}
	for _, f := range families {
		n += len(f.GetMetric())
	}
	problems, err = promlint.NewWithMetricFamilies(families).Lint()
	if err != nil {
		s.t.Fatal(err)
	}
	return n, problems
}

// TestMetricsOfCalls lints the metrics after calls of many kinds, and places
// more of the same: the number of time series must not grow with that of calls.
func TestMetricsOfCalls(t *testing.T) {
	s := newTestDaemon(t, shortCalls)
	some := func() {
		var calls []*switchsim.Call
		for _, f := range []switchsim.Faults{
			{},
			{NoAPI: true},
			{HangupIn: "playback"},
			{Drops: []switchsim.Drop{{After: 100 * time.Millisecond, How: switchsim.DropRST}}},
			{TamperURL: func(url string) string { return url + "x" }},
		} {
			restarts := fmt.Sprint(len(f.Drops))
			calls = append(calls, s.place(switchsim.CallSpec{
				Voice: switchsim.ToneVoice(8000, 400, 0.5), Faults: f,
				Variables: map[string]string{"tapdeck_prompt": "silence_stream://600", "tapdeck_stream_restarts": restarts, "tapdeck_tone_duration": "20ms"},
			}))
		}
		calls = append(calls, s.place(switchsim.CallSpec{Arguments: "full"}))
		for _, call := range calls {
			call.Wait()
		}
		apptest.Until(t, "the end of the calls", func() bool { return len(s.controller.Calls()) == 0 })
	}
	some()
	before, problems := s.series()
	for _, p := range problems {
		if strings.HasPrefix(p.Metric, "tapdeck_") {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
	some()
	if after, _ := s.series(); after != before {
		t.Errorf("%d time series after the first calls, %d after more of the same", before, after)
	}
	_, text := s.ask("GET", "/metrics", "")
	for _, want := range []string{
		`tapdeck_calls_total{result="completed"} 4`, `tapdeck_calls_total{result="misconfigured"} 2`, `tapdeck_calls_total{result="caller_hangup"} 2`,
		`tapdeck_calls_total{result="stream_failed"} 4`, "tapdeck_calls_active 0", "tapdeck_stream_restarts_total 2", "tapdeck_sink_gaps_total 2",
		`tapdeck_sink_refused_total{reason="wrong_ticket"} 2`, "tapdeck_lost_total 0", "tapdeck_ready 1",
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("no line %q; there are\n%s", want, strings.Join(regexp.MustCompile(`(?m)^tapdeck_.*total.*$`).FindAllString(text, -1), "\n"))
		}
	}
}

// expressions are the PromQL expressions of the dashboard and of the rules.
func expressions(t testing.TB) []string {
	t.Helper()
	var board struct {
		Title, UID string
		Panels     []struct {
			Title   string
			Targets []struct{ Expr string }
		}
		Templating struct {
			List []struct{ Name, Query string }
		}
		Annotations struct{ List []struct{ Expr string } }
	}
	if err := json.Unmarshal(shipped(t, "grafana.json"), &board); err != nil {
		t.Fatalf("grafana.json: %v", err)
	}
	var list []string
	for _, p := range board.Panels {
		if p.Title == "" || len(p.Targets) == 0 {
			t.Errorf("panel %q has nothing to show", p.Title)
		}
		for _, target := range p.Targets {
			list = append(list, target.Expr)
		}
	}
	for _, a := range board.Annotations.List {
		list = append(list, a.Expr)
	}
	for _, v := range board.Templating.List[1:] {
		list = append(list, v.Query)
	}
	return append(list, rules(t)...)
}

func rules(t testing.TB) (list []string) {
	t.Helper()
	var file struct {
		Groups []struct {
			Name  string
			Rules []struct {
				Alert, Expr         string
				For                 string
				Labels, Annotations map[string]string
			}
		}
	}
	dec := yaml.NewDecoder(bytes.NewReader(shipped(t, "alerts.yaml")))
	dec.KnownFields(true)
	if err := dec.Decode(&file); err != nil {
		t.Fatalf("alerts.yaml: %v", err)
	}
	if err := dec.Decode(new(any)); !errors.Is(err, io.EOF) {
		t.Errorf("alerts.yaml goes on: %v", err)
	}
	for _, g := range file.Groups {
		for _, r := range g.Rules {
			_, err := time.ParseDuration("0" + r.For)
			if r.Alert == "" || r.Expr == "" || r.Labels["severity"] == "" || r.Annotations["summary"] == "" || r.Annotations["description"] == "" || err != nil {
				t.Errorf("alert %q of group %s is not whole: %+v (%v)", r.Alert, g.Name, r, err)
			}
			list = append(list, r.Expr)
		}
	}
	return list
}

var (
	metricName = regexp.MustCompile(`\b(?:tapdeck|go|process)_[a-z0-9_]+`)
	labelNames = regexp.MustCompile(`by \(([^)]*)\)|\{([^}]*)\}`)
	labelName  = regexp.MustCompile(`[a-z_]+`)
	quoted     = regexp.MustCompile(`"[^"]*"`)
)

// TestDashboardAndAlertsNameWhatIsThere is that no panel and no rule waits for
// a metric or label that nobody writes.
func TestDashboardAndAlertsNameWhatIsThere(t *testing.T) {
	all := described(t, newTestDaemon(t, shortCalls).registry)
	var unknown, used []string
	for _, expr := range expressions(t) {
		labels := []string{"job", "instance", "le"}
		for _, name := range metricName.FindAllString(quoted.ReplaceAllString(expr, `""`), -1) {
			for _, suffix := range []string{"_bucket", "_sum", "_count"} {
				if _, there := all[name]; !there {
					name = strings.TrimSuffix(name, suffix)
				}
			}
			used = append(used, name)
			of, there := all[name]
			if !there {
				unknown = append(unknown, name)
			}
			labels = append(labels, of)
		}
		for _, m := range labelNames.FindAllStringSubmatch(quoted.ReplaceAllString(expr, ""), -1) {
			for _, label := range labelName.FindAllString(m[1]+" "+m[2], -1) {
				if !slices.Contains(labels, label) {
					unknown = append(unknown, fmt.Sprintf("label %s of %s", label, expr))
				}
			}
		}
		if strings.Count(expr, "(") != strings.Count(expr, ")") || strings.Count(expr, "{") != strings.Count(expr, "}") {
			t.Errorf("unbalanced: %s", expr)
		}
	}
	if diff := cmp.Diff([]string(nil), unknown); diff != "" {
		t.Errorf("unknown to the registry (-want +got):\n%s", diff)
	}
	for name := range wanted {
		if strings.HasPrefix(name, "tapdeck_") && !slices.Contains(used, name) {
			t.Errorf("%s is on no panel and in no rule", name)
		}
	}
}
