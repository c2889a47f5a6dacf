package sink

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

// The results of a recording, for the metric.
const (
	resultPublished = "published"
	resultFailed    = "failed"
	resultRecovered = "recovered"
)

// metrics are the sink's, on the registry that New was given. No label is per call.
type metrics struct {
	live        prometheus.Gauge
	accepted    prometheus.Counter
	refused     *prometheus.CounterVec // reason
	ended       *prometheus.CounterVec // reason
	audio       prometheus.Counter
	gaps        prometheus.Counter
	alarms      *prometheus.CounterVec // kind
	recordings  *prometheus.CounterVec // result
	firstAudio  prometheus.Histogram
	publication prometheus.Histogram
}

func newMetrics(reg prometheus.Registerer, free func() float64) (*metrics, error) {
	m := &metrics{
		live:     prometheus.NewGauge(gauge("streams", "Sockets that stream audio now.")),
		accepted: prometheus.NewCounter(counter("streams_total", "Sockets that were accepted.")),
		refused: prometheus.NewCounterVec(
			counter("refused_total", "Sockets that were refused before the upgrade."), []string{"reason"}),
		ended: prometheus.NewCounterVec(
			counter("stream_ends_total", "Sockets that ended."), []string{"reason"}),
		audio: prometheus.NewCounter(counter("audio_bytes_total", "PCM bytes received.")),
		gaps:  prometheus.NewCounter(counter("gaps_total", "Gaps between two sockets of one recording.")),
		alarms: prometheus.NewCounterVec(
			counter("alarms_total", "Streams that were not as they should be."), []string{"kind"}),
		recordings: prometheus.NewCounterVec(
			counter("recordings_total", "Recordings that ended: published, recovered, or failed."), []string{"result"}),
		firstAudio: prometheus.NewHistogram(histogram("first_audio_seconds",
			"Time from the upgrade to the first audio.", .001, .01, .02, .04, .08, .2, .5, 1, 2, 5)),
		publication: prometheus.NewHistogram(histogram("publication_seconds",
			"Time from the end of a recording to its published file.", .001, .005, .01, .05, .1, .5, 1, 5, 30)),
	}
	diskFree := prometheus.NewGaugeFunc(gauge("disk_free_bytes", "Free space for recordings."), free)
	for _, c := range []prometheus.Collector{
		m.live, m.accepted, m.refused, m.ended, m.audio, m.gaps, m.alarms, m.recordings,
		m.firstAudio, m.publication, diskFree,
	} {
		if err := reg.Register(c); err != nil {
			return nil, fmt.Errorf("register metric: %w", err)
		}
	}
	m.begin()
	return m, nil
}

// begin makes every label's value known from the start, so that a rate sees its first.
func (m *metrics) begin() {
	for _, end := range ends() {
		m.ended.WithLabelValues(string(end))
	}
	for v, values := range map[*prometheus.CounterVec][]string{
		m.refused:    refusalReasons(),
		m.alarms:     {AlarmNoAudio, AlarmSilence, AlarmShort, AlarmLong, AlarmNoSocket},
		m.recordings: {resultPublished, resultFailed, resultRecovered},
	} {
		for _, value := range values {
			v.WithLabelValues(value)
		}
	}
}

func (m *metrics) countAlarms(kinds []string) {
	for _, kind := range kinds {
		m.alarms.WithLabelValues(kind).Inc()
	}
}

func gauge(name, help string) prometheus.GaugeOpts {
	return prometheus.GaugeOpts{Namespace: "tapdeck", Subsystem: "sink", Name: name, Help: help}
}

func counter(name, help string) prometheus.CounterOpts {
	return prometheus.CounterOpts{Namespace: "tapdeck", Subsystem: "sink", Name: name, Help: help}
}

func histogram(name, help string, buckets ...float64) prometheus.HistogramOpts {
	return prometheus.HistogramOpts{
		Namespace: "tapdeck", Subsystem: "sink", Name: name, Help: help, Buckets: buckets,
	}
}
