package metrics

import (
	"net/http"
	"runtime"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/instancegroup"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/budget"
)

const namespace = "fleeting_azure"

// The names of what Read reads.
const (
	warmedName    = "warm_pool_starts_total"
	warmStartName = "warm_pool_start_duration_seconds"
	creationName  = "instance_creation_duration_seconds"
)

// The labels that each metric has.
const (
	labelGroup    = "resource_group"
	labelScaleSet = "scale_set"
)

// Identity is what each metric is labelled with, and the build that serves it.
type Identity struct {
	Subscription            string // empty: no label, as where all scale sets are of one
	ResourceGroup, ScaleSet string
	Version, Revision       string
}

func (id Identity) labels() prometheus.Labels {
	labels := prometheus.Labels{labelGroup: id.ResourceGroup, labelScaleSet: id.ScaleSet}
	if id.Subscription != "" {
		labels["subscription_id"] = id.Subscription
	}
	return labels
}

// Metrics are the collectors of one scale set. Its methods may be called from any
// goroutine, and return at once.
type Metrics struct {
	registry *prometheus.Registry
	labelled prometheus.Registerer // of registry; adds the identity

	requests  *prometheus.CounterVec
	throttled *prometheus.CounterVec
	unsent    *prometheus.CounterVec

	increases *prometheus.CounterVec
	accepted  prometheus.Counter
	warmed    prometheus.Counter
	lost      prometheus.Counter
	removed   *prometheus.CounterVec

	creation  prometheus.Histogram
	warmStart prometheus.Histogram
	deletion  prometheus.Histogram
	detection prometheus.Histogram
	list      prometheus.Histogram
}

var _ instancegroup.Observer = (*Metrics)(nil)

// Values of the label outcome.
const (
	outcomeAccepted = "accepted"
	outcomeRefused  = "refused"
)

// Azure creates and deletes an instance in one to some minutes; creation_limit is 25
// minutes by default.
var lifeBuckets = []float64{15, 30, 45, 60, 90, 120, 180, 300, 600, 900, 1500, 3000}

// New returns collectors without any events. Attach completes them.
func New(id Identity) *Metrics {
	m := newMetrics(id, prometheus.NewRegistry())
	m.labelled.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Further returns the collectors of another scale set, which are served along with m. All
// identities must have a subscription, or none.
func (m *Metrics) Further(id Identity) *Metrics { return newMetrics(id, m.registry) }

func newMetrics(id Identity, registry *prometheus.Registry) *Metrics {
	m := &Metrics{
		registry: registry,

		requests:  counters("requests_total", "Requests sent to Azure Resource Manager, retries included, by operation and HTTP status; code none: there was no response.", "operation", "code"),
		throttled: counters("throttled_requests_total", "Requests that Azure refused with status 429, by class of its request limits.", "class"),
		unsent:    counters("unsent_requests_total", "Requests that were not sent as they would exceed Azure's request limits, by class.", "class"),

		increases: counters("increases_total", "Increases of the scale set: accepted by Azure, or refused (by Azure, by the plugin's own checks, or without an answer).", "outcome"),
		accepted:  counter("accepted_instances_total", "Instances by which Azure accepted to increase the scale set."),
		warmed:    counter(warmedName, "Instances of the warm pool that the runner got in place of new ones."),
		lost:      counter("lost_instances_total", "Instances that Azure accepted and never created."),
		removed:   counters("removed_instances_total", "Instances whose deletion Azure accepted, by reason; vanished: gone without a deletion by the plugin. All but requested are losses.", "reason"),

		creation:  histogram(creationName, "Time from the acceptance of an increase until an instance was seen running. Which increase made an instance is not known; it is charged to the oldest.", lifeBuckets),
		warmStart: histogram(warmStartName, "Time from an increase until an instance of the warm pool that it got was seen running.", lifeBuckets),
		deletion:  histogram("instance_deletion_duration_seconds", "Time from the acceptance of a deletion until the instance was found gone.", lifeBuckets),
		detection: histogram("detection_delay_seconds", "Upper bound of the time between an instance running and the plugin seeing it: the time since the list before.", []float64{1, 2, 5, 10, 15, 30, 60, 120, 300, 600}),
		list:      histogram("list_duration_seconds", "Time that it took to read all instances and their addresses.", []float64{0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300}),
	}
	m.zero()
	m.labelled = prometheus.WrapRegistererWith(id.labels(), m.registry)
	m.labelled.MustRegister(
		m.requests, m.throttled, m.unsent, m.increases, m.accepted, m.warmed, m.lost, m.removed, m.creation, m.warmStart, m.deletion, m.detection, m.list, buildInfo(id),
	)
	return m
}

// zero makes the counters of all label values, as far as they are known: Prometheus
// does not see the first event of a counter that begins with it.
func (m *Metrics) zero() {
	for _, class := range budget.Classes() {
		m.throttled.WithLabelValues(string(class))
		m.unsent.WithLabelValues(string(class))
	}
	m.increases.WithLabelValues(outcomeAccepted)
	m.increases.WithLabelValues(outcomeRefused)
	for _, reason := range instancegroup.Removals() {
		m.removed.WithLabelValues(string(reason))
	}
}

func counter(name, help string) prometheus.Counter {
	return prometheus.NewCounter(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help})
}

