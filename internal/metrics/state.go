package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/instancegroup"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/budget"
)

// Sources are read whenever somebody asks for the metrics.
type Sources struct {
	Group  func() instancegroup.Snapshot
	Budget func() map[budget.Class]int // whole calls that are left, by class
}

// state collects what is so at the time.
type state struct {
	Sources
	instances, capacity, pending, unaccounted, viewed *prometheus.Desc
	leaseHeld, leaseLost, pause, budget               *prometheus.Desc
}

// Attach adds what is read from sources to the metrics. It is called once.
func (m *Metrics) Attach(s Sources) { m.labelled.MustRegister(newState(s)) }

func newState(s Sources) *state {
	return &state{
		Sources:     s,
		instances:   gauge("instances", "Instances in the last complete view, by state.", "state"),
		capacity:    gauge("capacity_instances", "Capacity of the scale set, as last read."),
		pending:     gauge("pending_instances", "Instances that Azure accepted and the runner does not know yet."),
		unaccounted: gauge("unaccounted_instances", "Instances that the capacity counts and no list shows. Nothing is increased while there are any."),
		viewed:      gauge("last_view_timestamp_seconds", "Unix time at which the reading of the last complete view began; absent before the first."),
		leaseHeld:   gauge("lease_held", "1 while the scale set's tag names this process, else 0."),
		leaseLost:   gauge("lease_lost", "1 once another manager has taken the scale set over, else 0. Nothing is written then."),
		pause:       gauge("increase_pause_seconds", "Time for which increases still pause, by cause: failed_starts (the circuit breaker), refused, transient.", "cause"),
		budget:      gauge("budget_calls", "Whole calls that Azure's request limits leave now, by class; of a list all pages are one call.", "class"),
	}
}

func gauge(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(prometheus.BuildFQName(namespace, "", name), help, labels, nil)
}

// Describe implements prometheus.Collector.
func (s *state) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{s.instances, s.capacity, s.pending, s.unaccounted, s.viewed, s.leaseHeld, s.leaseLost, s.pause, s.budget} {
		to <- d
	}
}

// Collect implements prometheus.Collector.
func (s *state) Collect(to chan<- prometheus.Metric) {
	set := func(d *prometheus.Desc, value float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	now := s.Group()
	for in, n := range now.Instances {
		set(s.instances, float64(n), in.String())
	}
	set(s.capacity, float64(now.Capacity))
	set(s.pending, float64(now.Pending))
	set(s.unaccounted, float64(now.Unaccounted))
	if !now.Viewed.IsZero() {
		set(s.viewed, float64(now.Viewed.UnixMilli())/1000)
	}
	set(s.leaseHeld, truth(now.LeaseHeld))
	set(s.leaseLost, truth(now.LeaseLost))
	for cause, pause := range map[string]time.Duration{
		"failed_starts": now.PauseFailedStarts, "refused": now.PauseRefused, "transient": now.PauseTransient,
	} {
		set(s.pause, pause.Seconds(), cause)
	}
	for class, left := range s.Budget() {
		set(s.budget, float64(left), string(class))
	}
}

func truth(is bool) float64 {
	if is {
		return 1
	}
	return 0
}
