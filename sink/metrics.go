package sink

import (
	"iter"
	"maps"
	"slices"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
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
	refused     *prometheus.CounterVec
	ended       *prometheus.CounterVec
	audio       prometheus.Counter
	gaps        prometheus.Counter
	alarms      *prometheus.CounterVec
	recordings  *prometheus.CounterVec
	firstAudio  prometheus.Histogram
	publication prometheus.Histogram
	writes      prometheus.Histogram
}

func newMetrics(reg prometheus.Registerer, free, queued func() float64) *metrics {
	auto := promauto.With(prometheus.WrapRegistererWithPrefix("tapdeck_sink_", reg))
	counter := func(name, help string) prometheus.Counter {
		return auto.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	}
	histogram := func(name, help string, buckets ...float64) prometheus.Histogram {
		return auto.NewHistogram(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets})
	}
	auto.NewGaugeFunc(prometheus.GaugeOpts{Name: "disk_free_bytes", Help: "Free space for recordings."}, free)
	auto.NewGaugeFunc(prometheus.GaugeOpts{Name: "queued_bytes", Help: "Audio that waits for the disk."}, queued)
	return &metrics{
		live:     auto.NewGauge(prometheus.GaugeOpts{Name: "streams", Help: "Sockets that stream audio now."}),
		accepted: counter("streams_total", "Sockets that were accepted."),
		refused: counters(auto, "refused_total", "Sockets that were refused before the upgrade.",
			"reason", maps.Keys(refusals)),
		ended:  counters(auto, "stream_ends_total", "Sockets that ended.", "reason", maps.Keys(closeReasons)),
		audio:  counter("audio_bytes_total", "PCM bytes received."),
		gaps:   counter("gaps_total", "Gaps between two sockets of one recording."),
		alarms: counters(auto, "alarms_total", "Streams that were not as they should be.", "kind", maps.Keys(alarmHints)),
		recordings: counters(auto, "recordings_total", "Recordings that ended: published, recovered, or failed.",
			"result", slices.Values([]string{resultPublished, resultFailed, resultRecovered})),
		firstAudio: histogram("first_audio_seconds",
			"Time from the upgrade to the first audio.", .001, .01, .02, .04, .08, .2, .5, 1, 2, 5),
		publication: histogram("publication_seconds",
			"Time from the end of a recording to its published file.", .001, .005, .01, .05, .1, .5, 1, 5, 30),
		writes: histogram("disk_write_seconds",
			"Time that the disk took to open a recording, or to write what had come of it.", .0001, .001, .01, .1, .5, 1, 5, 30),
	}
}

// counters makes every label's value known from the start, so that a rate sees its first.
func counters[T ~string](auto promauto.Factory, name, help, label string, values iter.Seq[T]) *prometheus.CounterVec {
	v := auto.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, []string{label})
	for value := range values {
		v.WithLabelValues(string(value))
	}
	return v
}

func (m *metrics) countAlarms(kinds []string) {
	for _, kind := range kinds {
		m.alarms.WithLabelValues(kind).Inc()
	}
}
