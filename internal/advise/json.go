package advise

import (
	"encoding/json"
	"math"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/advise/sim"
)

// row is a candidate for machines. Times are in seconds.
type row struct {
	Name        string   `json:"name"`
	Current     bool     `json:"current"`
	Pick        bool     `json:"pick"`
	MaxUseCount int      `json:"max_use_count"`
	WarmPool    int      `json:"warm_pool,omitempty"`
	Policies    []policy `json:"policies"`
	Train       figures  `json:"chosen_by"`
	Test        figures  `json:"last_third"`
	Whole       figures  `json:"all_days"`
	Low         figures  `json:"last_third_low"`
	High        figures  `json:"last_third_high"`
	Seeds       int      `json:"seeds"`
}

type policy struct {
	Periods    []string `json:"periods,omitempty"`
	Timezone   string   `json:"timezone,omitempty"`
	IdleCount  int      `json:"idle_count"`
	IdleTime   string   `json:"idle_time"`
	Preemptive bool     `json:"preemptive_mode"`
}

type figures struct {
	Jobs       int     `json:"jobs"`
	Unserved   int     `json:"unserved"`
	Mean       float64 `json:"wait_mean_seconds"`
	P50        float64 `json:"wait_p50_seconds"`
	P95        float64 `json:"wait_p95_seconds"`
	P99        float64 `json:"wait_p99_seconds"`
	VMHours    float64 `json:"vm_hours"`
	PerJobHour float64 `json:"vm_hours_per_job_hour"`
	Idle       float64 `json:"idle_share"`
	Monthly    float64 `json:"monthly_cost,omitempty"`
}

// MarshalJSON is the advice for machines.
func (a *Advice) MarshalJSON() ([]byte, error) {
	out := map[string]any{
		"start": a.Start, "split": a.Split, "end": a.End, "jobs": len(a.Input.Jobs), "peak_jobs": a.Peak,
		"burst_jobs": a.Burst, "common_burst_jobs": a.CommonBurst, "fleet": fleetOf(a.Input.Fleet), "notes": nonNil(a.Notes),
		"not_modelled": a.NotModelled, "scaler": a.Scaler, "interrupted": a.Interrupted, "currency": a.Input.Currency, "why": a.Why,
		"baseline": a.row(a.Baseline),
	}
	rows := []row{}
	for _, c := range a.Rows {
		rows = append(rows, a.row(c))
	}
	out["policies"] = rows
	if a.Pick != nil {
		out["pick"], out["toml"], out["plugin_config"], out["cheaper_than_baseline"] = a.row(a.Pick), a.Pick.TOML(), a.PluginConfig(), round(a.Cheaper())
	}
	return json.Marshal(out)
}

// fleet is what was simulated besides the policies.
type fleet struct {
	CapacityPerInstance int     `json:"capacity_per_instance"`
	MaxInstances        int     `json:"max_instances"`
	Concurrent          int     `json:"concurrent"`
	RequestConcurrency  int     `json:"request_concurrency"`
	CheckInterval       float64 `json:"check_interval_seconds"`
	AcquireTimeout      float64 `json:"instance_acquire_timeout_seconds"`
	Boot                float64 `json:"boot_median_seconds"`
	BootSpread          float64 `json:"boot_spread"`
	Resume              float64 `json:"resume_median_seconds"`
	Deletion            float64 `json:"deletion_seconds"`
	FailedStarts        float64 `json:"failed_starts"`
	Evictions           float64 `json:"evictions_per_hour"`
}

func fleetOf(f sim.Fleet) fleet {
	f = f.WithDefaults()
	return fleet{
		f.CapacityPerInstance, f.MaxInstances, f.Concurrent, f.RequestConcurrency, f.CheckInterval.Seconds(), f.AcquireTimeout.Seconds(),
		f.Boot.Median.Seconds(), f.Boot.Spread, f.Resume.Median.Seconds(), f.Deletion.Median.Seconds(), f.FailedStarts, f.Evictions,
	}
}

func nonNil(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

func (a *Advice) row(c *Candidate) row {
	r := row{
		Name: c.Name(), Current: c.Current, Pick: c == a.Pick, MaxUseCount: c.MaxUseCount, WarmPool: c.WarmPool, Seeds: c.Seeds,
		Train: a.figures(c, c.Train), Test: a.figures(c, c.Test), Whole: a.figures(c, c.Whole), Low: a.figures(c, c.Low), High: a.figures(c, c.High), Policies: []policy{},
	}
	for _, p := range c.Policies {
		r.Policies = append(r.Policies, policy{p.Periods, p.Timezone, p.IdleCount, p.IdleTime.String(), p.Preemptive})
	}
	return r
}

func (a *Advice) figures(c *Candidate, f sim.Figures) figures {
	s := func(d time.Duration) float64 { return math.Round(d.Seconds()*10) / 10 }
	return figures{
		Jobs: f.Jobs, Unserved: f.Unserved, Mean: s(f.Mean), P50: s(f.P50), P95: s(f.P95), P99: s(f.P99),
		VMHours: round(f.VMHours), PerJobHour: round(f.PerJobHour), Idle: round(f.Idle), Monthly: round(a.Input.MonthlyCost(c, f)),
	}
}

func round(x float64) float64 { return math.Round(x*1000) / 1000 }
