package sim

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

// Duration is a log-normal distribution of times. The zero Duration is always 0.
type Duration struct {
	Median time.Duration `json:"median"`
	Spread float64       `json:"spread"` // standard deviation of the logarithm
}

// Mean is the expected time.
func (d Duration) Mean() time.Duration {
	return time.Duration(float64(d.Median) * math.Exp(d.Spread*d.Spread/2))
}

func (d Duration) draw(random *rand.Rand) time.Duration {
	return time.Duration(float64(d.Median) * math.Exp(d.Spread*random.NormFloat64()))
}

// Policy is one [[runners.autoscaler.policy]], with nothing left to defaults.
type Policy struct {
	Periods          []string      `json:"periods,omitempty"`
	Timezone         string        `json:"timezone,omitempty"`
	IdleCount        int           `json:"idle_count"`
	IdleTime         time.Duration `json:"idle_time"`
	ScaleFactor      float64       `json:"scale_factor,omitempty"`
	ScaleFactorLimit int           `json:"scale_factor_limit,omitempty"`
	Preemptive       bool          `json:"preemptive_mode"`
}

// Fleet is everything about the runner and its instances but the policies.
type Fleet struct {
	CapacityPerInstance int           `json:"capacity_per_instance"`
	MaxUseCount         int           `json:"max_use_count"` // 0: no limit
	MaxInstances        int           `json:"max_instances"`
	ThrottleLimit       int           `json:"scale_throttle_limit"` // 0: the scaler's default
	ThrottleBurst       int           `json:"scale_throttle_burst"` // 0: the scaler's default
	Concurrent          int           `json:"concurrent"`           // jobs at a time; 0: no limit
	RequestConcurrency  int           `json:"request_concurrency"`
	RequestTime         time.Duration `json:"request_time"` // that GitLab takes to hand out a job
	CheckInterval       time.Duration `json:"check_interval"`
	AcquireTimeout      time.Duration `json:"instance_acquire_timeout"`

	Boot         Duration `json:"boot"`
	Resume       Duration `json:"resume"`
	Deletion     Duration `json:"deletion"`
	FailedStarts float64  `json:"failed_starts"` // share of the starts, 0 to 1
	Evictions    float64  `json:"evictions"`     // of an instance, per hour
	WarmPool     int      `json:"warm_pool"`     // suspended instances that are kept for starts
}

// Setting is one candidate: what Run plays.
type Setting struct {
	Fleet
	Policies []Policy `json:"policies"`
	Seed     uint64   `json:"seed"`

	// From and To select jobs by their place; To 0: all to the end.
	From int `json:"from,omitempty"`
	To   int `json:"to,omitempty"`
}

// WithDefaults fills in what the runner has where nothing is set. MaxInstances has none.
func (f Fleet) WithDefaults() Fleet {
	f.CapacityPerInstance = max(1, f.CapacityPerInstance)
	f.RequestConcurrency = max(1, f.RequestConcurrency)
	if f.CheckInterval <= 0 {
		f.CheckInterval = 3 * time.Second
	}
	if f.AcquireTimeout <= 0 {
		f.AcquireTimeout = 15 * time.Minute
	}
	return f
}

func (s Setting) check() error {
	switch {
	case s.MaxInstances < 1:
		return errors.New("max_instances must be 1 or more")
	case s.FailedStarts < 0 || s.FailedStarts >= 1:
		return fmt.Errorf("a share of failed starts is between 0 and 1, and not %v", s.FailedStarts)
	case s.Evictions < 0:
		return fmt.Errorf("evictions an hour are 0 or more, and not %v", s.Evictions)
	}
	return nil
}
