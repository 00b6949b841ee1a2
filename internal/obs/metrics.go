package obs

import (
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics is what /metrics shows. Names are "offhook_" + subsystem + name in
// base units (seconds, bytes), counters end in "_total".
type Metrics struct{ registry *prometheus.Registry }

// Labels are the fixed labels of one time series, such as {"transport": "udp"}.
type Labels = prometheus.Labels

// NewMetrics returns metrics that know the Go runtime, the process and the
// program's version.
func NewMetrics(version string) *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry()}
	m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.Gauge("build_info", "Always 1; the label says which version runs.", Labels{"version": version}, func() float64 { return 1 })
	return m
}

// Gauge registers a value that goes up and down. Read is called at every
// scrape, from any goroutine. Like Counter it panics on a name that is malformed
// or taken with the same labels: a mistake in the program, not in its input.
func (m *Metrics) Gauge(name, help string, labels Labels, read func() float64) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: "offhook", Name: name, Help: help, ConstLabels: labels,
	}, read))
}

// Gauges registers values of the same kind of which there are now more and now
// fewer, each with the name of its own in label. Like Gauge, otherwise.
func (m *Metrics) Gauges(name, help, label string, read func() map[string]float64) {
	m.registry.MustRegister(gauges{prometheus.NewDesc("offhook_"+name, help, []string{label}, nil), read})
}

// gauges is a prometheus.Collector of what changes its number.
type gauges struct {
	desc *prometheus.Desc
	read func() map[string]float64
}

// Describe implements prometheus.Collector.
func (g gauges) Describe(to chan<- *prometheus.Desc) { to <- g.desc }

// Collect implements prometheus.Collector.
func (g gauges) Collect(to chan<- prometheus.Metric) {
	for name, value := range g.read() {
		to <- prometheus.MustNewConstMetric(g.desc, prometheus.GaugeValue, value, name)
	}
}

// Counter registers a value that only grows; its name ends in "_total".
func (m *Metrics) Counter(name, help string, labels Labels, read func() uint64) {
	m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
		Namespace: "offhook", Name: name, Help: help, ConstLabels: labels,
	}, func() float64 { return float64(read()) }))
}

// Histogram counts how long something takes.
type Histogram struct{ h prometheus.Histogram }

// NewHistogram makes a Histogram whose name ends in "_seconds". Buckets are upper
// bounds, in order.
func NewHistogram(name, help string, buckets ...time.Duration) *Histogram {
	bounds := make([]float64, len(buckets))
	for i, b := range buckets {
		bounds[i] = b.Seconds()
	}
	return &Histogram{prometheus.NewHistogram(prometheus.HistogramOpts{Namespace: "offhook", Name: name, Help: help, Buckets: bounds})}
}

// Took counts one that took so long.
func (h *Histogram) Took(d time.Duration) { h.h.Observe(d.Seconds()) }

// Histogram registers h. Like Gauge, otherwise.
func (m *Metrics) Histogram(h *Histogram) { m.registry.MustRegister(h.h) }

// Handler serves the metrics. A value that cannot be read is logged and the
// others are served.
func (m *Metrics) Handler(log *slog.Logger) http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		ErrorLog:            promLog{log},
		ErrorHandling:       promhttp.ContinueOnError,
		MaxRequestsInFlight: 4,
		Timeout:             10 * time.Second,
		Registry:            m.registry,
	})
}

// promLog gives the lines of promhttp to slog.
type promLog struct{ log *slog.Logger }

// Println implements promhttp.Logger.
func (l promLog) Println(v ...any) { l.log.Warn("metrics", "error", fmt.Sprint(v...)) }
