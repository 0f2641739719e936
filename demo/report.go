package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"text/tabwriter"
	"time"
)

// report prints the table and the last line, and says whether all is well.
func (d *demo) report(ctx context.Context, left int) (bool, error) {
	stats, err := d.simulator.Stats(context.WithoutCancel(ctx))
	if err != nil {
		return false, err
	}
	t := &d.tally
	table := tabwriter.NewWriter(d.view.out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "\njob wait\tp50 %s\tp95 %s\n", seconds(quantile(t.waits, 0.50)), seconds(quantile(t.waits, 0.95)))
	fmt.Fprintf(table, "instances\t%d created\t%.0f instance-seconds\n", stats.Created, stats.InstanceSeconds)
	fmt.Fprintf(table, "places\t%d instances ran a job\tthe busiest ran %d\n", len(t.places), busiest(t.places))
	fmt.Fprintf(table, "simulator\tseed %d\n", stats.Seed)
	if err := table.Flush(); err != nil {
		return false, err
	}
	fmt.Fprintf(d.view.out, "\nrequests  operation\n")
	for _, operation := range slices.Sorted(maps.Keys(stats.Requests)) {
		fmt.Fprintf(d.view.out, "%8d  %s\n", stats.Requests[operation], operation)
	}
	for _, failure := range t.failed {
		fmt.Fprintln(d.view.out, "failed:", failure)
	}
	for _, eviction := range t.evicted {
		fmt.Fprintln(d.view.out, "evicted and retried:", eviction)
	}
	evictions := ""
	if d.options.evict > 0 {
		evictions = fmt.Sprintf("%d evicted and retried, ", len(t.evicted))
	}
	fmt.Fprintf(d.view.out, "\ndemo: %d jobs passed, %d failed, %s%d instances left\n", t.passed, len(t.failed), evictions, left)
	return len(t.failed) == 0 && left == 0 && t.passed == d.options.jobs && len(t.evicted) == d.options.evict, nil
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }

// quantile is the smallest duration that the share q of all does not exceed.
func quantile(all []time.Duration, q float64) time.Duration {
	if len(all) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(all))
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}

func busiest(places map[string]int) int {
	most := 0
	for _, n := range places {
		most = max(most, n)
	}
	return most
}
