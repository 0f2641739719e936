package advise

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/advise/sim"
)

// The plugin's histograms of how long instances take to run, from an increase on: created
// ones, and those of its warm pool.
const (
	BootMetric   = "fleeting_azure_instance_creation_duration_seconds"
	ResumeMetric = "fleeting_azure_warm_pool_start_duration_seconds"
)

// leastBoots is how many starts a distribution is made of at least.
const leastBoots = 10

// bucket is one of a cumulative histogram.
type bucket struct{ limit, count float64 }

// ErrFewStarts says that a histogram has too few starts to go by.
var ErrFewStarts = errors.New("too few starts")

// Measured makes a log-normal distribution of one of the plugin's metrics, in Prometheus's
// text format, and returns how many starts are in it. What instance_ready_command takes is
// not in these metrics.
func Measured(metric string, text []byte) (sim.Duration, int, error) {
	buckets, err := histogram(metric+"_bucket", text)
	if err != nil {
		return sim.Duration{}, 0, err
	}
	total := 0.0
	if len(buckets) > 0 {
		total = buckets[len(buckets)-1].count
	}
	if total < leastBoots {
		return sim.Duration{}, 0, fmt.Errorf("%w: %s has %.0f, and it takes %d", ErrFewStarts, metric, total, leastBoots)
	}
	median := valueAt(buckets, 0.5*total)
	// The logarithm is at one standard deviation above its middle at 84 %.
	spread := math.Log(valueAt(buckets, 0.8413*total) / median)
	if math.IsNaN(spread) || median <= 0 {
		return sim.Duration{}, 0, fmt.Errorf("the times of %s are not above 0", metric)
	}
	return sim.Duration{Median: time.Duration(median * float64(time.Second)), Spread: min(2, max(0, spread))}, int(total), nil
}

// histogram sums the buckets of all labels.
func histogram(name string, text []byte) (all []bucket, err error) {
	counts := map[float64]float64{}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		rest, ok := strings.CutPrefix(lines.Text(), name)
		if !ok {
			continue
		}
		_, after, _ := strings.Cut(rest, `le="`)
		label, after, _ := strings.Cut(after, `"`)
		_, value, _ := strings.Cut(after, "} ")
		limit, bad := strconv.ParseFloat(label, 64)
		value, _, _ = strings.Cut(value, " ")
		count, worse := strconv.ParseFloat(value, 64)
		if bad != nil || worse != nil {
			return nil, fmt.Errorf("%q is no line of Prometheus's text format", lines.Text())
		}
		counts[limit] += count
	}
	for limit, count := range counts {
		all = append(all, bucket{limit, count})
	}
	slices.SortFunc(all, func(a, b bucket) int { return cmp.Compare(a.limit, b.limit) })
	return all, lines.Err()
}

// valueAt is the value with so many below it, between the limits of its bucket.
func valueAt(all []bucket, count float64) float64 {
	low, below := 0.0, 0.0
	for _, b := range all {
		if b.count >= count {
			if math.IsInf(b.limit, 1) {
				return low
			}
			return low + (b.limit-low)*(count-below)/max(1, b.count-below)
		}
		low, below = b.limit, b.count
	}
	return low
}
