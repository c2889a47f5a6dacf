package controller

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"tapdeck/controller/agent"
	"tapdeck/controller/player"
	"tapdeck/controller/transcript"
)

// metrics are the controller's. None has a label per call.
type metrics struct {
	calls      *prometheus.CounterVec
	active     prometheus.Gauge
	steps      *prometheus.HistogramVec
	connect    prometheus.Histogram
	firstAudio prometheus.Histogram
	restarts   prometheus.Counter
	response   prometheus.Histogram
	bargeIns   prometheus.Counter
	botsFailed prometheus.Counter
	agent      *agent.Metrics
	player     *player.Metrics
	transcript *transcript.Metrics
}

func newMetrics(reg prometheus.Registerer) *metrics {
	to := promauto.With(reg)
	connecting := []float64{.005, .01, .02, .05, .1, .25, .5, 1, 2, 5}
	m := &metrics{
		calls:  to.NewCounterVec(prometheus.CounterOpts{Name: "tapdeck_calls_total", Help: "Calls that have ended, by result."}, []string{"result"}),
		active: to.NewGauge(prometheus.GaugeOpts{Name: "tapdeck_calls_active", Help: "Calls that run now, without those that only wait for the last words of their transcript."}),
		steps: to.NewHistogramVec(prometheus.HistogramOpts{
			Name: "tapdeck_call_step_duration_seconds", Help: "Time that calls spent in each step.",
			Buckets: []float64{.005, .02, .05, .1, .25, .5, 1, 2, 5, 10, 30, 60, 300},
		}, []string{"step"}),
		connect: to.NewHistogram(prometheus.HistogramOpts{
			Name: "tapdeck_stream_connect_seconds", Help: "Time from each start of a stream to its socket at the sink.", Buckets: connecting,
		}),
		firstAudio: to.NewHistogram(prometheus.HistogramOpts{
			Name: "tapdeck_stream_first_audio_seconds", Help: "Time from the first start of a call's stream to its first audio.", Buckets: connecting,
		}),
		restarts: to.NewCounter(prometheus.CounterOpts{Name: "tapdeck_stream_restarts_total", Help: "Dropped streams that were started again."}),
		response: to.NewHistogram(prometheus.HistogramOpts{
			Name: "tapdeck_agent_response_seconds", Help: "Time from the end of a caller's speech until a bot was heard.",
			Buckets: []float64{.1, .2, .3, .4, .5, .6, .8, 1, 1.5, 2, 3, 5, 10},
		}),
		bargeIns: to.NewCounter(prometheus.CounterOpts{
			Name: "tapdeck_agent_cleared_utterances_total", Help: "Utterances of bots that the caller's speech or the bot's own clear has cut short: barge_ins of the records.",
		}),
		botsFailed: to.NewCounter(prometheus.CounterOpts{
			Name: "tapdeck_agent_failures_total", Help: "Conversations whose bot could not be reached or heard, or was lost, whatever on_failure makes of the call.",
		}),
		agent: agent.NewMetrics(reg), player: player.NewMetrics(reg), transcript: transcript.NewMetrics(reg),
	}
	added := to.NewHistogramVec(prometheus.HistogramOpts{
		Name: "tapdeck_agent_added_seconds", Help: "Latency that tapdeck adds to a conversation: out, from the caller's audio to its frame on the bot's socket; in, from the bot's audio to its first command to the switch.",
		Buckets: []float64{.001, .002, .005, .01, .02, .03, .05, .1, .2, .5, 1},
	}, []string{"direction"})
	m.agent.Added, m.player.Added = added.WithLabelValues("out"), added.WithLabelValues("in")
	for _, r := range Results() {
		m.calls.WithLabelValues(string(r))
	}
	return m
}