func counters(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, labels)
}

func histogram(name, help string, buckets []float64) prometheus.Histogram {
	return prometheus.NewHistogram(prometheus.HistogramOpts{Namespace: namespace, Name: name, Help: help, Buckets: buckets})
}

func buildInfo(id Identity) prometheus.Collector {
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Namespace: namespace, Name: "build_info", Help: "Always 1; its labels are the plugin's version and revision, and Go's version.",
		ConstLabels: prometheus.Labels{"version": id.Version, "revision": id.Revision, "go_version": runtime.Version()},
	})
	info.Set(1)
	return info
}

// Responded implements armapi.Observer.
func (m *Metrics) Responded(operation string, class budget.Class, status int) {
	code := "none"
	if status != 0 {
		code = strconv.Itoa(status)
	}
	m.requests.WithLabelValues(operation, code).Inc()
	if status == http.StatusTooManyRequests {
		m.throttled.WithLabelValues(string(class)).Inc()
	}
}

// Withheld implements armapi.Observer.
func (m *Metrics) Withheld(class budget.Class) { m.unsent.WithLabelValues(string(class)).Inc() }

// Increased implements instancegroup.Observer.
func (m *Metrics) Increased(instances int) {
	m.increases.WithLabelValues(outcomeAccepted).Inc()
	m.accepted.Add(float64(instances))
}

// Warmed implements instancegroup.Observer.
func (m *Metrics) Warmed(instances int) { m.warmed.Add(float64(instances)) }

// WarmStarted implements instancegroup.Observer.
func (m *Metrics) WarmStarted(after time.Duration) { m.warmStart.Observe(after.Seconds()) }

// IncreaseRefused implements instancegroup.Observer.
func (m *Metrics) IncreaseRefused() { m.increases.WithLabelValues(outcomeRefused).Inc() }

// Created implements instancegroup.Observer.
func (m *Metrics) Created(after time.Duration) { m.creation.Observe(after.Seconds()) }

// Deleted implements instancegroup.Observer.
func (m *Metrics) Deleted(after time.Duration) { m.deletion.Observe(after.Seconds()) }

// Detected implements instancegroup.Observer.
func (m *Metrics) Detected(within time.Duration) { m.detection.Observe(within.Seconds()) }

// Removed implements instancegroup.Observer.
func (m *Metrics) Removed(reason instancegroup.Removal) {
	m.removed.WithLabelValues(string(reason)).Inc()
}

// Lost implements instancegroup.Observer.
func (m *Metrics) Lost(instances int) { m.lost.Add(float64(instances)) }

// Viewed implements instancegroup.Observer.
func (m *Metrics) Viewed(took time.Duration) { m.list.Observe(took.Seconds()) }
